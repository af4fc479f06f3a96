// Idempotency-Key: a client that lost an answer asks again and gets it, instead of "exists
// already".
#include <fmt/format.h>

#include <array>
#include <mutex>

#include "base/log.h"
#include "serve/iceberg/call.h"

namespace meesh::serve::iceberg {
namespace {

constexpr long long kKeptMs = 30 * 60 * 1000;
constexpr size_t kLongestKey = 256;

// `answer` is '' for a commit that is done and whose answer was never written: the process ended
// between the two.
const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "answers by Idempotency-Key",
       {"CREATE TABLE iceberg_answer (id TEXT PRIMARY KEY, request TEXT NOT NULL, "
        "answer TEXT NOT NULL, at_ms BIGINT NOT NULL)"}}};
  return kMigrations;
}

struct Known {
  std::string request, answer;
};

std::optional<Known> look(soci::session& sql, const std::string& id) {
  Known known;
  sql << "SELECT request, answer FROM iceberg_answer WHERE id = :id", soci::use(id),
      soci::into(known.request), soci::into(known.answer);
  if (!sql.got_data()) return std::nullopt;
  return known;
}

void keep(soci::session& sql, const std::string& now, const std::string& id,
          const std::string& request, const std::string& answer) {
  sql << "DELETE FROM iceberg_answer WHERE at_ms < " + now + " - " + std::to_string(kKeptMs);
  sql << "INSERT INTO iceberg_answer VALUES (:id, :request, :answer, " + now + ")" +
             " ON CONFLICT (id) DO UPDATE SET answer = excluded.answer",
      soci::use(id), soci::use(request), soci::use(answer);
}

std::optional<boost::json::value> kept_answer(meta::Database& database, const std::string& id,
                                              const std::string& request) {
  std::optional<Known> known;
  database.read([&](soci::session& sql) { known = look(sql, id); });
  if (!known) return std::nullopt;
  if (known->request != request) {
    throw net::HttpError(422, fmt::format("the Idempotency-Key was used for {}", known->request));
  }
  return known->answer.empty() ? boost::json::value() : boost::json::parse(known->answer);
}

}  // namespace

void prepare_idempotency(meta::Database& database) {
  meta::migrate(database, "iceberg", migrations());
}

boost::json::value once(Call& call,
                        const std::function<boost::json::value(const lake::AlsoCommit&)>& work) {
  const std::string key(call.request.headers.get("Idempotency-Key").value_or(""));
  if (key.empty()) return work(nullptr);
  if (key.size() > kLongestKey) {
    throw Error(Code::kBadRequest, "the Idempotency-Key has more than 256 characters");
  }
  meta::Database& database = *call.service.database;
  const std::string id = call.who.identity.user + " " + key;
  const std::string request = call.request.method + " " + call.request.path;
  // A request that is sent again while the first is under way waits for its answer.
  static std::array<std::mutex, 64> turns;
  const std::lock_guard turn(turns[std::hash<std::string>()(id) % turns.size()]);
  if (const auto kept = kept_answer(database, id, request)) return *kept;
  const std::string now = database.now_ms();
  boost::json::value answer;
  try {
    answer = work([&](soci::session& sql) {
      if (look(sql, id)) {
        throw Error(Code::kIcebergCommitError,
                    "a request with this Idempotency-Key has just been answered");
      }
      keep(sql, now, id, request, "");
    });
  } catch (const Error&) {
    // Another server may have been faster with the same request: then it is done.
    if (const auto kept = kept_answer(database, id, request)) return *kept;
    throw;
  }
  try {
    database.write(
        [&](soci::session& sql) { keep(sql, now, id, request, boost::json::serialize(answer)); });
  } catch (const std::exception& error) {  // it is done, whether the answer is kept or not
    log::warn("an answer could not be kept for its Idempotency-Key", {{"error", error.what()}});
  }
  return answer;
}

}  // namespace meesh::serve::iceberg
