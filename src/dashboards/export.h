// Dashboards as the provisioning files of Grafana and Superset, so that these work against the
// mesh.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dashboards/dashboard.h"
#include "dashboards/semantic.h"

namespace meesh::dashboards {

/// A PostgreSQL database of a domain.
struct ExportDatabase {
  std::string catalog, host, database, user;
  int port = 5432;
};

struct ExportOptions {
  std::string host = "localhost";  // of the mesh, as the other program reaches it
  int port = 8080;
  bool tls = false;
  std::string language = "en";
  std::vector<ExportDatabase> databases;
};

/// Files by their paths relative to the folder they go into.
using ExportFiles = std::map<std::string, std::string>;

/// provisioning/datasources/meesh.yaml (Trino, by the plugin trino-datasource, and PostgreSQL),
/// provisioning/dashboards/meesh.yaml and a JSON a dashboard. Kinds that Grafana does not have are
/// tables. Parameters become template variables.
ExportFiles export_grafana(const std::vector<Dashboard>& dashboards, const Models& models,
                           const ExportOptions& options);

/// metadata.yaml, databases/, datasets/, charts/ and dashboards/, as `superset import-dashboards`
/// takes them. Parameters have their defaults; conditions without a value are left out.
ExportFiles export_superset(const std::vector<Dashboard>& dashboards, const Models& models,
                            const ExportOptions& options);

}  // namespace meesh::dashboards
