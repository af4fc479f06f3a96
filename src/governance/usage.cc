#include "governance/usage.h"

#include <algorithm>
#include <chrono>

namespace meesh::governance {
namespace {

constexpr int64_t kDay = 86'400'000;
constexpr size_t kMostTogether = 12;  // tables of one statement whose pairs are counted
constexpr size_t kMostPending = 50'000;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t today() { return now_ms() / kDay; }

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "usage by day",
       {"CREATE TABLE usage_daily (day BIGINT NOT NULL, asset TEXT NOT NULL, user_name TEXT NOT "
        "NULL, statements BIGINT NOT NULL, last_ms BIGINT NOT NULL, PRIMARY KEY (asset, day, "
        "user_name))",
        "CREATE INDEX usage_daily_day ON usage_daily (day)",
        "CREATE TABLE usage_pair (day BIGINT NOT NULL, asset TEXT NOT NULL, other TEXT NOT NULL, "
        "statements BIGINT NOT NULL, PRIMARY KEY (asset, day, other))",
        "CREATE INDEX usage_pair_day ON usage_pair (day)"}}};
  return all;
}

std::vector<std::pair<std::string, uint64_t>> most_first(
    const std::map<std::string, uint64_t>& counts, size_t limit) {
  std::vector<std::pair<std::string, uint64_t>> out(counts.begin(), counts.end());
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace

Usage::Usage(meta::Database& database) : database_(database) {
  meta::migrate(database_, "usage", migrations());
}

void Usage::count(const std::vector<std::string>& assets, const std::string& user, int64_t at_ms) {
  const int64_t day = at_ms / kDay;
  const std::lock_guard lock(mutex_);
  if (pending_.uses.size() > kMostPending) return;  // the database is away for long
  for (const auto& asset : assets) {
    auto& sum = pending_.uses[{day, asset, user}];
    ++sum.statements;
    sum.last_ms = std::max(sum.last_ms, at_ms);
  }
  if (assets.size() > kMostTogether) return;
  for (const auto& asset : assets) {
    for (const auto& other : assets) {
      if (asset != other) ++pending_.pairs[{day, asset, other}];
    }
  }
}

void Usage::write(soci::session& sql, const Pending& pending, int64_t oldest_day) const {
  for (const auto& [key, sum] : pending.uses) {
    const long long day = std::get<0>(key), count = static_cast<long long>(sum.statements),
                    last = sum.last_ms;
    sql << "INSERT INTO usage_daily (day, asset, user_name, statements, last_ms) VALUES (:day, "
           ":asset, :name, :count, :last) ON CONFLICT (asset, day, user_name) DO UPDATE SET "
           "statements = usage_daily.statements + excluded.statements, last_ms = CASE WHEN "
           "excluded.last_ms > usage_daily.last_ms THEN excluded.last_ms ELSE usage_daily.last_ms "
           "END",
        soci::use(day), soci::use(std::get<1>(key)), soci::use(std::get<2>(key)), soci::use(count),
        soci::use(last);
  }
  for (const auto& [key, statements] : pending.pairs) {
    const long long day = std::get<0>(key), count = static_cast<long long>(statements);
    sql << "INSERT INTO usage_pair (day, asset, other, statements) VALUES (:day, :asset, :other, "
           ":count) ON CONFLICT (asset, day, other) DO UPDATE SET statements = "
           "usage_pair.statements + excluded.statements",
        soci::use(day), soci::use(std::get<1>(key)), soci::use(std::get<2>(key)), soci::use(count);
  }
  const long long oldest = oldest_day;
  sql << "DELETE FROM usage_daily WHERE day < :day", soci::use(oldest);
  sql << "DELETE FROM usage_pair WHERE day < :day", soci::use(oldest);
}

void Usage::flush(int kept_days) {
  const std::lock_guard flushing(flushing_);
  Pending pending;
  {
    const std::lock_guard lock(mutex_);
    std::swap(pending, pending_);
  }
  if (pending.empty()) return;
  try {
    database_.write([&](soci::session& sql) { write(sql, pending, today() - kept_days); });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, sum] : pending.uses) {
      auto& now = pending_.uses[key];
      now.statements += sum.statements;
      now.last_ms = std::max(now.last_ms, sum.last_ms);
    }
    for (const auto& [key, statements] : pending.pairs) pending_.pairs[key] += statements;
    throw;
  }
}

AssetUsage Usage::of(const std::string& asset, int days) {
  flush();
  AssetUsage out;
  std::map<int64_t, uint64_t> by_day;
  std::map<std::string, uint64_t> users, others;
  const long long first = today() - days + 1;
  database_.read([&](soci::session& sql) {
    by_day.clear(), users.clear(), others.clear();
    out = {};
    long long day = 0, count = 0, last = 0;
    std::string name;
    soci::statement uses =
        (sql.prepare << "SELECT day, user_name, statements, last_ms FROM usage_daily WHERE asset = "
                        ":asset AND day >= :day",
         soci::use(asset), soci::use(first), soci::into(day), soci::into(name), soci::into(count),
         soci::into(last));
    uses.execute();
    while (uses.fetch()) {
      by_day[day] += static_cast<uint64_t>(count);
      users[name] += static_cast<uint64_t>(count);
      out.statements += static_cast<uint64_t>(count);
      out.last_ms = std::max<int64_t>(out.last_ms, last);
    }
    soci::statement pairs =
        (sql.prepare << "SELECT other, statements FROM usage_pair WHERE asset = :asset AND day >= "
                        ":day",
         soci::use(asset), soci::use(first), soci::into(name), soci::into(count));
    pairs.execute();
    while (pairs.fetch()) others[name] += static_cast<uint64_t>(count);
  });
  for (const auto& [day, count] : by_day) out.days.push_back({day * kDay, count});
  out.users = most_first(users, 20);
  out.joined_with = most_first(others, 20);
  return out;
}

std::vector<UsedAsset> Usage::most_used(int days, size_t limit) {
  flush();
  std::vector<UsedAsset> out;
  const long long first = today() - days + 1, most = static_cast<long long>(limit);
  database_.read([&](soci::session& sql) {
    out.clear();
    UsedAsset one;
    long long count = 0, last = 0;
    soci::statement select =
        (sql.prepare << "SELECT asset, CAST(SUM(statements) AS BIGINT), MAX(last_ms) FROM "
                        "usage_daily WHERE day >= "
                        ":day GROUP BY asset ORDER BY 2 DESC, asset LIMIT :most",
         soci::use(first), soci::use(most), soci::into(one.asset), soci::into(count),
         soci::into(last));
    select.execute();
    while (select.fetch()) {
      one.statements = static_cast<uint64_t>(count);
      one.last_ms = last;
      out.push_back(one);
    }
  });
  return out;
}

}  // namespace meesh::governance
