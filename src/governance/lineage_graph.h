// Reads the graph of lineage, from one table or column up to what it comes from and down to what
// comes from it.
#pragma once

#include <soci/soci.h>

#include <boost/json/value.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "governance/lineage_store.h"
#include "governance/lineage_tables.h"

namespace meesh::governance {

/// Within one transaction, once.
class LineageGraph {
 public:
  LineageGraph(soci::session& sql, const GraphQuery& query);
  boost::json::object read();

 private:
  struct Node {
    long long id = 0;
    Dataset dataset;
    std::string fields;  // JSON
    long long gone_ms = 0, renamed_to = 0;
    int distance = 0;  // negative: upstream
  };
  /// A place of the graph: a data set, or one field of it.
  using Place = std::pair<long long, std::string>;

  Node& node(long long id);
  /// What a renamed data set is called now.
  long long now_called(long long id);
  long long start();
  void check_column(const Node& node);
  void walk(const Place& start, bool up, int depth);
  std::vector<Edge> edges(const Place& place, bool up);
  boost::json::array nodes_json();
  boost::json::array table_edges();
  boost::json::array column_edges();
  boost::json::array rows_json(long long id);
  boost::json::array unknown(long long id);
  boost::json::object place_json(long long id, const std::string& field);
  const boost::json::object& job_json(long long id);

  soci::session& sql_;
  const GraphQuery& query_;
  std::map<long long, Node> nodes_;
  std::map<long long, boost::json::object> jobs_;
  std::map<Place, int> reached_;     // with their distance
  std::map<long long, Edge> found_;  // by their id
  bool truncated_ = false;
};

}  // namespace meesh::governance
