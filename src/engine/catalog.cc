#include "engine/catalog.h"

namespace meesh::engine {

std::string source_tag(const std::string& query_id) { return "/* " + query_id + " */ "; }

std::vector<sql::TableInfo> Catalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> found;
  std::vector<std::string> wanted;
  if (schema.empty()) {
    wanted = schemas();
  } else if (schema_exists(schema)) {
    wanted = {schema};
  }
  for (const auto& s : wanted) {
    for (const auto& t : tables(s)) {
      // A table that went between the two calls is simply not there.
      if (auto info = table(s, t)) found.push_back(std::move(*info));
    }
  }
  return found;
}

std::optional<sql::TableInfo> Catalog::table_as_of(const std::string&, const std::string&, bool,
                                                   const duckdb::Value&) {
  throw Error(Code::kNotSupported, "This connector does not support versioned tables");
}

std::optional<int64_t> Catalog::run(ChangeStatement&) {
  internal_error("a catalog is asked for changes that it does not run");
}

void Catalog::create_view(const sql::TableInfo&, bool) {
  // dbt shows the message alone.
  throw Error(Code::kNotSupported,
              "This connector does not support creating views: make a table (in dbt materialized: "
              "table or ephemeral, and views_enabled: false for incremental models)");
}

void Catalog::drop_view(const std::string&, const std::string&) {
  throw Error(Code::kNotSupported, "This connector does not support dropping views");
}

void Catalog::rename_view(const std::string&, const std::string&, const std::string&,
                          const std::string&) {
  throw Error(Code::kNotSupported, "This connector does not support renaming views");
}

void Catalog::create_routine(const std::string&, const std::string&, const std::string&, bool) {
  throw Error(Code::kNotSupported, "This connector does not support creating functions");
}

void Catalog::drop_routine(const std::string&, const std::string&) {
  throw Error(Code::kNotSupported, "This connector does not support dropping functions");
}

void Catalog::rename_schema(const std::string&, const std::string&) {
  throw Error(Code::kNotSupported, "This connector does not support renaming schemas");
}

void Catalog::set_comment(const std::string&, const std::string&, const std::string& column,
                          const std::optional<std::string>&) {
  throw Error(Code::kNotSupported, column.empty()
                                       ? "This connector does not support setting table comments"
                                       : "This connector does not support setting column comments");
}

}  // namespace meesh::engine
