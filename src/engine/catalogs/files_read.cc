#include "engine/catalogs/files_read.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/uuid.h"
#include "engine/catalogs/hive_scan.h"
#include "engine/duck_types.h"
#include "engine/object_files.h"
#include "objects/store.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using sql::Type;
using sql::TypeKind;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// The type of a lake's table that holds the values.
Type kept(const LogicalType& type) {
  if (type.IsJSONType()) return Type::varchar();
  const auto found = from_duckdb(type);
  switch (found.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
      return Type::of(TypeKind::kInteger);
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return Type::of(found.kind, 6);
    case TypeKind::kArray:
      return Type::array(kept(type.id() == LogicalTypeId::ARRAY
                                  ? duckdb::ArrayType::GetChildType(type)
                                  : duckdb::ListType::GetChildType(type)));
    case TypeKind::kMap:
      return Type::map(kept(duckdb::MapType::KeyType(type)),
                       kept(duckdb::MapType::ValueType(type)));
    case TypeKind::kRow: {
      std::vector<std::string> names;
      std::vector<Type> types;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        names.push_back(name);
        types.push_back(kept(child));
      }
      return Type::row(std::move(names), std::move(types));
    }
    case TypeKind::kBoolean:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
    case TypeKind::kVarbinary:
    case TypeKind::kDate:
    case TypeKind::kUuid:
      return found;
    default:
      return Type::varchar();
  }
}

bool whole(const Type& type) {
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kBigint;
}

/// A type for the values of both.
Type common(const Type& a, const Type& b) {
  if (a == b) return a;
  if (whole(a) && whole(b)) return Type::of(TypeKind::kBigint);
  const auto number = [](const Type& type) {
    return whole(type) || type.kind == TypeKind::kReal || type.kind == TypeKind::kDouble;
  };
  if (number(a) && number(b)) return Type::of(TypeKind::kDouble);
  const auto day = [](const Type& type) {
    return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp;
  };
  if (day(a) && day(b)) return Type::of(TypeKind::kTimestamp, 6);
  return Type::varchar();
}

void check(duckdb::QueryResult& result) {
  if (result.HasError()) throw translate(result.GetErrorObject());
}

std::string duck_name(const Type& type) { return to_duckdb(type).ToString(); }

std::string list_of(const std::vector<FileVersion>& files) {
  std::string text = "[";
  for (const auto& file : files) text += (text.size() > 1 ? ", " : "") + quote_string(file.path);
  return text + "]";
}

std::string csv_options(const FileFormat& format, const std::string& delimiter) {
  std::vector<std::string> nulls{quote_string("")};
  if (!format.null_text.empty()) nulls.push_back(quote_string(format.null_text));
  return fmt::format(
      "header := {}, delim := {}, quote := {}, escape := {}, nullstr := [{}], "
      "encoding := {}",
      format.header, quote_string(delimiter), quote_string(format.quote),
      quote_string(format.escape), fmt::join(nulls, ", "), quote_string(format.encoding));
}

const FileColumn* find(const std::vector<FileColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &FileColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

/// {'name': 'TYPE', …} of what a group's files hold.
std::string declared_columns(const FileSet& set, const FileGroup& group, bool by_raw_name) {
  std::string text;
  for (const auto& [raw, name] : group.columns) {
    const auto* column = find(set.columns, name);
    // A column nobody wants is not understood either, so that it rejects no row.
    text +=
        fmt::format("{}{}: {}", text.empty() ? "" : ", ", quote_string(by_raw_name ? raw : name),
                    quote_string(column ? duck_name(column->type) : "VARCHAR"));
  }
  return "{" + text + "}";
}

std::string csv_call(const FileSet& set, const FileGroup& group, const std::string& extra) {
  return fmt::format(
      "meesh_hive_csv({}, auto_detect := false, columns := {}, {}, hive_partitioning := false{})",
      list_of(group.files), declared_columns(set, group, false),
      csv_options(set.format, group.delimiter), extra);
}

/// Lines of text files: `line`, NULL for an empty one.
std::string lines_call(const std::vector<FileVersion>& files) {
  return fmt::format(
      "meesh_hive_csv({}, auto_detect := false, columns := {{'line': 'VARCHAR'}}, header := false, "
      "delim := '\x01', quote := '', escape := '', hive_partitioning := false)",
      list_of(files));
}

/// Lines of JSON, one by one: `rows` gives `line`, its number `n`, its value `j` (NULL: it has
/// none) and that as the set's columns, `r`.
struct JsonLines {
  JsonLines(const FileSet& set, const FileGroup& group, const std::vector<FileVersion>& files) {
    std::string structure;
    for (const auto& [raw, name] : group.columns) {
      const auto* column = find(set.columns, name);
      if (!column) continue;
      structure += fmt::format("{}{}:{}", structure.empty() ? "" : ",", json_text(raw),
                               json_structure(column->type));
      wrong_column +=
          fmt::format(" WHEN r.{} IS NULL AND coalesce(json_type(j, {}), 'NULL') <> 'NULL' THEN {}",
                      quote_ident(raw), quote_string("$." + json_text(raw)), quote_string(name));
    }
    rows = fmt::format(
        "(SELECT line, n, j, json_transform(j, {}) AS r FROM (SELECT line, n, CASE WHEN "
        "json_valid(line) THEN CAST(line AS JSON) END AS j FROM (SELECT line, row_number() OVER () "
        "AS n FROM {}) WHERE trim(line) <> ''))",
        quote_string("{" + structure + "}"), lines_call(files));
    no_object = "coalesce(json_type(j), '') <> 'OBJECT'";
    // The column that is wrong, '' if it is the line as a whole, NULL if nothing is.
    wrong = fmt::format("CASE WHEN {} THEN ''{} END", no_object, wrong_column);
  }
  static std::string json_text(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  }
  static std::string json_structure(const Type& type) {
    if (type.kind == TypeKind::kArray) return "[" + json_structure(type.children.at(0)) + "]";
    if (type.kind == TypeKind::kRow) {
      std::string fields;
      for (size_t i = 0; i < type.children.size(); ++i) {
        fields += fmt::format("{}{}:{}", i ? "," : "", json_text(type.field_names[i]),
                              json_structure(type.children[i]));
      }
      return "{" + fields + "}";
    }
    return json_text(duck_name(type));
  }

  std::string rows, no_object, wrong;

 private:
  std::string wrong_column;
};

/// What a reader sees of a group: `cell(raw name)` gives a column the files have.
template <class F>
std::string select_list(const FileSet& set, const FileGroup& group, F&& cell) {
  std::vector<std::string> parts;
  for (const auto& column : set.columns) {
    const auto found = std::ranges::find_if(
        group.columns, [&](const auto& names) { return names.second == column.name; });
    const std::string value =
        found == group.columns.end() ? "NULL" : cell(found->first, found->second, column);
    parts.push_back(fmt::format("CAST({} AS {}) AS {}", value, duck_name(column.type),
                                quote_ident(column.name)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string csv_query(const FileSet& set, const FileGroup& group) {
  return fmt::format(
      "SELECT {} FROM {}",
      select_list(set, group,
                  [](const auto&, const auto& name, const auto&) { return quote_ident(name); }),
      csv_call(set, group, set.skip_malformed ? ", ignore_errors := true" : ""));
}

std::string json_query(const FileSet& set, const FileGroup& group) {
  if (!set.skip_malformed) {
    return fmt::format(
        "SELECT {} FROM meesh_hive_json({}, format := 'auto', columns := {})",
        select_list(set, group,
                    [](const auto& raw, const auto&, const auto&) { return quote_ident(raw); }),
        list_of(group.files), declared_columns(set, group, true));
  }
  const JsonLines lines(set, group, group.files);
  return fmt::format("SELECT {} FROM {} WHERE ({}) IS NULL",
                     select_list(set, group,
                                 [](const auto& raw, const auto&, const auto&) {
                                   return "r." + quote_ident(raw);
                                 }),
                     lines.rows, lines.wrong);
}

std::string parquet_query(const FileSet& set, const FileGroup& group) {
  return fmt::format(
      "SELECT {} FROM meesh_hive_parquet({}, union_by_name := true, hive_partitioning := false)",
      select_list(set, group,
                  [](const auto& raw, const auto&, const auto&) { return quote_ident(raw); }),
      list_of(group.files));
}

}  // namespace

void register_file_readers(Duck& duck) { register_hive_readers(duck); }

FileLooker::FileLooker(Duck& duck, objects::Store& store, const FileFormat& format,
                       const std::string& user)
    : store_(store), format_(format), connection_(*duck.db) {
  set_caller(connection_, user);
}

std::string FileLooker::beginning(const std::string& path) {
  constexpr size_t kMost = 64 << 10;
  std::string text(kMost, '\0');
  if (path.starts_with("s3://")) {
    const std::string place = path.substr(5);
    const size_t slash = place.find('/');
    const auto reader = store_.get(place.substr(0, slash), place.substr(slash + 1), {});
    text.resize(reader->read(0, text.data(), text.size()));
  } else {
    std::ifstream stream(path, std::ios::binary);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(stream.gcount()));
  }
  return text;
}

/// The one that the first line has most of, outside of quotes. DuckDB would look for it in rows
/// that may be malformed.
std::string FileLooker::delimiter_of(const FileVersion& file) {
  if (!format_.delimiter.empty()) return format_.delimiter;
  if (file.path.ends_with(".gz") || file.path.ends_with(".zst")) return ",";
  const std::string text = beginning(file.path);
  std::map<char, int> counts;
  bool quoted = false;
  for (const char c : text) {
    if (!format_.quote.empty() && c == format_.quote[0]) quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) break;
    if (!quoted && std::string_view(",;\t|").find(c) != std::string_view::npos) ++counts[c];
  }
  std::pair<char, int> best{',', 0};
  for (const auto& [c, count] : counts)
    if (count > best.second) best = {c, count};
  return {best.first};
}

std::vector<FileLooker::RawColumn> FileLooker::columns_of(const std::string& call) {
  const auto prepared = connection_.Prepare("SELECT * FROM " + call);
  if (prepared->HasError()) throw translate(prepared->error);
  std::vector<RawColumn> columns;
  for (size_t i = 0; i < prepared->GetNames().size(); ++i)
    columns.push_back({prepared->GetNames()[i], prepared->GetTypes()[i]});
  return columns;
}

std::vector<FileLooker::RawColumn> FileLooker::csv_columns(const FileVersion& file,
                                                           const std::string& delimiter) {
  return columns_of(fmt::format(
      "meesh_hive_csv([{}], {}, ignore_errors := true, sample_size := 20480, hive_partitioning := "
      "false)",
      quote_string(file.path), csv_options(format_, delimiter)));
}

std::vector<FileLooker::RawColumn> FileLooker::described(const std::vector<FileVersion>& files) {
  const std::string list = list_of(files);
  if (format_.kind == FileFormat::Kind::kParquet) {
    return columns_of(fmt::format(
        "meesh_hive_parquet({}, union_by_name := true, hive_partitioning := false)", list));
  }
  try {
    return columns_of(
        fmt::format("meesh_hive_json({}, format := 'auto', records := 'true', "
                    "union_by_name := true, hive_partitioning := false)",
                    list));
  } catch (const Error&) {
    return columns_of_lines(files);
  }
}

/// Of JSON that is malformed in places: what the lines that are objects have.
std::vector<FileLooker::RawColumn> FileLooker::columns_of_lines(
    const std::vector<FileVersion>& files) {
  const auto result = connection_.Query(fmt::format(
      "SELECT json_group_structure(j) FROM (SELECT CAST(line AS JSON) AS j FROM {} WHERE CASE WHEN "
      "json_valid(line) THEN json_type(CAST(line AS JSON)) = 'OBJECT' ELSE false END LIMIT 20480)",
      lines_call(files)));
  check(*result);
  if (result->RowCount() == 0 || result->GetValue(0, 0).IsNull()) return {};
  std::string structure = result->GetValue(0, 0).ToString();
  constexpr std::string_view kUnsigned = "\"UBIGINT\"";
  for (size_t at; (at = structure.find(kUnsigned)) != std::string::npos;)
    structure.replace(at, kUnsigned.size(), "\"BIGINT\"");
  return columns_of(
      fmt::format("(SELECT unnest(json_transform('{{}}', {})))", quote_string(structure)));
}

void FileLooker::add(FileSet& set, std::vector<FileVersion> files, const std::string& delimiter,
                     const std::vector<RawColumn>& columns) {
  FileGroup group;
  group.files = std::move(files);
  group.delimiter = delimiter;
  std::set<std::string> taken;
  for (const auto& raw : columns) {
    std::string name = lower(raw.name);
    for (int n = 1; !taken.insert(name).second; ++n)
      name = fmt::format("{}_{}", lower(raw.name), n);
    group.columns.emplace_back(raw.name, name);
    const auto type = kept(raw.type);
    const auto known = std::ranges::find(set.columns, name, &FileColumn::name);
    if (known == set.columns.end()) {
      set.columns.push_back({name, type});
    } else {
      known->type = common(known->type, type);
    }
  }
  const auto alike = std::ranges::find_if(set.groups, [&](const FileGroup& other) {
    return other.delimiter == group.delimiter && other.columns == group.columns;
  });
  if (alike == set.groups.end()) {
    set.groups.push_back(std::move(group));
  } else {
    alike->files.insert(alike->files.end(), group.files.begin(), group.files.end());
  }
}

FileSet FileLooker::look(const std::vector<FileVersion>& files,
                         const std::vector<FileColumn>& declared) {
  FileSet set;
  set.format = format_;
  if (format_.kind == FileFormat::Kind::kCsv) {
    for (const auto& file : files) {
      const std::string delimiter = delimiter_of(file);
      add(set, {file}, delimiter, csv_columns(file, delimiter));
    }
  } else if (!files.empty()) {
    add(set, files, "", described(files));
  }
  for (const auto& column : declared) {
    const auto known = std::ranges::find(set.columns, column.name, &FileColumn::name);
    if (known == set.columns.end()) {
      set.columns.push_back(column);
    } else {
      known->type = column.type;
    }
  }
  return set;
}

std::string files_source(const FileSet& set) {
  std::vector<std::string> parts;
  for (const auto& group : set.groups) {
    switch (set.format.kind) {
      case FileFormat::Kind::kCsv:
        parts.push_back(csv_query(set, group));
        break;
      case FileFormat::Kind::kJson:
        parts.push_back(json_query(set, group));
        break;
      case FileFormat::Kind::kParquet:
        parts.push_back(parquet_query(set, group));
        break;
    }
  }
  if (parts.empty()) {
    const auto nothing = [](const auto&, const auto&, const auto&) { return std::string("NULL"); };
    parts.push_back("SELECT " + select_list(set, {}, nothing) + " WHERE false");
  }
  return fmt::format("({})", fmt::join(parts, " UNION ALL "));
}

namespace {

/// Reads all rows of a group; what is wrong with them is in DuckDB's tables of rejects afterwards.
uint64_t count_csv(duckdb::Connection& connection, const FileSet& set, const FileGroup& group) {
  FileSet whole = set;
  whole.skip_malformed = false;
  std::vector<std::string> counts;
  for (const auto& [raw, name] : group.columns)
    if (find(set.columns, name)) counts.push_back("count(" + quote_ident(name) + ")");
  const auto result = connection.Query(fmt::format(
      "SELECT count(*){}{} FROM {}", counts.empty() ? "" : ", ", fmt::join(counts, ", "),
      csv_call(whole, group, ", store_rejects := true, rejects_limit := 0")));
  check(*result);
  return result->GetValue(0, 0).GetValue<uint64_t>();
}

constexpr const char* kCsvRejects =
    "SELECT s.file_path AS _file, CAST(e.line AS BIGINT) AS _line, min(e.column_name) AS _column, "
    "min(e.error_message) AS _error, min(e.csv_line) AS _text FROM reject_errors e JOIN "
    "reject_scans s ON e.scan_id = s.scan_id AND e.file_id = s.file_id GROUP BY 1, 2";

std::string json_rejects(const FileSet& set, const FileGroup& group) {
  std::vector<std::string> parts;
  for (const auto& file : group.files) {
    const JsonLines lines(set, group, {file});
    parts.push_back(fmt::format(
        "SELECT {} AS _file, n AS _line, nullif(c, '') AS _column, CASE WHEN c = '' THEN 'it is no "
        "JSON object' ELSE 'the value of \"' || c || '\" has another type' END AS _error, line AS "
        "_text FROM (SELECT line, n, {} AS c FROM {}) WHERE c IS NOT NULL",
        quote_string(file.path), lines.wrong, lines.rows));
  }
  return fmt::format("{}", fmt::join(parts, " UNION ALL "));
}

}  // namespace

MalformedRows find_malformed_rows(Duck& duck, const FileSet& set, const std::string& user,
                                  const std::filesystem::path& staging, std::stop_token stop) {
  duckdb::Connection connection(*duck.db);
  set_caller(connection, user);
  const std::stop_callback interrupt(stop, [&] { connection.Interrupt(); });
  MalformedRows found;
  if (set.format.kind == FileFormat::Kind::kParquet) return found;
  std::vector<std::string> rejects;
  uint64_t lines = 0;
  for (const auto& group : set.groups) {
    if (set.format.kind == FileFormat::Kind::kCsv) {
      found.good += count_csv(connection, set, group);
      rejects = {kCsvRejects};
    } else {
      const auto result = connection.Query(
          fmt::format("SELECT count(*) FROM {} WHERE trim(line) <> ''", lines_call(group.files)));
      check(*result);
      lines += result->GetValue(0, 0).GetValue<uint64_t>();
      rejects.push_back(json_rejects(set, group));
    }
  }
  if (rejects.empty()) return found;
  found.file = staging / (base::random_uuid() + ".parquet");
  const auto copied = connection.Query(
      fmt::format("COPY (SELECT * FROM ({}) ORDER BY _file, _line) TO {} (FORMAT parquet)",
                  fmt::join(rejects, " UNION ALL "), quote_string(found.file.string())));
  check(*copied);
  found.bad = copied->GetValue(0, 0).GetValue<uint64_t>();
  if (lines > 0) found.good = lines - found.bad;
  if (found.bad == 0) return found;
  const auto first = connection.Query(
      fmt::format("SELECT _file, _line, _error FROM read_parquet({}) ORDER BY _file, _line LIMIT 1",
                  quote_string(found.file.string())));
  check(*first);
  found.first.file = first->GetValue(0, 0).ToString();
  found.first.line = first->GetValue(1, 0).GetValue<int64_t>();
  found.first.error = first->GetValue(2, 0).ToString();
  return found;
}

bool tells_of_malformed_rows(const Error& error) {
  const std::string& message = error.message();
  return message.find("CSV Error on Line") != std::string::npos ||
         message.find("Malformed JSON") != std::string::npos ||
         message.find("JSON transform error") != std::string::npos ||
         message.find("Invalid unicode") != std::string::npos;
}

}  // namespace meesh::engine
