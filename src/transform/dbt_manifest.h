// What a dbt project is made of, out of dbt's manifest.json (schema versions 9 to 12).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::transform {

struct DbtNode {
  std::string id;             // "model.datamesh.mart_customer_360"
  std::string resource_type;  // model, seed, snapshot, test, unit_test, source, exposure, operation
  std::string name;
  /// catalog.schema.table in lower case, unquoted; "" for what makes no table (tests, exposures,
  /// ephemeral models).
  std::string relation;
  std::string materialized;             // view, table, incremental, materialized_view, ephemeral …
  std::vector<std::string> depends_on;  // ids
  std::string file;                     // relative to the project
  std::string description;
  std::vector<std::string> tags;
  std::vector<std::string> columns;  // that are described
  std::vector<std::string> checks;   // ids of the tests that look at it
};

/// In the manifest's order. Throws GENERIC_USER_ERROR if the text is no manifest.
std::vector<DbtNode> read_manifest(std::string_view json);

/// The tables that a node reads, through ephemeral models; catalog.schema.table, each once.
std::vector<std::string> tables_read(const std::vector<DbtNode>& nodes, const DbtNode& node);

}  // namespace meesh::transform
