// checks/*.yaml and contracts/*.yaml as suites.
#include <fmt/format.h>

#include "quality/contract.h"
#include "quality/quality.h"

namespace meesh::quality {
namespace {

std::string plain_name(std::string_view quoted) {
  std::string name;
  for (const char c : quoted)
    if (c != '"') name += c;
  return name;
}

}  // namespace

base::Shape checks_file_shape() {
  base::Shape tables =
      base::list("Tables and their checks.",
                 base::object("", {base::required("table", base::text("catalog.schema.table")),
                                   base::required("checks", checks_shape())}));
  return base::object("Checks of tables that no pipeline makes.",
                      {base::required("tables", std::move(tables))});
}

std::vector<Suite> load_suites(mesh::MeshFiles& files, const mesh::Mesh& mesh) {
  std::vector<Suite> suites;
  for (const auto& file : files.list("checks", ".yaml")) {
    const auto document = files.read(file, checks_file_shape());
    if (!document) continue;
    for (const auto& item : document->root.find("tables")->items) {
      const yaml::Node& table = *item.find("table");
      const auto sql = table_sql(table.text);
      if (!sql)
        files.problems().push_back(
            document
                ->error(Code::kConfigInvalid, fmt::format("'{}' is no name of a table", table.text),
                        table.line, table.column)
                .with_hint("write catalog.schema.table"));
      suites.push_back({file.string(), plain_name(sql.value_or("")),
                        parse_checks(*document, *item.find("checks"), files.problems())});
    }
  }
  for (const auto& file : files.list("contracts", ".yaml")) {
    if (auto contract = load_contract(files, file, mesh))
      for (auto& suite : contract->suites) suites.push_back(std::move(suite));
  }
  return suites;
}

}  // namespace meesh::quality
