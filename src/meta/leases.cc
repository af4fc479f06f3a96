#include "meta/leases.h"

namespace meesh::meta {

Leases::Leases(Database& database) : database_(database) {
  migrate(database_, "meta",
          {{1,
            "leases",
            {"CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, "
             "token BIGINT NOT NULL, expires_ms BIGINT NOT NULL)"}}});
}

std::optional<Lease> Leases::acquire(const std::string& name, const std::string& holder,
                                     std::chrono::milliseconds time_to_live) {
  const long long live = time_to_live.count();
  std::optional<Lease> taken;
  database_.write([&](soci::session& sql) {
    taken.reset();  // the transaction may run again
    const std::string now = database_.now_ms();
    sql << "INSERT INTO lease (name, holder, token, expires_ms) VALUES (:name, :holder, 0, 0) "
           "ON CONFLICT (name) DO NOTHING",
        soci::use(name), soci::use(holder);
    sql << "UPDATE lease SET token = CASE WHEN holder = :h1 AND token > 0 AND expires_ms > " + now +
               " THEN token ELSE token + 1 END, holder = :h2, expires_ms = " + now +
               " + :live WHERE name = :name AND (holder = :h3 OR expires_ms <= " + now + ")",
        soci::use(holder, "h1"), soci::use(holder, "h2"), soci::use(live, "live"),
        soci::use(name, "name"), soci::use(holder, "h3");
    Lease now_held;
    sql << "SELECT name, holder, token FROM lease WHERE name = :name", soci::into(now_held.name),
        soci::into(now_held.holder), soci::into(now_held.token), soci::use(name);
    if (now_held.holder == holder) taken = now_held;
  });
  return taken;
}

bool Leases::renew(const Lease& lease, std::chrono::milliseconds time_to_live) {
  const long long live = time_to_live.count();
  bool held = false;
  database_.write([&](soci::session& sql) {
    const std::string now = database_.now_ms();
    soci::statement update =
        (sql.prepare << "UPDATE lease SET expires_ms = " + now +
                            " + :live WHERE name = :name AND holder = :holder AND token = :token "
                            "AND expires_ms > " +
                            now,
         soci::use(live, "live"), soci::use(lease.name, "name"), soci::use(lease.holder, "holder"),
         soci::use(lease.token, "token"));
    update.execute(true);
    held = update.get_affected_rows() == 1;
  });
  return held;
}

void Leases::release(const Lease& lease) {
  database_.write([&](soci::session& sql) {
    sql << "UPDATE lease SET expires_ms = 0 WHERE name = :name AND holder = :holder AND token = "
           ":token",
        soci::use(lease.name, "name"), soci::use(lease.holder, "holder"),
        soci::use(lease.token, "token");
  });
}

std::optional<Lease> Leases::current(const std::string& name) {
  std::optional<Lease> found;
  database_.read([&](soci::session& sql) {
    Lease lease;
    sql << "SELECT name, holder, token FROM lease WHERE name = :name AND expires_ms > " +
               database_.now_ms(),
        soci::into(lease.name), soci::into(lease.holder), soci::into(lease.token), soci::use(name);
    if (sql.got_data()) found = lease;
  });
  return found;
}

}  // namespace meesh::meta
