// Lineage in the metadata database: data sets, jobs, edges between data sets and between their
// columns, and the events that told of them. An edge is current until something ends it; ended ones
// stay, so that the graph can be seen as it was.
#pragma once

#include <soci/soci.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "governance/job_run.h"
#include "meta/database.h"

namespace meesh::governance {

/// Bits of sql::Influence; 0 = it is not known how.
using Influences = long long;
Influences bits_of(const std::set<sql::Influence>& influences);
std::set<sql::Influence> influences_of(Influences bits);
/// Of a value that goes through `first` and then through `second`.
Influences composed(Influences first, Influences second);

/// Fields "" and "": one data set came from the other at all. Field "" of the target alone: the
/// source's column decides over its rows.
struct Edge {
  long long id = 0, source = 0, target = 0, job = 0;
  std::string source_field, target_field;
  Influences influences = 0;
  long long first_ms = 0, last_ms = 0;
};

void create_lineage_tables(meta::Database& database);

/// Within one transaction.
class LineageTables {
 public:
  LineageTables(soci::session& sql, long long now_ms) : sql_(sql), now_ms_(now_ms) {}

  /// Known from then on, and there. Fields replace those known before unless there are none.
  long long dataset(const Dataset& dataset,
                    const std::vector<std::pair<std::string, std::string>>& fields);
  std::optional<long long> find(const Dataset& dataset);
  long long job(const JobRun& run, const std::string& name_space);

  /// Makes the edges what the run shows them to be.
  void move(const JobRun& run, long long job);
  /// It is gone: what came from it came from what it came from, if that is known.
  void drop(const Dataset& dataset);
  void drop_schema(const std::string& catalog, const std::string& schema);
  /// It is itself under another name.
  void rename(const Dataset& from, const Dataset& to);
  void rename_field(const Dataset& dataset, const std::string& from, const std::string& to);
  void drop_field(const Dataset& dataset, const std::string& field);

  struct Told {
    std::string run_id, state, text;
    long long time_ms = 0, started_ms = 0;
    bool unsent = false;
  };
  /// Keeps an event, and of the job's events the latest 100. `job` 0: of none.
  void event(const Told& told, long long job, const std::set<long long>& datasets);
  std::vector<std::string> events_of_run(const std::string& run_id);
  /// Removes what nothing refers to any more and the oldest events beyond `most`.
  void prune(long long most);

 private:
  using Wanted = std::map<std::tuple<long long, std::string, std::string>, Influences>;

  Wanted wanted(const JobRun& run, const OutputData& output, long long target);
  void reasons(const OutputData& output, long long target, long long job);
  std::vector<Edge> edges(const std::string& where, long long id);
  void drop(long long id);
  void join_through(const std::vector<Edge>& in, const std::vector<Edge>& out);
  /// Renames a field, or without `to` removes it.
  void edit_fields(long long id, const std::string& name, const std::string* to);
  void end(long long edge);
  void seen(const Edge& edge, Influences influences);
  void insert(const Edge& edge);
  std::vector<long long> ids(const std::string& query, const std::string& value);

  soci::session& sql_;
  const long long now_ms_;
};

}  // namespace meesh::governance
