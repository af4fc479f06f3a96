// Rows as a binlog has them: each column in its type's own bytes, without names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "engine/catalogs/mysql_types.h"

namespace meesh::ingest::binlog {

/// What stands before the rows of a table.
struct TableMap {
  std::string database, table;     // as the server spells them
  std::vector<uint8_t> types;      // of each column: enum_field_types
  std::vector<uint16_t> metas;     // what the type's bytes depend on
  std::vector<std::string> names;  // only with binlog_row_metadata=FULL
};

/// Throws GENERIC_EXTERNAL for what makes no sense or has a type that cannot be read. `names`:
/// each with its length before it.
TableMap read_table_map(std::string_view database, std::string_view table, std::string_view types,
                        std::string_view metadata, std::string_view names);

struct Cell {
  bool present = false;  // the row image has the column
  bool null = false;
  std::string_view bytes;  // without the length before them
  bool operator==(const Cell&) const = default;
};

/// Takes one row off `data`. `present`: bits of the columns that are there. Throws
/// GENERIC_EXTERNAL.
void read_row(const TableMap& map, const unsigned char* present, std::string_view& data,
              std::vector<Cell>& cells);

/// Whether a column of the table as it is now may have made such bytes.
bool fits(const TableMap& map, size_t at, const engine::MysqlColumn& column);

/// Text in UTF-8, whatever the column's charset. One thread.
class TextReader {
 public:
  TextReader();
  ~TextReader();
  /// False: the bytes are none of the charset, or nobody knows it.
  bool read(const std::string& charset, std::string_view bytes, std::string& text);

 private:
  std::map<std::string, void*> converters_;
};

/// Sets a cell as a SELECT of the same value would. False: it makes no sense; the cell is NULL.
bool put_cell(engine::RowBuffer& rows, size_t to, const engine::MysqlColumn& column,
              const TableMap& map, size_t at, std::string_view bytes, TextReader& texts);

/// For people: text if it is some, else 0x….
std::string shown(std::string_view bytes);

}  // namespace meesh::ingest::binlog
