#include "serve/api/sql_store.h"

#include <cctype>

namespace meesh::serve::api {
namespace {

constexpr int64_t kNewest = INT64_MAX;

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "saved queries and past statements",
       {"CREATE TABLE sql_saved (id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT "
        "NULL, description TEXT NOT NULL, statement TEXT NOT NULL, catalog_name TEXT NOT NULL, "
        "schema_name TEXT NOT NULL, everyone BIGINT NOT NULL, created_ms BIGINT NOT NULL, "
        "updated_ms BIGINT NOT NULL)",
        "CREATE INDEX sql_saved_time ON sql_saved (updated_ms, id)",
        "CREATE TABLE sql_history (id TEXT NOT NULL PRIMARY KEY, who TEXT NOT NULL, source TEXT "
        "NOT NULL, catalog_name TEXT NOT NULL, schema_name TEXT NOT NULL, statement TEXT NOT NULL, "
        "state TEXT NOT NULL, started_ms BIGINT NOT NULL, elapsed_ms BIGINT NOT NULL, row_count "
        "BIGINT NOT NULL, error TEXT NOT NULL, error_code TEXT NOT NULL)",
        "CREATE INDEX sql_history_time ON sql_history (started_ms, id)",
        "CREATE INDEX sql_history_who ON sql_history (who, started_ms, id)"}}};
  return all;
}

/// What LIKE matches everything with that holds `text`, in lower case.
std::string holding(const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return pattern + "%";
}

SavedQuery saved_of(const soci::row& row) {
  SavedQuery query;
  query.id = row.get<std::string>(0);
  query.owner = row.get<std::string>(1);
  query.name = row.get<std::string>(2);
  query.description = row.get<std::string>(3);
  query.statement = row.get<std::string>(4);
  query.catalog = row.get<std::string>(5);
  query.schema = row.get<std::string>(6);
  query.everyone = row.get<long long>(7) != 0;
  query.created_ms = row.get<long long>(8);
  query.updated_ms = row.get<long long>(9);
  return query;
}

PastStatement past_of(const soci::row& row) {
  PastStatement past;
  past.id = row.get<std::string>(0);
  past.user = row.get<std::string>(1);
  past.source = row.get<std::string>(2);
  past.catalog = row.get<std::string>(3);
  past.schema = row.get<std::string>(4);
  past.statement = row.get<std::string>(5);
  past.state = row.get<std::string>(6);
  past.started_ms = row.get<long long>(7);
  past.elapsed_ms = row.get<long long>(8);
  past.rows = static_cast<uint64_t>(row.get<long long>(9));
  past.error = row.get<std::string>(10);
  past.error_code = row.get<std::string>(11);
  return past;
}

constexpr const char* kSavedColumns =
    "id, owner, name, description, statement, catalog_name, schema_name, everyone, created_ms, "
    "updated_ms";

void insert(soci::session& sql, const PastStatement& past) {
  const long long started = past.started_ms, elapsed = past.elapsed_ms;
  const auto rows = static_cast<long long>(past.rows);
  sql << "INSERT INTO sql_history (id, who, source, catalog_name, schema_name, statement, state, "
         "started_ms, elapsed_ms, row_count, error, error_code) VALUES (:id, :who, :source, "
         ":catalog, :schema, :statement, :state, :started, :elapsed, :rows, :error, :code) ON "
         "CONFLICT (id) DO NOTHING",
      soci::use(past.id), soci::use(past.user), soci::use(past.source), soci::use(past.catalog),
      soci::use(past.schema), soci::use(past.statement), soci::use(past.state), soci::use(started),
      soci::use(elapsed), soci::use(rows), soci::use(past.error), soci::use(past.error_code);
}

}  // namespace

SqlStore::SqlStore(meta::Database& database) : database_(database) {
  meta::migrate(database_, "sql_lab", migrations());
}

std::vector<SavedQuery> SqlStore::saved(const std::string& user, const std::string& search,
                                        const std::optional<Behind>& behind, int limit) const {
  const std::string pattern = holding(search), id = behind ? behind->id : "";
  const long long time = behind ? behind->time_ms : kNewest;
  std::vector<SavedQuery> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare
             << std::string("SELECT ") + kSavedColumns +
                    " FROM sql_saved WHERE (owner = :owner OR everyone = 1) AND (lower(name) LIKE "
                    ":name ESCAPE '!' OR lower(statement) LIKE :text ESCAPE '!') AND (updated_ms < "
                    ":time OR (updated_ms = :same AND id < :id)) ORDER BY updated_ms DESC, id DESC "
                    "LIMIT :most",
         soci::use(user), soci::use(pattern), soci::use(pattern), soci::use(time), soci::use(time),
         soci::use(id), soci::use(limit));
    for (const auto& row : rows) found.push_back(saved_of(row));
  });
  return found;
}

std::vector<SavedQuery> SqlStore::for_everyone(int limit) const {
  std::vector<SavedQuery> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << std::string("SELECT ") + kSavedColumns +
                            " FROM sql_saved WHERE everyone = 1 ORDER BY updated_ms DESC, id DESC "
                            "LIMIT :most",
         soci::use(limit));
    for (const auto& row : rows) found.push_back(saved_of(row));
  });
  return found;
}

std::optional<SavedQuery> SqlStore::find(const std::string& id) const {
  std::optional<SavedQuery> found;
  database_.read([&](soci::session& sql) {
    found.reset();
    soci::row row;
    sql << std::string("SELECT ") + kSavedColumns + " FROM sql_saved WHERE id = :id", soci::use(id),
        soci::into(row);
    if (sql.got_data()) found = saved_of(row);
  });
  return found;
}

void SqlStore::add(const SavedQuery& query) {
  const long long everyone = query.everyone ? 1 : 0;
  const long long created = query.created_ms, updated = query.updated_ms;
  database_.write([&](soci::session& sql) {
    sql << std::string("INSERT INTO sql_saved (") + kSavedColumns +
               ") VALUES (:id, :owner, :name, :description, :statement, :catalog, :schema, "
               ":everyone, :created, :updated)",
        soci::use(query.id), soci::use(query.owner), soci::use(query.name),
        soci::use(query.description), soci::use(query.statement), soci::use(query.catalog),
        soci::use(query.schema), soci::use(everyone), soci::use(created), soci::use(updated);
  });
  changed();
}

bool SqlStore::replace(const SavedQuery& query) {
  const long long everyone = query.everyone ? 1 : 0, updated = query.updated_ms;
  bool found = false;
  database_.write([&](soci::session& sql) {
    soci::statement update =
        (sql.prepare << "UPDATE sql_saved SET name = :name, description = :description, statement "
                        "= :statement, catalog_name = :catalog, schema_name = :schema, everyone = "
                        ":everyone, updated_ms = :updated WHERE id = :id",
         soci::use(query.name), soci::use(query.description), soci::use(query.statement),
         soci::use(query.catalog), soci::use(query.schema), soci::use(everyone), soci::use(updated),
         soci::use(query.id));
    update.execute(true);
    found = update.get_affected_rows() == 1;
  });
  changed();
  return found;
}

bool SqlStore::remove(const std::string& id) {
  bool found = false;
  database_.write([&](soci::session& sql) {
    soci::statement removal =
        (sql.prepare << "DELETE FROM sql_saved WHERE id = :id", soci::use(id));
    removal.execute(true);
    found = removal.get_affected_rows() == 1;
  });
  changed();
  return found;
}

std::vector<PastStatement> SqlStore::history(const std::string& user, const std::string& search,
                                             const std::optional<Behind>& behind, int limit) const {
  const std::string pattern = holding(search), id = behind ? behind->id : "";
  const long long time = behind ? behind->time_ms : kNewest;
  std::vector<PastStatement> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT id, who, source, catalog_name, schema_name, statement, state, "
                        "started_ms, elapsed_ms, row_count, error, error_code FROM sql_history "
                        "WHERE (:who = '' OR who = :same) AND lower(statement) LIKE :text ESCAPE "
                        "'!' AND (started_ms < :time OR (started_ms = :equal AND id < :id)) ORDER "
                        "BY started_ms DESC, id DESC LIMIT :most",
         soci::use(user), soci::use(user), soci::use(pattern), soci::use(time), soci::use(time),
         soci::use(id), soci::use(limit));
    for (const auto& row : rows) found.push_back(past_of(row));
  });
  return found;
}

void SqlStore::add(const std::vector<PastStatement>& statements) {
  const int most = kMostHistory;
  database_.write([&](soci::session& sql) {
    for (const auto& past : statements) insert(sql, past);
    // Nothing is older than NULL: while there are few, none leaves.
    sql << "DELETE FROM sql_history WHERE started_ms <= (SELECT started_ms FROM sql_history ORDER "
           "BY started_ms DESC, id DESC LIMIT 1 OFFSET :most)",
        soci::use(most);
  });
}

}  // namespace meesh::serve::api
