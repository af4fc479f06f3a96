#include "ingest/airbyte/stream_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "ingest/airbyte/messages.h"
#include "ingest/landing.h"

namespace meesh::ingest {
namespace {

namespace json = boost::json;
using sql::Type;
using sql::TypeKind;

/// Lake columns of times hold microseconds.
constexpr int kDigits = 6;
/// A whole number of any size.
constexpr int kBigDigits = 38;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// What "type" allows, without "null"; of oneOf and anyOf, what all the forms allow.
std::set<std::string> types_of(const json::object& schema) {
  std::set<std::string> types;
  const auto* type = schema.if_contains("type");
  if (type && type->is_string()) types.emplace(type->as_string());
  if (type && type->is_array())
    for (const auto& one : type->as_array())
      if (one.is_string()) types.emplace(one.as_string());
  for (const char* key : {"oneOf", "anyOf"}) {
    const auto* forms = schema.if_contains(key);
    if (!forms || !forms->is_array()) continue;
    for (const auto& form : forms->as_array())
      if (form.is_object()) types.merge(types_of(form.as_object()));
  }
  types.erase("null");
  return types;
}

Type text_type(const json::object& schema, std::string& note) {
  const std::string format = text_of(schema, "format"), own = text_of(schema, "airbyte_type");
  if (format == "date") return Type::of(TypeKind::kDate);
  if (format == "date-time" || own.starts_with("timestamp_")) {
    const bool plain = own == "timestamp_without_timezone";
    return Type::of(plain ? TypeKind::kTimestamp : TypeKind::kTimestampTz, kDigits);
  }
  if (own == "time_without_timezone") return Type::of(TypeKind::kTime, kDigits);
  if (own == "big_integer") return Type::decimal(kBigDigits, 0);
  if (own == "big_number") note = "big_number is kept as varchar";
  if (text_of(schema, "contentEncoding") == "base64") return Type::of(TypeKind::kVarbinary);
  return Type::varchar();
}

Type column_type(const json::object& schema, std::string& note) {
  const auto types = types_of(schema);
  const std::string own = text_of(schema, "airbyte_type");
  if (types == std::set<std::string>{"integer", "number"}) return Type::of(TypeKind::kDouble);
  if (types.size() != 1) {
    if (types.size() > 1) note = "values of several types are kept as varchar";
    return Type::varchar();
  }
  const std::string& type = *types.begin();
  if (type == "boolean") return Type::of(TypeKind::kBoolean);
  if (type == "integer" || (type == "number" && own == "integer")) {
    return own == "big_integer" ? Type::decimal(kBigDigits, 0) : Type::of(TypeKind::kBigint);
  }
  if (type == "number") return Type::of(TypeKind::kDouble);
  if (type == "string") return text_type(schema, note);
  note = fmt::format("{} is kept as JSON in a varchar", type);
  return Type::varchar();
}

std::vector<std::string> texts_of(const json::value* list) {
  std::vector<std::string> texts;
  if (list && list->is_array())
    for (const auto& one : list->as_array())
      if (one.is_string()) texts.emplace_back(one.as_string());
  return texts;
}

ConnectorStream read_stream(const json::object& described) {
  ConnectorStream stream;
  stream.name = text_of(described, "name");
  if (stream.name.empty())
    throw Error(Code::kBadRequest, "the catalog has a stream without a name");
  stream.name_space = text_of(described, "namespace");
  stream.schema = object_of(described, "json_schema");
  stream.described = described;
  stream.columns = columns_of_schema(stream.schema, stream.notes);
  const auto modes = texts_of(described.if_contains("supported_sync_modes"));
  stream.incremental = std::ranges::count(modes, "incremental") > 0;
  stream.full_refresh = modes.empty() || std::ranges::count(modes, "full_refresh") > 0;
  const auto* own = described.if_contains("source_defined_cursor");
  stream.own_cursor = own && own->is_bool() && own->as_bool();
  stream.cursor = texts_of(described.if_contains("default_cursor_field"));
  const auto* key = described.if_contains("source_defined_primary_key");
  if (key && key->is_array())
    for (const auto& path : key->as_array()) stream.key.push_back(texts_of(&path));
  return stream;
}

/// The column that a top-level member became; "" if the path goes deeper.
std::string column_of(const ConnectorStream& stream, const std::vector<std::string>& path) {
  if (path.size() != 1) return "";
  const auto found = std::ranges::find(stream.columns, path, &DecodedColumn::path);
  return found == stream.columns.end() ? "" : found->name;
}

const DecodedColumn& column_called(const ConnectorStream& stream, const std::string& name,
                                   const char* what) {
  const auto found = std::ranges::find(stream.columns, name, &DecodedColumn::name);
  if (found != stream.columns.end()) return *found;
  throw Error(Code::kConfigInvalid,
              fmt::format("{} '{}' is no column of the stream '{}'", what, name, stream.name));
}

json::array json_texts(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

/// [["id"]]: as configured, else as the connector says.
json::array primary_key(const ConnectorStream& stream, const TableConfig& table) {
  json::array key;
  for (const auto& name : table.key)
    key.push_back(json_texts(column_called(stream, name, "the key").path));
  if (table.key.empty())
    for (const auto& path : stream.key) key.push_back(json_texts(path));
  return key;
}

json::array cursor_field(const ConnectorStream& stream, const TableConfig& table) {
  if (stream.own_cursor || table.cursor.empty()) return json_texts(stream.cursor);
  return json_texts(column_called(stream, table.cursor, "the cursor").path);
}

}  // namespace

std::string table_of(const std::string& stream) {
  std::string name;
  for (const char c : lower(stream)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "stream_");
  while (name.ends_with('_')) name.pop_back();
  return name;
}

std::vector<DecodedColumn> columns_of_schema(const json::object& schema,
                                             std::vector<std::string>& notes) {
  std::vector<DecodedColumn> columns;
  // Names that every landed row has already.
  std::set<std::string> taken = {kTimestampColumn, kSourceColumn, kDateColumn};
  for (const auto& [name, described] : object_of(schema, "properties")) {
    std::string note;
    DecodedColumn column;
    column.type = column_type(described.is_object() ? described.as_object() : json::object(), note);
    column.path = {std::string(name)};
    column.name = lower(name);
    for (int n = 2; !taken.insert(column.name).second; ++n)
      column.name = fmt::format("{}_{}", lower(name), n);
    columns.push_back(std::move(column));
    notes.push_back(std::move(note));
  }
  return columns;
}

std::vector<ConnectorStream> read_catalog(const json::object& catalog) {
  const auto* streams = catalog.if_contains("streams");
  if (!streams || !streams->is_array())
    throw Error(Code::kBadRequest, "the catalog has no list of streams");
  std::vector<ConnectorStream> all;
  std::map<std::string, int> namesakes;
  for (const auto& one : streams->as_array()) {
    if (!one.is_object()) throw Error(Code::kBadRequest, "a stream of the catalog is no object");
    all.push_back(read_stream(one.as_object()));
    ++namesakes[table_of(all.back().name)];
  }
  std::set<std::string> taken;
  for (auto& stream : all) {
    std::string name = table_of(stream.name);
    if (namesakes[name] > 1 && !stream.name_space.empty())
      name = table_of(stream.name_space + "_" + stream.name);
    stream.table = name;
    for (int n = 2; !taken.insert(stream.table).second; ++n)
      stream.table = fmt::format("{}_{}", name, n);
  }
  return all;
}

Stream stream_of(const ConnectorStream& stream, const std::string& source,
                 const std::string& connector) {
  Stream out;
  out.name = stream.table;
  out.origin = source + "." + out.name;
  out.address = "airbyte://" + connector + "/" + stream.name;
  for (size_t i = 0; i < stream.columns.size(); ++i) {
    const auto& column = stream.columns[i];
    std::string note = stream.notes[i];
    if (column.name != column.path[0])
      note =
          fmt::format("'{}' of the connector{}{}", column.path[0], note.empty() ? "" : "; ", note);
    out.columns.push_back({column.name, column.type, note});
  }
  for (const auto& path : stream.key) {
    const std::string column = column_of(stream, path);
    if (!column.empty()) out.key.push_back(column);
  }
  if (out.key.size() != stream.key.size()) out.key.clear();
  if (stream.incremental) {
    const std::string cursor = column_of(stream, stream.cursor);
    if (!cursor.empty()) out.cursors.push_back(cursor);
  }
  if (stream.columns.empty())
    out.notes.emplace_back("the connector names no columns of it: nothing can be taken");
  return out;
}

json::object configured_catalog(const ConnectorStream& stream, const TableConfig& table) {
  const bool incremental = table.mode == Mode::kIncremental;
  if (incremental && !stream.incremental) {
    throw Error(Code::kConfigInvalid,
                fmt::format("the stream '{}' cannot be read incrementally", stream.name))
        .with_hint("mode: full_refresh");
  }
  const auto cursor = cursor_field(stream, table);
  if (incremental && cursor.empty() && !stream.own_cursor) {
    throw Error(Code::kConfigInvalid,
                fmt::format("the stream '{}' needs a cursor to be read incrementally", stream.name))
        .with_hint("cursor: the column that tells what is new");
  }
  json::object configured{
      {"stream", stream.described},
      {"sync_mode", incremental ? "incremental" : "full_refresh"},
      {"destination_sync_mode",
       incremental ? table.write == Write::kAppend ? "append" : "append_dedup" : "overwrite"},
      {"cursor_field", cursor},
      {"primary_key", primary_key(stream, table)}};
  return {{"streams", json::array{std::move(configured)}}};
}

}  // namespace meesh::ingest
