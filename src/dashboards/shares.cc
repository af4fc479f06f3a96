#include "dashboards/shares.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"

namespace meesh::dashboards {

namespace json = boost::json;

namespace {

constexpr size_t kTokenBytes = 32;
constexpr size_t kTokenLength = 43;  // in base64url

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "shares",
       {"CREATE TABLE dashboard_shares (id TEXT NOT NULL PRIMARY KEY, token_hash TEXT NOT NULL "
        "UNIQUE, dashboard TEXT NOT NULL, creator TEXT NOT NULL, parameters TEXT NOT NULL, "
        "created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL)"}}};
  return all;
}

std::string new_token() {
  std::array<unsigned char, kTokenBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    internal_error("the system gives no random bytes");
  return base::to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string hash_of(const std::string& token) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    internal_error("SHA-256 is not there");
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

Share share_of(const soci::row& row) {
  Share share;
  share.id = row.get<std::string>(0);
  share.dashboard = row.get<std::string>(1);
  share.creator = row.get<std::string>(2);
  share.parameters = json::parse(row.get<std::string>(3)).as_object();
  share.created_ms = row.get<long long>(4);
  share.expires_ms = row.get<long long>(5);
  return share;
}

constexpr const char* kColumns =
    "SELECT id, dashboard, creator, parameters, created_ms, expires_ms FROM dashboard_shares ";

}  // namespace

Shares::Shares(meta::Database& database) : database_(database) {
  meta::migrate(database_, "dashboard_shares", migrations());
}

Shares::Made Shares::make(const std::string& dashboard, const std::string& creator,
                          const json::object& parameters, int64_t expires_ms) {
  Made made;
  made.share.id = base::random_uuid();
  made.share.dashboard = dashboard;
  made.share.creator = creator;
  made.share.parameters = parameters;
  made.share.created_ms = base::now_ms();
  made.share.expires_ms = expires_ms;
  made.token = new_token();
  if (expires_ms != 0 && expires_ms <= made.share.created_ms)
    throw Error(Code::kBadRequest, "the link would be over before it begins")
        .with_hint("expires_ms is a moment in milliseconds since 1970");
  const std::string hash = hash_of(made.token), fixed = json::serialize(parameters);
  const long long created = made.share.created_ms, expires = expires_ms;
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO dashboard_shares (id, token_hash, dashboard, creator, parameters, "
           "created_ms, expires_ms) VALUES (:id, :hash, :dashboard, :creator, :parameters, "
           ":created, :expires)",
        soci::use(made.share.id), soci::use(hash), soci::use(dashboard), soci::use(creator),
        soci::use(fixed), soci::use(created), soci::use(expires);
  });
  return made;
}

std::vector<Share> Shares::list(const std::string& dashboard) {
  std::vector<Share> all;
  const long long now = base::now_ms();
  database_.read([&](soci::session& sql) {
    all.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << std::string(kColumns) +
                            "WHERE dashboard = :dashboard AND (expires_ms = 0 OR expires_ms > "
                            ":now) ORDER BY created_ms DESC, id",
         soci::use(dashboard), soci::use(now));
    for (const auto& row : rows) all.push_back(share_of(row));
  });
  return all;
}

void Shares::revoke(const std::string& dashboard, const std::string& id) {
  bool found = false;
  database_.write([&](soci::session& sql) {
    soci::statement statement =
        (sql.prepare << "DELETE FROM dashboard_shares WHERE id = :id AND dashboard = :dashboard",
         soci::use(id), soci::use(dashboard));
    statement.execute(true);
    found = statement.get_affected_rows() > 0;
  });
  if (!found) throw Error(Code::kNotFound, fmt::format("there is no such link to '{}'", dashboard));
}

Share Shares::open(const std::string& token) {
  std::optional<Share> found;
  if (token.size() == kTokenLength && base::valid_utf8(token)) {
    const std::string hash = hash_of(token);
    database_.read([&](soci::session& sql) {
      found.reset();
      const soci::rowset<soci::row> rows =
          (sql.prepare << std::string(kColumns) + "WHERE token_hash = :hash", soci::use(hash));
      for (const auto& row : rows) found = share_of(row);
    });
  }
  if (!found || (found->expires_ms != 0 && found->expires_ms <= base::now_ms()))
    throw Error(Code::kNotFound, "this link opens nothing (any more)");
  return *found;
}

}  // namespace meesh::dashboards
