#include "quality/history.h"

#include <boost/json.hpp>
#include <chrono>

#include "base/uuid.h"

namespace meesh::quality {
namespace {

namespace json = boost::json;

// Of each check and of each table's profiles that many are kept.
constexpr int kKeptResults = 200, kKeptProfiles = 50;

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "results of checks, profiles",
       {"CREATE TABLE quality_result (id TEXT PRIMARY KEY, batch TEXT NOT NULL, table_name TEXT "
        "NOT "
        "NULL, suite TEXT NOT NULL, check_name TEXT NOT NULL, severity TEXT NOT NULL, outcome TEXT "
        "NOT NULL, value DOUBLE PRECISION, at_ms BIGINT NOT NULL, position BIGINT NOT NULL, "
        "document TEXT NOT NULL)",
        "CREATE INDEX quality_result_check ON quality_result (table_name, suite, check_name, "
        "at_ms)",
        "CREATE INDEX quality_result_at ON quality_result (at_ms)",
        "CREATE TABLE quality_batch (table_name TEXT NOT NULL, suite TEXT NOT NULL, batch TEXT NOT "
        "NULL, PRIMARY KEY (table_name, suite))",
        "CREATE INDEX quality_result_batch ON quality_result (batch)",
        "CREATE TABLE quality_profile (id TEXT PRIMARY KEY, table_name TEXT NOT NULL, at_ms BIGINT "
        "NOT NULL, document TEXT NOT NULL)",
        "CREATE INDEX quality_profile_table ON quality_profile (table_name, at_ms)"}}};
  return all;
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::object sample_json(const Sample& sample) {
  json::array rows;
  for (const auto& row : sample.rows) {
    json::array cells;
    for (const auto& cell : row) cells.push_back(text_or_null(cell));
    rows.push_back(std::move(cells));
  }
  return {{"columns", json::value_from(sample.columns)}, {"rows", std::move(rows)}};
}

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

uint64_t count(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<uint64_t>() : 0;
}

CheckResult from_json(const json::object& object) {
  CheckResult result;
  result.table = text(object, "table");
  result.suite = text(object, "suite");
  result.check = text(object, "check");
  result.kind = text(object, "kind");
  result.description = text(object, "description");
  result.severity = text(object, "severity") == "warn" ? Severity::kWarn : Severity::kError;
  const std::string outcome = text(object, "outcome");
  result.outcome = outcome == "pass"   ? Outcome::kPass
                   : outcome == "fail" ? Outcome::kFail
                                       : Outcome::kError;
  if (const auto* value = object.if_contains("value"); value && value->is_number())
    result.value = value->to_number<double>();
  result.of_rows = object.contains("failing");
  result.checked = count(object, "checked");
  result.failing = count(object, "failing");
  result.expected = text(object, "expected");
  result.message = text(object, "message");
  result.run_id = text(object, "run_id");
  result.at_ms = static_cast<int64_t>(count(object, "at_ms"));
  if (const auto* sample = object.if_contains("sample")) {
    for (const auto& column : sample->at("columns").as_array())
      result.sample.columns.emplace_back(column.as_string());
    for (const auto& row : sample->at("rows").as_array()) {
      auto& cells = result.sample.rows.emplace_back();
      for (const auto& cell : row.as_array())
        cells.push_back(cell.is_string() ? std::optional(std::string(cell.as_string()))
                                         : std::nullopt);
    }
  }
  return result;
}

std::vector<CheckResult> parsed(const std::vector<std::string>& documents) {
  std::vector<CheckResult> results;
  for (const auto& document : documents)
    results.push_back(from_json(json::parse(document).as_object()));
  return results;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  return outcome == Outcome::kPass ? "pass" : outcome == Outcome::kFail ? "fail" : "error";
}

json::value to_json(const CheckResult& result) {
  json::object object{{"table", result.table},
                      {"suite", result.suite},
                      {"check", result.check},
                      {"kind", result.kind},
                      {"severity", severity_name(result.severity)},
                      {"outcome", outcome_name(result.outcome)},
                      {"value", result.value ? json::value(*result.value) : json::value(nullptr)},
                      {"expected", result.expected},
                      {"at_ms", result.at_ms}};
  if (result.of_rows) {
    object["checked"] = result.checked;
    object["failing"] = result.failing;
  }
  if (!result.description.empty()) object["description"] = result.description;
  if (!result.message.empty()) object["message"] = result.message;
  if (!result.run_id.empty()) object["run_id"] = result.run_id;
  if (!result.sample.rows.empty()) object["sample"] = sample_json(result.sample);
  return object;
}

json::value to_json(const Score& score) {
  json::object object{{"name", score.name},         {"score", score.score},
                      {"checks", score.checks},     {"passed", score.passed},
                      {"warnings", score.warnings}, {"failures", score.failures},
                      {"at_ms", score.at_ms}};
  if (!score.domain.empty()) object["domain"] = score.domain;
  return object;
}

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

History::History(meta::Database& database) : database_(database) {
  meta::migrate(database_, "quality", migrations());
}

void History::keep(const std::vector<CheckResult>& results) {
  if (results.empty()) return;
  database_.write([&](soci::session& sql) {
    const std::string batch = base::random_uuid();
    const auto& first = results.front();
    sql << "INSERT INTO quality_batch (table_name, suite, batch) VALUES (:t, :s, :b) ON CONFLICT "
           "(table_name, suite) DO UPDATE SET batch = excluded.batch",
        soci::use(first.table), soci::use(first.suite), soci::use(batch);
    long long position = 0;
    for (const auto& result : results) {
      const std::string id = base::random_uuid(), severity(severity_name(result.severity)),
                        outcome(outcome_name(result.outcome)),
                        document = json::serialize(to_json(result));
      const double value = result.value.value_or(0);
      soci::indicator known = result.value ? soci::i_ok : soci::i_null;
      const long long at = result.at_ms;
      ++position;
      sql << "INSERT INTO quality_result (id, batch, table_name, suite, check_name, severity, "
             "outcome, value, at_ms, position, document) VALUES (:id, :b, :t, :s, :c, :sev, :o, "
             ":v, :at, :p, :d)",
          soci::use(id), soci::use(batch), soci::use(result.table), soci::use(result.suite),
          soci::use(result.check), soci::use(severity), soci::use(outcome), soci::use(value, known),
          soci::use(at), soci::use(position), soci::use(document);
      const long long kept = kKeptResults;
      sql << "DELETE FROM quality_result WHERE table_name = :t AND suite = :s AND check_name = :c "
             "AND at_ms < (SELECT min(at_ms) FROM (SELECT at_ms FROM quality_result WHERE "
             "table_name = :t2 AND suite = :s2 AND check_name = :c2 ORDER BY at_ms DESC LIMIT :n) "
             "AS newest)",
          soci::use(result.table, "t"), soci::use(result.suite, "s"), soci::use(result.check, "c"),
          soci::use(result.table, "t2"), soci::use(result.suite, "s2"),
          soci::use(result.check, "c2"), soci::use(kept, "n");
    }
  });
}

std::vector<CheckResult> History::results(const std::string& table, const std::string& suite,
                                          int limit) {
  std::vector<std::string> documents;
  database_.read([&](soci::session& sql) {
    documents.clear();
    const long long most = limit;
    soci::rowset<std::string> rows =
        (sql.prepare << "SELECT document FROM quality_result WHERE (:t = '' OR table_name = :t2) "
                        "AND (:s = '' OR suite = :s2) ORDER BY at_ms DESC, position LIMIT :n",
         soci::use(table, "t"), soci::use(table, "t2"), soci::use(suite, "s"),
         soci::use(suite, "s2"), soci::use(most, "n"));
    documents.assign(rows.begin(), rows.end());
  });
  return parsed(documents);
}

std::vector<CheckResult> History::newest() {
  std::vector<std::string> documents;
  database_.read([&](soci::session& sql) {
    documents.clear();
    soci::rowset<std::string> rows =
        (sql.prepare << "SELECT r.document FROM quality_result r JOIN quality_batch b ON r.batch = "
                        "b.batch ORDER BY r.table_name, r.suite, r.position");
    documents.assign(rows.begin(), rows.end());
  });
  return parsed(documents);
}

std::vector<double> History::values(const std::string& table, const std::string& suite,
                                    const std::string& check, int limit) {
  std::vector<double> values;
  database_.read([&](soci::session& sql) {
    const long long most = limit;
    soci::rowset<double> rows =
        (sql.prepare << "SELECT value FROM quality_result WHERE table_name = :t AND suite = :s AND "
                        "check_name = :c AND value IS NOT NULL AND NOT (outcome = 'fail' AND "
                        "severity = 'error') ORDER BY at_ms DESC LIMIT :n",
         soci::use(table, "t"), soci::use(suite, "s"), soci::use(check, "c"), soci::use(most, "n"));
    values.assign(rows.begin(), rows.end());
  });
  return values;
}

void History::keep_profile(const std::string& table, int64_t at_ms, const json::value& profile) {
  const std::string id = base::random_uuid(), document = json::serialize(profile);
  const long long at = at_ms, kept = kKeptProfiles;
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO quality_profile (id, table_name, at_ms, document) VALUES (:i, :t, :a, :d)",
        soci::use(id), soci::use(table), soci::use(at), soci::use(document);
    sql << "DELETE FROM quality_profile WHERE table_name = :t AND at_ms < (SELECT min(at_ms) FROM "
           "(SELECT at_ms FROM quality_profile WHERE table_name = :t2 ORDER BY at_ms DESC LIMIT "
           ":n) AS newest)",
        soci::use(table, "t"), soci::use(table, "t2"), soci::use(kept, "n");
  });
}

std::vector<json::value> History::profiles(const std::string& table, int limit) {
  std::vector<std::string> documents;
  database_.read([&](soci::session& sql) {
    documents.clear();
    const long long most = limit;
    soci::rowset<std::string> rows =
        (sql.prepare << "SELECT document FROM quality_profile WHERE table_name = :t ORDER BY at_ms "
                        "DESC LIMIT :n",
         soci::use(table, "t"), soci::use(most, "n"));
    documents.assign(rows.begin(), rows.end());
  });
  std::vector<json::value> profiles;
  for (const auto& document : documents) profiles.push_back(json::parse(document));
  return profiles;
}

}  // namespace meesh::quality
