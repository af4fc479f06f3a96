#include "engine/catalogs/hive_scan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

#include "engine/duck_types.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

using lake::ExternalPartition;
using lake::ExternalTable;
using sql::TypeKind;

// Empty fields of CSV are empty text, never NULL: a noncharacter stands in no file.
constexpr const char* kNoNull = "\xEF\xBF\xBF";

sql::Type type_of(const lake::ExternalColumn& column) { return sql::Type::parse(column.type); }

/// A value as its column's type, lengths and digits of seconds included.
std::string as_declared(const std::string& value, const sql::Type& type) {
  if (stored_type(type) == to_duckdb(type).ToString()) return value;
  return fmt::format("trino_cast({}, {})", value, quote_string(type.display()));
}

/// Text of a TEXTFILE's field as a value. What is no such value is told with its file.
std::string from_text(const std::string& field, const lake::ExternalColumn& column) {
  const auto type = type_of(column);
  const std::string stored = stored_type(type);
  if (stored == "VARCHAR") return as_declared(field, type);
  const std::string message = fmt::format(
      "{} || {} || {} || \"{}\"",
      quote_string("Column '" + column.name + "' of type " + column.type + " cannot hold '"), field,
      quote_string("', as the file says: "), kHivePath);
  return as_declared(fmt::format("CASE WHEN {0} IS NOT NULL AND TRY_CAST({0} AS {1}) IS NULL THEN "
                                 "CAST(error({2}) AS {1}) ELSE TRY_CAST({0} AS {1}) END",
                                 field, stored, message),
                     type);
}

std::string list_of(const std::vector<std::string>& files) {
  std::string text = "[";
  for (const auto& file : files) text += (text.size() > 1 ? ", " : "") + quote_string(file);
  return text + "]";
}

class Source {
 public:
  Source(const ExternalTable& table, std::map<std::string, std::string> keys)
      : table_(table), keys_(std::move(keys)), data_(data_columns(table)) {}

  /// Files whose folders tell the partition (`name` below the table's own folder).
  std::string of_folders(const std::vector<std::string>& files) const {
    const auto folder = lake::parse_folder(table_.location);
    std::string partition = "NULL::VARCHAR";
    if (!table_.partitioned_by.empty()) {
      partition = fmt::format("regexp_replace(substr(\"{}\", {}), '/[^/]*$', '')", kHivePath,
                              length_of(folder.path()) + 1);
    }
    return query(files, partition, nullptr);
  }
  /// Files of a partition whose folder does not tell it.
  std::string of_partition(const std::vector<std::string>& files,
                           const ExternalPartition& partition) const {
    const auto name = lake::partition_name(table_.partitioned_by, partition.values);
    return query(files, quote_string(name), &partition.values);
  }
  std::string of_nothing() const {
    std::string text = "SELECT ";
    for (const auto& column : table_.columns) {
      const auto type = type_of(column);
      text += fmt::format("{} AS {}, ", as_declared("NULL::" + stored_type(type), type),
                          quote_ident(column.name));
    }
    return text + fmt::format("NULL::VARCHAR AS \"{}\", NULL::VARCHAR AS \"{}\" WHERE false",
                              kHivePath, kHivePartition);
  }

 private:
  /// In characters.
  static size_t length_of(const std::string& text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  }

  std::string key_of(const std::string& column) const {
    const auto found = keys_.find(column);
    return found == keys_.end() ? column : found->second;
  }

  std::string query(const std::vector<std::string>& files, const std::string& partition,
                    const lake::PartitionValues* values) const {
    std::string text = "SELECT ";
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      const auto& column = table_.columns[i];
      text += (i < data_ ? data_column(column) : partition_column(column, i - data_, values)) +
              " AS " + quote_ident(column.name) + ", ";
    }
    return text + fmt::format("\"{}\", {} AS \"{}\" FROM {}", kHivePath, partition, kHivePartition,
                              call(files, values == nullptr));
  }

  std::string data_column(const lake::ExternalColumn& column) const {
    const std::string field = quote_ident(key_of(column.name));
    if (table_.format == "TEXTFILE") return from_text(field, column);
    return as_declared(field, type_of(column));
  }

  static std::string partition_column(const lake::ExternalColumn& column, size_t at,
                                      const lake::PartitionValues* values) {
    const auto type = type_of(column);
    std::string value = quote_ident(column.name);
    if (values) {
      value = fmt::format("CAST({} AS {})",
                          values->at(at) ? quote_string(*values->at(at)) : std::string("NULL"),
                          stored_type(type));
    }
    // Lengths are left to the folders' names, so that filters still choose among them.
    return type.kind == TypeKind::kVarchar ? value : as_declared(value, type);
  }

  std::string call(const std::vector<std::string>& files, bool folders) const {
    std::string text;
    if (table_.format == "PARQUET") {
      text = fmt::format("meesh_hive_parquet({}, declared := {}", list_of(files), types());
    } else if (table_.format == "JSON") {
      text = fmt::format(
          "meesh_hive_json({}, format := 'newline_delimited', auto_detect := false, columns := {}",
          list_of(files), types());
    } else {
      text = fmt::format("meesh_hive_csv({}, columns := {}, {}", list_of(files), types(),
                         text_options());
    }
    if (folders && !table_.partitioned_by.empty()) {
      std::string by;
      for (size_t i = data_; i < table_.columns.size(); ++i) {
        by += fmt::format("{}{}: {}", by.empty() ? "" : ", ", quote_string(table_.columns[i].name),
                          quote_string(stored_type(type_of(table_.columns[i]))));
      }
      text += fmt::format(", hive_partitioning := true, hive_types := {{{}}}", by);
    } else {
      text += ", hive_partitioning := false";
    }
    return text + fmt::format(", filename := '{}')", kHivePath);
  }

  /// {'id': 'BIGINT', …}: what the files' fields are read as.
  std::string types() const {
    std::string text;
    for (size_t i = 0; i < data_; ++i) {
      const auto& column = table_.columns[i];
      const bool plain = table_.format == "CSV" || table_.format == "TEXTFILE";
      text += fmt::format("{}{}: {}", i ? ", " : "", quote_string(key_of(column.name)),
                          quote_string(plain ? "VARCHAR" : stored_type(type_of(column))));
    }
    return "{" + text + "}";
  }

  std::string text_options() const {
    const std::string common = fmt::format(
        "auto_detect := false, header := false, strict_mode := false, null_padding := "
        "true, skip := {}",
        header_lines(table_));
    if (table_.format == "TEXTFILE") {
      return fmt::format("{}, delim := {}, quote := '', escape := '', nullstr := {}", common,
                         quote_string(hive_property(table_, "textfile_field_separator", "\x01")),
                         quote_string(hive_property(table_, "null_format", "\\N")));
    }
    // Unless csv_escape says otherwise, a quote is doubled as RFC 4180 has it; a backslash is text.
    // Padding and line ends within quotes do not go together in DuckDB's parallel reader.
    const std::string quote = hive_property(table_, "csv_quote", "\"");
    return fmt::format(
        "{}, parallel := false, delim := {}, quote := {}, escape := {}, nullstr := {}", common,
        quote_string(hive_property(table_, "csv_separator", ",")), quote_string(quote),
        quote_string(hive_property(table_, "csv_escape", quote)), quote_string(kNoNull));
  }

  const ExternalTable& table_;
  const std::map<std::string, std::string> keys_;
  const size_t data_;
};

/// The first lines of a file; nothing if it cannot be read, which whoever reads it whole will tell.
std::string beginning(objects::Store& store, const std::string& path) {
  constexpr uint64_t kMost = 64 << 10;
  const std::string place = path.substr(std::string_view("s3://").size());
  const size_t slash = place.find('/');
  try {
    const auto reader = store.get(place.substr(0, slash), place.substr(slash + 1), {});
    std::string text(std::min(kMost, reader->object().size), '\0');
    text.resize(reader->read(0, text.data(), text.size()));
    return text;
  } catch (const objects::ObjectError&) {
    return "";
  }
}

/// The files of the known partitions: those below the table's folder, and each of the others.
struct Found {
  std::vector<std::string> here;
  std::vector<std::pair<ExternalPartition, std::vector<std::string>>> elsewhere;
};

Found find_files(const HiveSource& source, const ExternalTable& table) {
  const auto folder = lake::parse_folder(table.location);
  Found found;
  if (table.partitioned_by.empty()) {
    found.here = lake::list_files(source.store, folder);
    return found;
  }
  std::vector<std::string> names;
  for (auto& partition : source.tables.partitions(table.id)) {
    if (auto name = lake::folder_in_table(table, partition)) {
      names.push_back(std::move(*name));
      continue;
    }
    auto files = lake::list_files(source.store, lake::parse_folder(partition.location));
    if (!files.empty()) found.elsewhere.emplace_back(std::move(partition), std::move(files));
  }
  found.here = lake::list_files(source.store, folder, names);
  return found;
}

std::vector<std::string> all_files(Found found) {
  for (auto& [partition, files] : found.elsewhere)
    found.here.insert(found.here.end(), files.begin(), files.end());
  return std::move(found.here);
}

}  // namespace

std::vector<std::string> hive_files(const HiveSource& source, const ExternalTable& table) {
  return all_files(find_files(source, table));
}

std::map<std::string, std::string> json_keys(objects::Store& store, const ExternalTable& table,
                                             const std::vector<std::string>& files) {
  std::map<std::string, std::string> keys;
  if (table.format != "JSON" || files.empty()) return keys;
  const std::string text = beginning(store, files.front());
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos && at > 0) break;  // cut off, perhaps
    boost::system::error_code failed;
    const auto line = boost::json::parse(text.substr(at, end - at), failed);
    at = end == std::string::npos ? text.size() : end + 1;
    if (failed || !line.is_object()) continue;
    for (const auto& field : line.as_object()) {
      const std::string name = lower_case(field.key());
      const bool wanted = std::any_of(table.columns.begin(), table.columns.end(),
                                      [&](const auto& column) { return column.name == name; });
      if (wanted && field.key() == name) keys[name] = name;
      if (wanted) keys.emplace(name, field.key());
    }
  }
  return keys;
}

std::string hive_source(const HiveSource& source, const ExternalTable& table) {
  const Found found = find_files(source, table);
  const Source text(table, json_keys(source.store, table, all_files(found)));
  std::vector<std::string> parts;
  if (!found.here.empty()) parts.push_back(text.of_folders(found.here));
  for (const auto& [partition, files] : found.elsewhere)
    parts.push_back(text.of_partition(files, partition));
  if (parts.empty()) parts.push_back(text.of_nothing());
  return fmt::format("({})", fmt::join(parts, " UNION ALL "));
}

std::string hive_partitions_source(const ExternalTable& table,
                                   const std::vector<ExternalPartition>& partitions) {
  const size_t data = data_columns(table);
  const auto row = [&](const lake::PartitionValues* values) {
    std::vector<std::string> cells;
    for (size_t i = data; i < table.columns.size(); ++i) {
      const auto type = type_of(table.columns[i]);
      const auto* value = values ? &values->at(i - data) : nullptr;
      cells.push_back(
          as_declared(fmt::format("CAST({} AS {})",
                                  value && *value ? quote_string(**value) : std::string("NULL"),
                                  stored_type(type)),
                      type));
      if (!values) cells.back() += " AS " + quote_ident(table.columns[i].name);
    }
    return fmt::format("SELECT {}", fmt::join(cells, ", "));
  };
  std::string text = "(" + row(nullptr) + " WHERE false";
  for (const auto& partition : partitions) text += " UNION ALL " + row(&partition.values);
  return text + ")";
}

}  // namespace meesh::engine
