// What a table's policies make of its rows on their way in: columns left out, hashed and masked,
// and values that the landed table has no place for. All of it is SQL around the portion's query,
// so that what is not to land never does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "ingest/source.h"

namespace meesh::ingest {

/// The key of a source's hashes as a table that only those can read who know its name, so that it
/// stands in no statement.
class SaltTable {
 public:
  /// Nothing, if the table hashes nothing or the source has no key.
  SaltTable(engine::BufferTables& tables, const SourceConfig& config, const TableConfig& table);
  /// Its quoted name; "" = there is none.
  std::string name() const;

 private:
  std::unique_ptr<engine::BufferTables::Registration> table_;
};

class Policies {
 public:
  /// `salt`: the quoted name of a table whose column `salt` is the hashes' key; "" = there is none.
  /// `table` outlives it.
  Policies(const TableConfig& table, std::string salt);

  /// What stands behind a FROM where value() is used: " CROSS JOIN …", or nothing.
  std::string join() const;

  /// Of the source's columns those that land, with the types they have then.
  std::vector<StreamColumn> columns(const std::vector<StreamColumn>& columns) const;
  /// A source's value as it is once it is hashed or masked, if it is.
  std::string value(const StreamColumn& column, const std::string& value) const;
  /// Throws COLUMN_NOT_FOUND if a column that is to be hashed or masked is neither among those nor
  /// in the landed table: its name is written wrong, and it would land as it is.
  void need(const std::vector<StreamColumn>& columns, const std::vector<StreamColumn>& landed,
            const std::string& origin) const;

 private:
  const TableConfig& table_;
  const std::string salt_;
};

/// A portion as it lands.
struct Intake {
  std::string query;
  std::vector<StreamColumn> columns;
  /// Rows that do not land, as Rejected::query gives them; "" = all do.
  std::string rejected;
  /// How many rows there are and how many of them do not land: one row; "" = all do.
  std::string counts;
  std::vector<std::string> notes;  // what is left out
};

/// `landed`: the columns of the table, none if it is made now. Throws TYPE_MISMATCH for a column
/// that a frozen table does not have.
Intake take_in(const TableConfig& table, const Policies& policies, const Portion& portion,
               const std::vector<StreamColumn>& landed, const std::string& origin);

}  // namespace meesh::ingest
