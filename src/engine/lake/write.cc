#include "engine/lake/write.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/log.h"
#include "base/uuid.h"
#include "engine/duck.h"
#include "engine/lake/partition_function.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "lake/bounds.h"
#include "lake/layout.h"

namespace meesh::engine {
namespace {

using lake::TypeKind;

const std::string* property(const lake::TableMetadata& table, const char* name) {
  const auto found = table.properties.find(name);
  return found == table.properties.end() ? nullptr : &found->second;
}

std::string data_location(const lake::TableMetadata& table) {
  const auto* place = property(table, "write.data.path");
  std::string location = place ? *place : table.location + "/data";
  while (location.ends_with('/')) location.pop_back();
  return location;
}

/// 'name': 3, or with the ids inside: 'name': {__duckdb_field_id: 3, 'element': 4}.
std::string field_ids(const lake::Field& field) {
  if (!field.type.nested()) return fmt::format("{}: {}", quote_string(field.name), field.id);
  std::string inside = fmt::format("__duckdb_field_id: {}", field.id);
  for (const auto& child : field.type.fields) inside += ", " + field_ids(child);
  return fmt::format("{}: {{{}}}", quote_string(field.name), inside);
}

/// DuckDB's own is 3: a fifth more time for a twentieth less bytes.
constexpr int kZstdLevel = 1, kMostZstdLevel = 22;

std::string zstd_level(const lake::TableMetadata& table) {
  const auto* given = property(table, "write.parquet.compression-level");
  if (!given) return std::to_string(kZstdLevel);
  int level = 0;
  const char* last = given->data() + given->size();
  const auto [end, failed] = std::from_chars(given->data(), last, level);
  if (failed == std::errc() && end == last && level >= 1 && level <= kMostZstdLevel) return *given;
  throw Error(Code::kInvalidTableProperty,
              "write.parquet.compression-level of the table is no level of zstd: " + *given)
      .with_hint(fmt::format("a number from 1 to {}", kMostZstdLevel));
}

std::string compression(const lake::TableMetadata& table) {
  const auto* codec = property(table, "write.parquet.compression-codec");
  const std::string name = codec ? lower_case(*codec) : "zstd";
  static const std::set<std::string> kKnown = {"snappy", "gzip", "lz4", "brotli"};
  if (name == "zstd") return "zstd, COMPRESSION_LEVEL " + zstd_level(table);
  if (name == "none" || name == "uncompressed") return "uncompressed";
  if (name == "lz4") return "lz4_raw";
  if (kKnown.contains(name)) return name;
  throw Error(Code::kInvalidTableProperty,
              "write.parquet.compression-codec of the table is not known: " + name)
      .with_hint("zstd, snappy, gzip, lz4, brotli or none");
}

/// Names of the partition columns beside the table's own: their fields' names, as they stand in
/// paths, made different from the columns'.
std::vector<std::string> partition_columns(const lake::TableMetadata& table) {
  std::set<std::string> taken;
  for (const auto& field : table.schema().fields) taken.insert(lower_case(field.name));
  std::vector<std::string> names;
  for (const auto& field : table.spec().fields) {
    std::string name = field.name;
    while (!taken.insert(lower_case(name)).second) name += '_';
    names.push_back(std::move(name));
  }
  return names;
}

/// The places of the columns that a spec or order speaks of, as DuckDB text over the query's c0,
/// c1…
std::string source_column(const lake::TableMetadata& table, int source_id) {
  const auto& fields = table.schema().fields;
  const std::string path = lake::field_name(table.schema(), source_id);
  for (size_t i = 0; i < fields.size(); ++i) {
    // In its type: a column that was left out is a NULL of none.
    std::string text = fmt::format("CAST(c{} AS {})", i, duck_type(fields[i].type).ToString());
    if (fields[i].id == source_id) return text;
    if (!path.starts_with(fields[i].name + ".") ||
        !lake::find_field(lake::Schema{0, {fields[i]}, {}}, source_id)) {
      continue;
    }
    for (const lake::Field* at = &fields[i]; at->id != source_id;) {
      const auto& inside = at->type.fields;
      const auto next = std::find_if(inside.begin(), inside.end(), [&](const lake::Field& f) {
        return f.id == source_id || lake::find_field(lake::Schema{0, {f}, {}}, source_id);
      });
      if (next == inside.end()) internal_error("no way to field " + path);
      text = fmt::format("struct_extract({}, {})", text, quote_string(next->name));
      at = &*next;
    }
    return text;
  }
  throw Error(Code::kNotSupported,
              fmt::format("The table is partitioned or sorted by field {}, which it does not have",
                          source_id));
}

std::string order_by(const lake::TableMetadata& table) {
  std::string text;
  for (const auto& field : table.sort_order().fields) {
    if (field.transform.kind != lake::TransformKind::kIdentity) continue;
    text += fmt::format("{}{} {} NULLS {}", text.empty() ? " ORDER BY " : ", ",
                        source_column(table, field.source_id),
                        field.direction == lake::SortDirection::kAscending ? "ASC" : "DESC",
                        field.nulls == lake::NullOrder::kFirst ? "FIRST" : "LAST");
  }
  return text;
}

/// The select list of the COPY: the table's columns in its types, then what it is partitioned by.
std::string select_list(const lake::TableMetadata& table,
                        const std::vector<std::string>& partition) {
  std::string text;
  const auto& fields = table.schema().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string type = duck_type(fields[i].type).ToString();
    std::string value = fmt::format("CAST(c{} AS {})", i, type);
    if (fields[i].required) {
      value = fmt::format("CASE WHEN c{} IS NULL THEN {} ELSE {} END", i,
                          refuse_null_call(fields[i].name), value);
    }
    text += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_ident(fields[i].name));
  }
  for (size_t i = 0; i < partition.size(); ++i) {
    const auto& field = table.spec().fields[i];
    // The column of a void field may be gone.
    const std::string value =
        field.transform.kind == lake::TransformKind::kVoid
            ? "CAST(NULL AS VARCHAR)"
            : partition_call(field.transform, source_column(table, field.source_id));
    text += ", " + value + " AS " + quote_ident(partition[i]);
  }
  return text;
}

/// "a"."b""c" → a, b"c.
std::vector<std::string> path_parts(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '"') continue;
    std::string part;
    for (++at; at < text.size(); ++at) {
      if (text[at] != '"') {
        part += text[at];
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        part += '"';
        ++at;
      } else {
        break;
      }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

struct Place {
  const lake::Field* field = nullptr;
  bool repeated = false;  // inside a list or map
};

Place find_place(const lake::Schema& schema, const std::vector<std::string>& parts) {
  Place place;
  const std::vector<lake::Field>* in = &schema.fields;
  for (const auto& part : parts) {
    if (place.field && place.field->type.kind != TypeKind::kStruct) place.repeated = true;
    const auto found =
        std::find_if(in->begin(), in->end(), [&](const lake::Field& f) { return f.name == part; });
    if (found == in->end()) return {};
    place.field = &*found;
    in = &found->type.fields;
  }
  return place;
}

using Texts = std::map<std::string, std::optional<std::string>>;

Texts texts_of(const duckdb::Value& map) {
  Texts texts;
  if (map.IsNull()) return texts;
  for (const auto& entry : duckdb::MapValue::GetChildren(map)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    texts[pair[0].ToString()] = pair[1].IsNull() ? std::nullopt : std::optional(pair[1].ToString());
  }
  return texts;
}

int64_t number_in(const Texts& texts, const char* key) {
  const auto found = texts.find(key);
  return found == texts.end() || !found->second ? -1 : std::stoll(*found->second);
}

/// Zeros of either sign may stand for the other.
void widen_zero(lake::Value& value, double zero) {
  if (auto* number = std::get_if<double>(&value); number && *number == 0) *number = zero;
}

lake::ColumnStatistics statistics_of(const Place& place, const Texts& texts) {
  lake::ColumnStatistics known;
  known.id = place.field->id;
  known.size = number_in(texts, "column_size_bytes");
  known.values = number_in(texts, "num_values");
  known.nulls = number_in(texts, "null_count");
  const auto nan = texts.find("has_nan");
  if (nan != texts.end() && nan->second == "false") known.nans = 0;
  if (place.repeated) return known;
  const auto min = texts.find("min"), max = texts.find("max");
  const auto& type = place.field->type;
  if (min != texts.end() && min->second)
    known.min = value_of_statistics(type, *min->second).value_or(lake::Value());
  if (max != texts.end() && max->second)
    known.max = value_of_statistics(type, *max->second).value_or(lake::Value());
  widen_zero(known.min, -0.0);
  widen_zero(known.max, 0.0);
  return known;
}

void add_statistics(lake::DataFile& file, const lake::TableMetadata& table,
                    const duckdb::Value& columns) {
  if (columns.IsNull()) return;
  for (const auto& entry : duckdb::MapValue::GetChildren(columns)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    const Place place = find_place(table.schema(), path_parts(pair[0].ToString()));
    if (!place.field || place.field->type.nested()) continue;
    const auto mode = lake::metrics_mode(table.properties, table.schema(), place.field->id);
    lake::add_metrics(file.metrics, place.field->type, statistics_of(place, texts_of(pair[1])),
                      mode);
  }
}

std::vector<lake::Value> partition_of(const lake::TableMetadata& table,
                                      const std::vector<std::string>& columns,
                                      const duckdb::Value& keys) {
  const Texts texts = texts_of(keys);
  std::vector<lake::Value> values;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& field = table.spec().fields[i];
    const auto* source = lake::find_field(table.schema(), field.source_id);
    const auto found = texts.find(columns[i]);
    if (found == texts.end()) internal_error("COPY does not tell partition " + columns[i]);
    values.push_back(found->second && source
                         ? partition_value(field.transform, source->type, *found->second)
                         : lake::Value());
  }
  return values;
}

/// What statistics tell of a column that holds one value.
lake::Value only_value(const lake::Field& field, const Texts& texts) {
  const auto nulls = number_in(texts, "null_count");
  if (nulls > 0 && nulls == number_in(texts, "num_values")) return {};
  const auto min = texts.find("min"), max = texts.find("max");
  if (min == texts.end() || max == texts.end() || !min->second || min->second != max->second)
    internal_error("column " + field.name + " was to hold one value");
  const auto value = value_of_statistics(field.type, *min->second);
  if (!value) internal_error("no value of column " + field.name + ": " + *min->second);
  return *value;
}

/// The partition of a file whose source columns hold one value each, from its statistics.
std::vector<lake::Value> partition_of_constants(const lake::TableMetadata& table,
                                                const duckdb::Value& columns) {
  std::map<int, Texts> statistics;
  for (const auto& entry : duckdb::MapValue::GetChildren(columns)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    const Place place = find_place(table.schema(), path_parts(pair[0].ToString()));
    if (place.field) statistics[place.field->id] = texts_of(pair[1]);
  }
  std::vector<lake::Value> values;
  for (const auto& field : table.spec().fields) {
    if (field.transform.kind == lake::TransformKind::kVoid) {
      values.emplace_back();
      continue;
    }
    const auto& source = *lake::find_field(table.schema(), field.source_id);
    values.push_back(lake::apply_transform(field.transform, source.type,
                                           only_value(source, statistics.at(source.id))));
  }
  return values;
}

/// Whether all that the table is partitioned by is constant, of types whose statistics are exact.
bool one_partition(const lake::TableMetadata& table, const std::set<size_t>& constant) {
  static const std::set<TypeKind> kExact = {TypeKind::kInt, TypeKind::kLong, TypeKind::kDate,
                                            TypeKind::kTimestamp, TypeKind::kTimestampTz};
  const auto& fields = table.schema().fields;
  return std::ranges::all_of(table.spec().fields, [&](const lake::PartitionField& field) {
    if (field.transform.kind == lake::TransformKind::kVoid) return true;
    const auto at = std::ranges::find(fields, field.source_id, &lake::Field::id);
    return at != fields.end() && kExact.contains(at->type.kind) &&
           constant.contains(static_cast<size_t>(at - fields.begin()));
  });
}

/// Removes everything below `place` that carries the statement's id in its name.
void sweep(const lake::Files& files, const std::string& place, const std::string& id) {
  try {
    const auto at = lake::parse_path(place);
    objects::ListOptions wanted;
    wanted.prefix = at.key + "/";
    std::vector<std::string> found;
    while (true) {
      const auto page = files.store().list(at.bucket, wanted);
      for (const auto& object : page.objects) {
        if (object.key.find(id) != std::string::npos)
          found.push_back("s3://" + at.bucket + "/" + object.key);
      }
      if (!page.truncated) break;
      wanted.after = page.next;
    }
    files.remove(found);
  } catch (const std::exception& error) {
    log::warn("files of a failed statement stay", {{"place", place}, {"error", error.what()}});
  }
}

/// Runs a COPY whose files carry `id`, and reads what it says of each file it wrote.
WrittenFiles copy(const lake::Files& files, const std::string& place, const std::string& id,
                  const sql::Printed& text, const RunDuck& run,
                  const std::function<lake::NewFile(const duckdb::vector<duckdb::Value>&)>& read) {
  WrittenFiles written;
  std::vector<std::string> empty;
  try {
    const auto result = run(text);
    for (size_t row = 0; row < result->RowCount(); ++row) {
      duckdb::vector<duckdb::Value> cells;
      for (size_t i = 0; i < result->ColumnCount(); ++i) cells.push_back(result->GetValue(i, row));
      auto file = read(cells);
      file.file.path = cells.at(0).ToString();
      file.file.records = cells.at(1).GetValue<int64_t>();
      file.file.bytes = cells.at(2).GetValue<int64_t>();
      if (file.file.records == 0) {
        empty.push_back(file.file.path);
        continue;
      }
      written.rows += file.file.records;
      written.files.push_back(std::move(file));
    }
    files.remove(empty);
  } catch (...) {
    sweep(files, place, id);
    throw;
  }
  return written;
}

/// Moves what a COPY wrote to where the table's layout wants it.
void lay_out(const lake::FileLayout& layout, const lake::Files& files, const std::string& place,
             const std::string& id, WrittenFiles& written) {
  try {
    int number = 0;
    std::vector<std::string> moved;
    for (auto& file : written.files) {
      const std::string name = fmt::format("{}-{:05}", id, number++);
      const std::string path = place + '/' + layout.path(file.file.partition, name) + ".parquet";
      files.check(path);
      const auto from = lake::parse_path(file.file.path), to = lake::parse_path(path);
      files.store().copy(from.bucket, from.key, {}, to.bucket, to.key, std::nullopt, {},
                         {.if_match = std::nullopt, .if_none_match = "*"});
      moved.push_back(std::exchange(file.file.path, path));
    }
    files.remove(moved);
  } catch (...) {
    sweep(files, place, id);
    throw;
  }
}

bool has_fixed(const std::vector<lake::Field>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const lake::Field& field) {
    return field.type.kind == TypeKind::kFixed || has_fixed(field.type.fields);
  });
}

}  // namespace

sql::Printed around(const std::string& before, sql::Printed text, const std::string& after) {
  for (auto& [offset, position] : text.map) offset += before.size();
  text.text = before + text.text + after;
  return text;
}

void check_writable(const lake::TableMetadata& table) {
  if (const auto* format = property(table, "write.format.default");
      format && lower_case(*format) != "parquet") {
    throw Error(Code::kNotSupported, "Tables of format " + *format + " cannot be written")
        .with_hint("ALTER TABLE … SET PROPERTIES format = 'PARQUET'");
  }
  if (has_fixed(table.schema().fields)) {
    throw Error(Code::kNotSupported,
                "Tables with columns of the Iceberg type fixed cannot be written");
  }
  for (const auto& field : table.spec().fields) {
    if (field.transform.kind != lake::TransformKind::kUnknown) continue;
    throw Error(Code::kNotSupported,
                "The table is partitioned by an unknown transform: " + field.transform.name);
  }
  lake::file_layout(table);
}

// Without Bloom filters: DuckDB asks them for the bytes of a BLOB as they are shown, and for one of
// the two zeros of a DOUBLE, and then passes over rows that are there.
WrittenFiles write_data(const lake::TableMetadata& table, const lake::Files& files,
                        const RowsToWrite& rows, const RunDuck& run) {
  check_writable(table);
  const bool single = !table.spec().fields.empty() && one_partition(table, rows.constant);
  const auto partition = single ? std::vector<std::string>() : partition_columns(table);
  const std::string place = data_location(table), id = base::random_uuid();
  const auto& fields = table.schema().fields;
  std::string names, ids, by;
  for (size_t i = 0; i < fields.size(); ++i) {
    names += fmt::format("{}c{}", i ? ", " : "", i);
    ids += (i ? ", " : "") + field_ids(fields[i]);
  }
  for (const auto& name : partition) by += (by.empty() ? "" : ", ") + quote_ident(name);
  const std::string order = order_by(table);
  const std::string where =
      by.empty() ? "FILE_SIZE_BYTES '512MB'"
                 : fmt::format("PARTITION_BY ({}), WRITE_PARTITION_COLUMNS false", by);
  const auto text =
      around(fmt::format("COPY (SELECT {} FROM (", select_list(table, partition)), rows.query,
             fmt::format(") AS q({}){}) TO {} (FORMAT parquet, COMPRESSION {}, FIELD_IDS {{{}}}, "
                         "WRITE_BLOOM_FILTER false, RETURN_STATS true, OVERWRITE_OR_IGNORE true, "
                         "FILENAME_PATTERN '{}-{{uuid}}', {})",
                         names, order, quote_string(place), compression(table), ids, id, where));
  const auto read = [&](const duckdb::vector<duckdb::Value>& cells) {
    lake::NewFile file;
    file.spec_id = table.default_spec_id;
    if (cells.at(1).GetValue<int64_t>() > 0) {
      file.file.partition = single ? partition_of_constants(table, cells.at(4))
                                   : partition_of(table, partition, cells.at(5));
    }
    if (!order.empty() && partition.empty()) file.file.sort_order_id = table.default_sort_order_id;
    add_statistics(file.file, table, cells.at(4));
    return file;
  };
  auto written = copy(files, place, id, text, run, read);
  if (const auto layout = lake::file_layout(table)) lay_out(*layout, files, place, id, written);
  return written;
}

WrittenFiles write_position_deletes(const lake::TableMetadata& table, const lake::Files& files,
                                    const std::string& query, int spec_id,
                                    std::vector<lake::Value> partition, const RunDuck& run) {
  // Field ids 2147483546 and 2147483545 are those of file_path and pos in the table spec.
  constexpr int kPathId = 2147483546, kPositionId = 2147483545;
  const std::string place = data_location(table), id = base::random_uuid();
  // Whoever reads laid out folders without the table passes over names that begin with _.
  const std::string file_name = fmt::format("{}/{}{}-deletes.parquet", place,
                                            lake::file_layout(table) ? "_deletes/" : "", id);
  sql::Printed text;
  text.text = fmt::format(
      "COPY (SELECT path AS file_path, position AS pos FROM ({}) AS q(path, position)) TO {} "
      "(FORMAT parquet, COMPRESSION {}, FIELD_IDS {{file_path: {}, pos: {}}}, RETURN_STATS true)",
      query, quote_string(file_name), compression(table), kPathId, kPositionId);
  return copy(files, place, id, text, run, [&](const duckdb::vector<duckdb::Value>& cells) {
    lake::NewFile file;
    file.spec_id = spec_id;
    file.file.content = lake::FileContent::kPositionDeletes;
    file.file.partition = partition;
    lake::Schema columns;
    columns.fields.push_back({kPathId, "file_path", lake::primitive_type(TypeKind::kString), true});
    columns.fields.push_back({kPositionId, "pos", lake::primitive_type(TypeKind::kLong), true});
    for (const auto& entry : duckdb::MapValue::GetChildren(cells.at(4))) {
      const auto& pair = duckdb::StructValue::GetChildren(entry);
      const Place found = find_place(columns, path_parts(pair[0].ToString()));
      if (!found.field) continue;
      // In full, so that readers can tell which data files are meant.
      lake::add_metrics(file.file.metrics, found.field->type,
                        statistics_of(found, texts_of(pair[1])),
                        {lake::MetricsMode::Kind::kFull, 0});
    }
    return file;
  });
}

void remove_written(const lake::Files& files, const WrittenFiles& written) {
  std::vector<std::string> paths;
  for (const auto& file : written.files) paths.push_back(file.file.path);
  try {
    files.remove(paths);
  } catch (const std::exception& error) {
    log::warn("files of a failed statement stay", {{"error", error.what()}});
  }
}

}  // namespace meesh::engine
