#include "governance/catalogue_tables.h"

#include <fmt/format.h>

#include <map>

#include "engine/ask.h"

namespace meesh::governance {
namespace {

constexpr const char* kOwnSchemas = "('information_schema', 'pg_catalog', 'pg_toast')";

engine::Session session() {
  engine::Session session;
  session.user = session.original_user = "meesh";
  session.source = "catalogue";
  return session;
}

}  // namespace

std::vector<TableFact> tables_of(engine::Engine& engine, const std::string& catalog,
                                 std::stop_token stop) {
  const auto ask = [&](const char* wanted, const char* table) {
    return engine::ask(engine,
                       fmt::format("SELECT {} FROM {}.information_schema.{} WHERE table_schema NOT "
                                   "IN {}",
                                   wanted, engine::quote_name(catalog), table, kOwnSchemas),
                       session(), stop);
  };
  std::vector<TableFact> tables;
  std::map<std::string, size_t> places;
  for (const auto& row :
       ask("table_schema, table_name, table_type, table_comment", "tables").rows) {
    TableFact fact;
    fact.name = fmt::format("{}.{}.{}", catalog, row.at(0).value_or(""), row.at(1).value_or(""));
    fact.kind = row.at(2) == "VIEW" ? "view" : "table";
    fact.comment = row.at(3).value_or("");
    places[fact.name] = tables.size();
    tables.push_back(std::move(fact));
  }
  for (const auto& row :
       ask("table_schema, table_name, column_name, data_type, comment", "columns").rows) {
    const auto place = places.find(
        fmt::format("{}.{}.{}", catalog, row.at(0).value_or(""), row.at(1).value_or("")));
    if (place == places.end()) continue;
    tables[place->second].columns.push_back(
        {row.at(2).value_or(""), row.at(3).value_or(""), row.at(4).value_or("")});
  }
  return tables;
}

}  // namespace meesh::governance
