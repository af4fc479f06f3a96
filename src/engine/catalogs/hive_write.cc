#include "engine/catalogs/hive_write.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/log.h"
#include "base/uuid.h"
#include "engine/catalogs/hive_scan.h"

namespace meesh::engine {
namespace {

using lake::ExternalTable;
using sql::TypeKind;

std::string extension(const ExternalTable& table) {
  if (table.format == "PARQUET") return "parquet";
  if (table.format == "JSON") return "json";
  return table.format == "CSV" ? "csv" : "txt";
}

/// A value as a field of a text file, which knows no quotes.
std::string text_field(const ExternalTable& table, const std::string& value,
                       const std::string& type) {
  const std::string text = fmt::format("CAST(CAST({} AS {}) AS VARCHAR)", value, type);
  if (type != "VARCHAR") return text;
  const std::string separator = hive_property(table, "textfile_field_separator", "\x01");
  return fmt::format(
      "CASE WHEN contains({0}, {1}) OR contains({0}, chr(10)) OR contains({0}, chr(13)) THEN "
      "error({2}) ELSE {0} END",
      text, quote_string(separator),
      quote_string("Text with the field separator or line ends cannot be written to a TEXTFILE "
                   "table"));
}

/// JSON has no word for what is no number.
std::string json_field(const std::string& value, const std::string& type) {
  const std::string text = fmt::format("CAST({} AS {})", value, type);
  if (type != "DOUBLE" && type != "FLOAT") return text;
  return fmt::format(
      "CASE WHEN isfinite({0}) OR {0} IS NULL THEN {0} ELSE CAST(error({1}) AS {2}) "
      "END",
      text, quote_string("NaN and infinity cannot be written to a JSON table"), type);
}

/// The select list of the COPY: the files' fields, then what they are partitioned by.
std::string select_list(const ExternalTable& table,
                        const std::map<std::string, std::string>& keys) {
  std::vector<std::string> fields, json;
  const size_t data = data_columns(table);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string name = table.columns[i].name, value = fmt::format("c{}", i);
    const std::string type = stored_type(sql::Type::parse(table.columns[i].type));
    if (i < data && table.format == "JSON") {
      const auto key = keys.find(name);
      json.push_back(fmt::format("{} := {}", quote_ident(key == keys.end() ? name : key->second),
                                 json_field(value, type)));
      continue;
    }
    const bool text = i < data && table.format == "TEXTFILE";
    fields.push_back(fmt::format(
        "{} AS {}",
        text ? text_field(table, value, type) : fmt::format("CAST({} AS {})", value, type),
        quote_ident(name)));
  }
  if (!json.empty()) {
    // Named as no column can be.
    fields.insert(fields.begin(),
                  fmt::format("CAST(to_json(struct_pack({})) AS VARCHAR) AS \"$row\"",
                              fmt::join(json, ", ")));
  }
  return fmt::format("{}", fmt::join(fields, ", "));
}

std::string format_options(const ExternalTable& table) {
  // Bloom filters of BLOB and DOUBLE hide rows from DuckDB itself; see lake/write.cc.
  if (table.format == "PARQUET") {
    return "FORMAT parquet, COMPRESSION zstd, WRITE_BLOOM_FILTER false";
  }
  if (table.format == "JSON")  // each line is whole already, and has no control characters
    return "FORMAT csv, DELIM chr(1), QUOTE '', ESCAPE '', HEADER false";
  const int header = header_lines(table);
  if (header > 1) {
    throw Error(Code::kNotSupported,
                "Inserting into Hive table with value of skip.header.line.count property greater "
                "than 1 is not supported");
  }
  const std::string first = header == 1 ? "HEADER true" : "HEADER false";
  if (table.format == "TEXTFILE") {
    return fmt::format("FORMAT csv, DELIM {}, QUOTE '', ESCAPE '', NULLSTR {}, {}",
                       quote_string(hive_property(table, "textfile_field_separator", "\x01")),
                       quote_string(hive_property(table, "null_format", "\\N")), first);
  }
  const std::string quote = hive_property(table, "csv_quote", "\"");
  return fmt::format("FORMAT csv, DELIM {}, QUOTE {}, ESCAPE {}, NULLSTR '', FORCE_QUOTE *, {}",
                     quote_string(hive_property(table, "csv_separator", ",")), quote_string(quote),
                     quote_string(hive_property(table, "csv_escape", quote)), first);
}

sql::Printed copy_text(const ExternalTable& table, const std::string& select,
                       const sql::Printed& query, const std::string& target,
                       const std::string& options) {
  std::string names;
  for (size_t i = 0; i < table.columns.size(); ++i) names += fmt::format("{}c{}", i ? ", " : "", i);
  sql::Printed text = query;
  const std::string before = fmt::format("COPY (SELECT {} FROM (", select);
  for (auto& [offset, position] : text.map) offset += before.size();
  text.text = fmt::format("{}{}) AS q({})) TO {} ({}, {}, RETURN_FILES true)", before, query.text,
                          names, quote_string(target), format_options(table), options);
  return text;
}

int64_t rows_of(const duckdb::MaterializedQueryResult& result) {
  return const_cast<duckdb::MaterializedQueryResult&>(result).GetValue(0, 0).GetValue<int64_t>();
}

size_t files_of(const duckdb::MaterializedQueryResult& result) {
  const auto files = const_cast<duckdb::MaterializedQueryResult&>(result).GetValue(1, 0);
  return files.IsNull() ? 0 : duckdb::ListValue::GetChildren(files).size();
}

/// Empty text has no folder of its own: Hive reads it as NULL.
lake::PartitionValues as_hive_keeps(lake::PartitionValues values) {
  for (auto& value : values)
    if (value && value->empty()) value.reset();
  return values;
}

/// Moves what was written into the partitions' folders.
class Publication {
 public:
  Publication(const HiveSource& source, const ExternalTable& table, std::string user)
      : source_(source), table_(table), user_(std::move(user)) {
    for (auto& known : source.tables.partitions(table.id))
      places_.emplace(known.values, lake::parse_folder(known.location));
  }

  /// `written`: how many files there have to be.
  HiveFiles run(const lake::Folder& from, size_t written) {
    try {
      const auto keys = lake::all_keys(source_.store, from);
      if (keys.size() < written) {
        throw Error(Code::kIoError,
                    fmt::format("{} of the {} files that the statement wrote to {} are gone",
                                written - keys.size(), written, from.path()))
            .with_hint("run the statement again, and leave hidden folders alone while it runs");
      }
      for (const auto& key : keys) move(from, key);
    } catch (...) {
      remove_hive(source_, files_);
      throw;
    }
    return std::move(files_);
  }

 private:
  void move(const lake::Folder& from, const std::string& key) {
    const std::string inside = key.substr(from.prefix.size());
    const size_t slash = inside.rfind('/');
    const auto values =
        slash == std::string::npos
            ? std::nullopt
            : lake::parse_partition_name(table_.partitioned_by, inside.substr(0, slash), true);
    if (!values) internal_error("a partition was written to " + inside);
    const lake::Folder& to = place_of(as_hive_keeps(*values));
    const std::string target = to.prefix + inside.substr(slash + 1);
    source_.store.copy(from.bucket, key, {}, to.bucket, target, std::nullopt, {}, {});
    files_.keys.push_back(to.bucket + "/" + target);
  }

  const lake::Folder& place_of(const lake::PartitionValues& values) {
    if (const auto known = used_.find(values); known != used_.end()) return known->second;
    auto known = places_.find(values);
    if (known == places_.end()) {
      lake::Folder folder = lake::parse_folder(table_.location);
      folder.prefix += lake::partition_name(table_.partitioned_by, values) + "/";
      known = places_.emplace(values, std::move(folder)).first;
    }
    source_.allow(user_, "s3:PutObject", known->second);
    std::string location = known->second.path();
    location.pop_back();
    files_.partitions.push_back({values, std::move(location)});
    return used_.emplace(values, known->second).first->second;
  }

  const HiveSource& source_;
  const ExternalTable& table_;
  const std::string user_;
  std::map<lake::PartitionValues, lake::Folder> places_, used_;
  HiveFiles files_;
};

void sweep(const HiveSource& source, const lake::Folder& folder) noexcept {
  try {
    lake::remove_keys(source.store, folder.bucket, lake::all_keys(source.store, folder));
  } catch (const std::exception& error) {
    log::warn("files of a statement stay", {{"folder", folder.path()}, {"error", error.what()}});
  }
}

HiveFiles write_partitions(const HiveSource& source, const ExternalTable& table,
                           const sql::Printed& query, const std::string& select,
                           const std::string& user, const RunHive& run) {
  const std::string id = base::random_uuid();
  const auto place = lake::staging_folder(lake::parse_folder(table.location), id);
  std::string by;
  for (const auto& name : table.partitioned_by) by += (by.empty() ? "" : ", ") + quote_ident(name);
  std::string target = place.path();
  target.pop_back();
  try {
    const auto result = run(copy_text(
        table, select, query, target,
        fmt::format("PARTITION_BY ({}), OVERWRITE_OR_IGNORE true, FILENAME_PATTERN '{}-{{uuid}}', "
                    "FILE_EXTENSION '{}'",
                    by, id, extension(table))));
    HiveFiles files = Publication(source, table, user).run(place, files_of(*result));
    files.rows = rows_of(*result);
    sweep(source, place);
    return files;
  } catch (...) {
    sweep(source, place);
    throw;
  }
}

}  // namespace

void sweep_staging(const HiveSource& source, const lake::Folder& folder) noexcept {
  try {
    const size_t removed = lake::remove_stale_staging(source.store, folder);
    if (removed == 0) return;
    log::info("files of writes that were killed are removed",
              {{"folder", folder.path()}, {"files", removed}});
  } catch (const std::exception& error) {
    log::warn("files of writes that were killed stay",
              {{"folder", folder.path()}, {"error", error.what()}});
  }
}

HiveFiles write_hive(const HiveSource& source, const ExternalTable& table,
                     const sql::Printed& query, const std::string& user, const RunHive& run) {
  const auto folder = lake::parse_folder(table.location);
  source.allow(user, "s3:PutObject", folder);
  const auto keys = table.format == "JSON"
                        ? json_keys(source.store, table, hive_files(source, table))
                        : std::map<std::string, std::string>();
  const std::string select = select_list(table, keys);
  sweep_staging(source, folder);
  if (!table.partitioned_by.empty())
    return write_partitions(source, table, query, select, user, run);
  const std::string key =
      fmt::format("{}{}.{}", folder.prefix, base::random_uuid(), extension(table));
  HiveFiles files;
  files.keys.push_back(folder.bucket + "/" + key);
  files.rows = rows_of(
      *run(copy_text(table, select, query, "s3://" + files.keys[0], "PER_THREAD_OUTPUT false")));
  if (files.rows == 0) {
    remove_hive(source, files);
    files.keys.clear();
  }
  return files;
}

void remove_hive(const HiveSource& source, const HiveFiles& files) noexcept {
  try {
    for (const auto& path : files.keys) {
      const size_t slash = path.find('/');
      lake::remove_keys(source.store, path.substr(0, slash), {path.substr(slash + 1)});
    }
  } catch (const std::exception& error) {
    log::warn("files of a failed statement stay", {{"error", error.what()}});
  }
}

}  // namespace meesh::engine
