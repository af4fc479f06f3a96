#include "serve/api/lake_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/log.h"
#include "lake/storage_tables.h"
#include "serve/api/json_api.h"
#include "serve/api/objects_rights.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;

/// One name of a lake; `lake` null: of the external tables.
struct Name {
  const lake::Catalog* lake = nullptr;
  std::string catalog, schema, table;
  bool view = false;

  std::string full() const { return catalog + "." + schema + "." + table; }
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return text;
}

/// A table that keeps the rows of a materialized view of this schema.
bool is_storage(const std::string& name, const std::vector<std::string>& views) {
  return lake::may_be_storage(name) && std::ranges::any_of(views, [&](const std::string& view) {
           return name.starts_with(view + "__storage");
         });
}

void add_names(const lake::Catalog& lake, std::vector<Name>& names) {
  const auto& catalog = lake.warehouse().name;
  for (const auto& space : lake.namespaces({})) {
    const auto views = lake.views(space);
    for (const auto& table : lake.tables(space))
      if (!is_storage(table, views)) names.push_back({&lake, catalog, space.back(), table, false});
    for (const auto& view : views) names.push_back({&lake, catalog, space.back(), view, true});
  }
}

std::vector<Name> all_names(const LakeTablesOptions& options) {
  std::vector<Name> names;
  for (const auto* lake : options.catalogs) add_names(*lake, names);
  if (options.external) {
    const auto& catalog = options.external->warehouse().name;
    for (const auto& schema : options.external->schemas())
      for (const auto& table : options.external->tables(schema))
        names.push_back({nullptr, catalog, schema, table, false});
  }
  std::ranges::sort(names, {}, &Name::full);
  return names;
}

/// Whether the asker may read what lies at "s3://bucket/folder".
bool may_read(ObjectsAsker& asker, const std::string& location) {
  const size_t scheme = location.find("://");
  if (scheme == std::string::npos) return !asker.identity();
  const std::string place = location.substr(scheme + 3);
  const size_t slash = std::min(place.find('/'), place.size());
  const std::string folder = slash < place.size() ? place.substr(slash + 1) : "";
  return asker.may("s3:GetObject", place.substr(0, slash),
                   folder.empty() || folder.ends_with('/') ? folder + "*" : folder + "/*");
}

/// A total of a snapshot's summary; nothing where the writer left it out.
void add_total(json::object& told, const char* name, const lake::Snapshot& snapshot,
               const std::string& key) {
  const auto found = snapshot.summary.find(key);
  if (found == snapshot.summary.end()) return;
  uint64_t value = 0;
  const char* last = found->second.data() + found->second.size();
  if (const auto [end, failed] = std::from_chars(found->second.data(), last, value);
      failed == std::errc{} && end == last)
    told[name] = value;
}

std::string field_text(const lake::Schema& schema, int source, const lake::Transform& transform) {
  const auto name = lake::field_name(schema, source);
  const auto text = lake::transform_name(transform);
  if (text == "identity") return name;
  const size_t bracket = text.find('[');  // bucket[16] is bucket(name, 16) in SQL
  if (bracket == std::string::npos) return fmt::format("{}({})", text, name);
  return fmt::format("{}({}, {})", text.substr(0, bracket), name,
                     text.substr(bracket + 1, text.size() - bracket - 2));
}

json::array partitioning(const lake::TableMetadata& table) {
  json::array told;
  for (const auto& field : table.spec().fields)
    if (field.transform.kind != lake::TransformKind::kVoid)
      told.push_back(json::string(field_text(table.schema(), field.source_id, field.transform)));
  return told;
}

json::array sorting(const lake::TableMetadata& table) {
  json::array told;
  for (const auto& field : table.sort_order().fields) {
    told.push_back(json::string(
        fmt::format("{} {} NULLS {}", field_text(table.schema(), field.source_id, field.transform),
                    field.direction == lake::SortDirection::kAscending ? "ASC" : "DESC",
                    field.nulls == lake::NullOrder::kFirst ? "FIRST" : "LAST")));
  }
  return told;
}

json::object names_json(const Name& name) {
  return {{"catalog", name.catalog}, {"schema", name.schema}, {"name", name.table}};
}

json::object iceberg_json(const Name& name, const lake::TableMetadata& table) {
  auto told = names_json(name);
  told["kind"] = "table";
  told["format"] = "iceberg";
  told["format_version"] = table.format_version;
  told["location"] = table.location;
  told["columns"] = table.schema().fields.size();
  told["snapshots"] = table.snapshots.size();
  told["updated_ms"] = table.last_updated_ms;
  told["partitioned_by"] = partitioning(table);
  if (const auto comment = table.properties.find("comment"); comment != table.properties.end())
    told["comment"] = comment->second;
  if (const auto* snapshot = table.current_snapshot()) {
    told["committed_ms"] = snapshot->timestamp_ms;
    add_total(told, "rows", *snapshot, "total-records");
    add_total(told, "bytes", *snapshot, "total-files-size");
    add_total(told, "files", *snapshot, "total-data-files");
  } else {
    told["rows"] = told["bytes"] = told["files"] = 0;
  }
  return told;
}

json::object external_json(const Name& name, const lake::ExternalTable& table) {
  auto told = names_json(name);
  told["kind"] = "table";
  told["format"] = lower(table.format);
  told["location"] = table.location;
  told["columns"] = table.columns.size();
  told["partitioned_by"] = json::array(table.partitioned_by.begin(), table.partitioned_by.end());
  if (!table.comment.empty()) told["comment"] = table.comment;
  return told;
}

/// Nothing for what the asker may not read, what is gone, and what cannot be read: one broken table
/// must not hide the others.
std::optional<json::object> listed(const LakeTablesOptions& options, ObjectsAsker& asker,
                                   const Name& name) {
  try {
    if (!name.lake) {
      const auto table = options.external->find(name.schema, name.table);
      if (!table || !may_read(asker, table->location)) return std::nullopt;
      return external_json(name, *table);
    }
    const lake::Identifier id{{name.schema}, name.table};
    if (name.view) {
      const auto view = name.lake->find_view(id);
      if (!view || !may_read(asker, view->metadata->location)) return std::nullopt;
      auto told = names_json(name);
      told["kind"] = "view";
      told["format"] = "iceberg";
      told["location"] = view->metadata->location;
      return told;
    }
    const auto table = name.lake->find(id);
    if (!table || !may_read(asker, table->metadata->location)) return std::nullopt;
    return iceberg_json(name, *table->metadata);
  } catch (const Error& error) {
    log::warn("a table is left out of a listing",
              {{"table", name.full()}, {"error", error.what()}});
    return std::nullopt;
  }
}

void list_tables(const LakeTablesOptions& options, const Request& request, Response& response) {
  const auto most = query_number(request, "limit", 1000, 1, 10'000);
  const auto catalog = query_text(request, "catalog"), schema = query_text(request, "schema"),
             search = lower(query_text(request, "search")), after = query_text(request, "cursor");
  ObjectsAsker asker(*options.store, *options.access, request);
  json::array tables;
  json::object told;
  std::string last;
  for (const auto& name : all_names(options)) {
    const auto full = name.full();
    if ((!after.empty() && full <= after) || (!catalog.empty() && name.catalog != catalog) ||
        (!schema.empty() && name.schema != schema) ||
        (!search.empty() && full.find(search) == std::string::npos))
      continue;
    auto one = listed(options, asker, name);
    if (!one) continue;
    if (tables.size() == most) {
      told["next"] = last;
      break;
    }
    tables.push_back(std::move(*one));
    last = full;
  }
  told["tables"] = std::move(tables);
  answer(response, told);
}

/// With dots for the fields of structs.
void add_columns(const std::vector<lake::Field>& fields, json::array& told) {
  for (const auto& field : fields) {
    json::object column{{"id", field.id},
                        {"name", field.name},
                        {"type", lake::type_name(field.type)},
                        {"required", field.required}};
    if (!field.doc.empty()) column["comment"] = field.doc;
    told.push_back(std::move(column));
  }
}

json::object snapshot_json(const lake::TableMetadata& table, const lake::Snapshot& snapshot) {
  json::object summary;
  for (const auto& [key, value] : snapshot.summary)
    if (key != "operation") summary[key] = value;
  json::array refs;
  for (const auto& [name, ref] : table.refs)
    if (ref.snapshot_id == snapshot.id) refs.push_back(json::string(name));
  json::object told{{"id", std::to_string(snapshot.id)},
                    {"committed_ms", snapshot.timestamp_ms},
                    {"current", table.current_snapshot_id == snapshot.id},
                    {"summary", std::move(summary)},
                    {"refs", std::move(refs)}};
  if (snapshot.parent_id) told["parent_id"] = std::to_string(*snapshot.parent_id);
  if (const auto found = snapshot.summary.find("operation"); found != snapshot.summary.end())
    told["operation"] = found->second;
  add_total(told, "rows", snapshot, "total-records");
  add_total(told, "bytes", snapshot, "total-files-size");
  add_total(told, "files", snapshot, "total-data-files");
  return told;
}

json::object whole_table(const Name& name, const lake::TableMetadata& table) {
  auto told = iceberg_json(name, table);
  json::array columns, snapshots, history;
  add_columns(table.schema().fields, columns);
  for (const auto& snapshot : table.snapshots) snapshots.push_back(snapshot_json(table, snapshot));
  for (const auto& entry : table.snapshot_log)
    history.push_back({{"made_current_ms", entry.timestamp_ms},
                       {"snapshot_id", std::to_string(entry.snapshot_id)}});
  json::object properties;
  for (const auto& [key, value] : table.properties) properties[key] = value;
  told["column_list"] = std::move(columns);
  told["snapshot_list"] = std::move(snapshots);
  told["history"] = std::move(history);
  told["properties"] = std::move(properties);
  told["sorted_by"] = sorting(table);
  return told;
}

json::object whole_external(const Name& name, const lake::ExternalTable& table) {
  auto told = external_json(name, table);
  json::array columns;
  for (const auto& column : table.columns) {
    json::object one{{"name", column.name}, {"type", column.type}, {"required", false}};
    if (!column.comment.empty()) one["comment"] = column.comment;
    columns.push_back(std::move(one));
  }
  json::object properties;
  for (const auto& [key, value] : table.properties) properties[key] = value;
  told["column_list"] = std::move(columns);
  told["properties"] = std::move(properties);
  return told;
}

/// The table asked for: nothing if there is none or the asker may not read it.
std::optional<json::object> found_table(const LakeTablesOptions& options, ObjectsAsker& asker,
                                        Name name) {
  if (options.external && name.catalog == options.external->warehouse().name) {
    const auto table = options.external->find(name.schema, name.table);
    if (!table || !may_read(asker, table->location)) return std::nullopt;
    return whole_external(name, *table);
  }
  for (const auto* lake : options.catalogs) {
    if (lake->warehouse().name != name.catalog) continue;
    name.lake = lake;
    const lake::Identifier id{{name.schema}, name.table};
    if (const auto table = lake->find(id)) {
      if (!may_read(asker, table->metadata->location)) return std::nullopt;
      return whole_table(name, *table->metadata);
    }
    name.view = true;
    return listed(options, asker, name);
  }
  return std::nullopt;
}

void tell_table(const LakeTablesOptions& options, const Request& request, Response& response) {
  ObjectsAsker asker(*options.store, *options.access, request);
  Name name;
  name.catalog = request.param("catalog");
  name.schema = request.param("schema");
  name.table = request.param("table");
  auto told = found_table(options, asker, name);
  if (!told)
    throw Error(Code::kTableNotFound,
                fmt::format("there is no table {} in a lake that you may read", name.full()));
  answer(response, *told);
}

}  // namespace

void register_lake_tables(net::Server& server, const LakeTablesOptions& options) {
  const std::string tables = "/api/v1/lake/tables";
  server.route("GET", tables, guarded([options](Request& request, Response& response) {
                 list_tables(options, request, response);
               }));
  server.route("GET", tables + "/{catalog}/{schema}/{table}",
               guarded([options](Request& request, Response& response) {
                 tell_table(options, request, response);
               }));
}

}  // namespace meesh::serve::api
