#include "dashboards/savers.h"

namespace meesh::dashboards {
namespace {

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "who saved what",
       {"CREATE TABLE dashboard_saves (dashboard TEXT NOT NULL, etag TEXT NOT NULL, saved_by TEXT "
        "NOT NULL, PRIMARY KEY (dashboard, etag))"}}};
  return all;
}

}  // namespace

Savers::Savers(meta::Database& database) : database_(database) {
  meta::migrate(database_, "dashboard_saves", migrations());
}

void Savers::saving(const std::string& dashboard, const std::string& etag,
                    const std::string& user) {
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO dashboard_saves (dashboard, etag, saved_by) VALUES (:dashboard, :etag, "
           ":saved_by) ON CONFLICT (dashboard, etag) DO UPDATE SET saved_by = excluded.saved_by",
        soci::use(dashboard), soci::use(etag), soci::use(user);
  });
}

std::string Savers::user_of(const Dashboard& dashboard) {
  std::string user;
  database_.read([&](soci::session& sql) {
    user.clear();
    sql << "SELECT saved_by FROM dashboard_saves WHERE dashboard = :dashboard AND etag = :etag",
        soci::use(dashboard.name), soci::use(dashboard.etag), soci::into(user);
  });
  return user.empty() ? "meesh" : user;
}

}  // namespace meesh::dashboards
