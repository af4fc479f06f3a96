// How a buffer of changes becomes statements over the lake's tables: the history, which every
// change is appended to, and the current state, in which the last change of each key wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/cdc/change_source.h"
#include "ingest/landing.h"
#include "ingest/policies.h"

namespace meesh::ingest {

/// What every landed row says of its origin besides the source's columns.
struct LandingMark {
  std::string run_date;  // "2025-01-15"
  std::string moment;    // "2026-01-31 12:00:00.123456 UTC"
};

class ChangeSql {
 public:
  /// `rows`: the quoted name under which the buffer is a table. `after`: of the changes, those
  /// behind it. All but `rows` outlive it.
  ChangeSql(const TableChanges& changes, std::string rows, const TableConfig& table,
            const Policies& policies, std::optional<ChangePosition> after);

  /// Columns that land in the current state: those of the source that the policies let through and
  /// that the table has a place for. `landed`: its own, none if it is made now. Throws
  /// TYPE_MISMATCH for a new column of a frozen table.
  std::vector<StreamColumn> columns(const std::vector<StreamColumn>& landed) const;
  /// Those, the key before a change of it, and _op, _major, _minor, _tx, _committed, _unchanged.
  std::vector<StreamColumn> history_columns(const std::vector<StreamColumn>& landed) const;

  /// INSERT of every change into the history; its table is prepared for history_columns().
  std::string append(const Landing& history, const LandingMark& mark) const;
  /// INSERT of rows of a snapshot, or of new ones, into the current state.
  std::string insert(const Landing& current, const LandingMark& mark) const;
  /// MERGE of the last change of each key into the current state.
  std::string merge(const Landing& current, const LandingMark& mark) const;
  /// Rows with an error, as columns of a table of rejected rows. `position`: what they are told to
  /// come from.
  std::string rejected(const std::string& position) const;

 private:
  /// Rows without errors: what is known of the change, and values as they are let through.
  std::string let_through(const std::vector<StreamColumn>& columns) const;
  /// Those with values as the table has them.
  std::string landed_rows(const Landing& current, const std::vector<StreamColumn>& columns) const;
  /// One row a key, with what an update leaves as it is from the changes before it.
  std::string last_rows(const Landing& current, const std::vector<StreamColumn>& columns) const;
  std::string kept_values() const;
  std::vector<std::string> key() const;   // names
  std::vector<std::string> kept() const;  // names of columns that some update left as they were
  std::string same(const char* left, const char* right, const std::string& prefix) const;
  /// Rows of the buffer that are to land.
  std::string filter(bool poison) const;

  const TableChanges& changes_;
  const TableShape& shape_;
  const std::string rows_;
  const TableConfig& table_;
  const Policies& policies_;
  const std::optional<ChangePosition> after_;
};

}  // namespace meesh::ingest
