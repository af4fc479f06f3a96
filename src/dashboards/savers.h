// Who saved a dashboard last through the API: alerts and reports ask with that user's rights. What
// was put into the mesh's folder by hand is the mesh's own, like its pipelines.
#pragma once

#include <string>

#include "dashboards/dashboard.h"
#include "meta/database.h"

namespace meesh::dashboards {

class Savers {
 public:
  /// Creates its table.
  explicit Savers(meta::Database& database);

  /// Before the file is replaced, so that nobody's text ever runs as somebody else's.
  void saving(const std::string& dashboard, const std::string& etag, const std::string& user);
  /// "meesh" for a file that nobody saved here.
  std::string user_of(const Dashboard& dashboard);

 private:
  meta::Database& database_;
};

}  // namespace meesh::dashboards
