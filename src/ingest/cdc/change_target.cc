#include "ingest/cdc/change_target.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <limits>

#include "base/clock.h"
#include "base/uuid.h"
#include "ingest/sync.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;

namespace {

constexpr const char* kHistorySuffix = "__changes";
constexpr uint64_t kGreatest = std::numeric_limits<int64_t>::max();

std::string table_name(const TableConfig& table, ChangeTarget::Kind kind) {
  return kind == ChangeTarget::Kind::kHistory ? table.into + kHistorySuffix : table.into;
}
const char* word(ChangeTarget::Kind kind) {
  return kind == ChangeTarget::Kind::kHistory ? "changes" : "current";
}

boost::json::value json_of(const ChangePosition& at) {
  return boost::json::array{static_cast<int64_t>(at.major), static_cast<int64_t>(at.minor)};
}
ChangePosition position_of(const boost::json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  if (!found || !found->is_array() || found->as_array().size() != 2) return {};
  const auto number = [&](size_t at) -> uint64_t {
    const auto* value = found->as_array()[at].if_int64();
    return value && *value > 0 ? static_cast<uint64_t>(*value) : 0;
  };
  return {number(0), number(1)};
}

/// Just before a place, and after all that lies before it.
ChangePosition before(const ChangePosition& at) {
  if (at.minor > 0) return {at.major, at.minor - 1};
  return {at.major == 0 ? 0 : at.major - 1, kGreatest};
}

}  // namespace

std::string change_moment() {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

OfferedChanges::OfferedChanges(engine::BufferTables& tables, const TableChanges& changes)
    : changes_(changes),
      table_(
          tables.add(base::random_uuid(), "changes", engine::BufferTable{changes.rows, {}, {}})) {}

ChangeTarget::ChangeTarget(const CaptureEnvironment& environment, const SourceConfig& config,
                           const TableConfig& table, Kind kind, std::string stream,
                           const TaskContext& context)
    : environment_(environment),
      config_(config),
      table_(table),
      kind_(kind),
      stream_(std::move(stream)),
      context_(context),
      policies_(table_, environment.salt ? environment.salt(table_) : ""),
      work_(work_of(config, table_)),
      landing_(environment.engine,
               {config.into_catalog, config.into_schema, table_name(table_, kind)},
               environment.place + "/" + table_name(table_, kind), ingest_session(), false) {
  look();
}

engine::Session ChangeTarget::session() const {
  auto session = ingest_session();
  session.client_tags = governance::tags_of(work_, context_);
  return session;
}

LandingMark ChangeTarget::mark() const {
  const std::string now = change_moment();
  // Clocks go back at times; rows of before must stay those of before.
  return {now.substr(0, 10), std::max(now, state_.began)};
}

// ---------------------------------------------------------------- state

boost::json::value ChangeTarget::json(const State& state) const {
  boost::json::object object{
      {"table", word(kind_)}, {"at", json_of(state.at.at)}, {"log", state.at.log}};
  if (state.settled > state.at.at) object["settled"] = json_of(state.settled);
  if (!state.whole)
    object["snapshot"] = boost::json::object{{"resume", state.resume}, {"began", state.began}};
  return object;
}

ChangeTarget::State ChangeTarget::read(const boost::json::value& value) const {
  State state;
  if (!value.is_object()) return state;
  const auto& object = value.as_object();
  const auto* what = object.if_contains("table");
  if (!what || !what->is_string() || what->as_string() != word(kind_)) return state;
  state.at.at = position_of(object, "at");
  if (const auto* log = object.if_contains("log")) state.at.log = *log;
  state.settled = position_of(object, "settled");
  const auto* snapshot = object.if_contains("snapshot");
  state.whole = snapshot == nullptr;
  if (snapshot && snapshot->is_object()) {
    if (const auto* resume = snapshot->as_object().if_contains("resume")) state.resume = *resume;
    if (const auto* began = snapshot->as_object().if_contains("began"); began && began->is_string())
      state.began = began->as_string();
  }
  return state;
}

void ChangeTarget::look() {
  position_ = environment_.ledger.position(config_.name, stream_);
  state_ = landing_.exists() ? read(position_.value) : State();
}

void ChangeTarget::forget() { state_ = State(); }

uint64_t ChangeTarget::commit(const std::string& sql, State after) {
  auto commit = std::make_shared<engine::LakeCommit>();
  const boost::json::value value = json(after);
  commit->also = [&](soci::session& session) {
    Ledger::move(session, config_.name, stream_, position_, value, base::now_ms());
  };
  commit->summary = {{"meesh.ingest.source", config_.name + "." + table_.name}};
  auto session = this->session();
  session.commit = std::move(commit);
  const auto answer = engine::ask(environment_.engine, sql, session, context_.stop);
  position_ = environment_.ledger.position(config_.name, stream_);
  state_ = std::move(after);
  return answer.update_count.value_or(0);
}

void ChangeTarget::prepare(const ChangeSql& sql, const std::string& origin) {
  const auto landed = landing_.columns();
  const auto columns = kind_ == Kind::kHistory ? sql.history_columns(landed) : sql.columns(landed);
  for (const auto& change : landing_.prepare(columns, origin, context_))
    context_.warn(fmt::format("{}: {}", landing_.table().display(), change));
}

// ---------------------------------------------------------------- snapshot

/// A snapshot from its beginning: what the table has of before goes when all has come. The history
/// says so by a row of its own; the current state keeps it until then.
void ChangeTarget::begin_snapshot(State& state, const StreamPosition& taken) {
  state = State();
  state.at = taken;
  const auto rows = engine::ask(
      environment_.engine, fmt::format("SELECT 1 FROM {} LIMIT 1", quote_table(landing_.table())),
      session());
  if (rows.rows.empty()) return;
  if (kind_ == Kind::kCurrent) {
    state.began = change_moment();
    return;
  }
  const auto place = before(taken.at);
  const auto now = mark();
  commit(fmt::format("INSERT INTO {} (_op, _major, _minor, _committed, {}, {}, {}) VALUES ({}, {}, "
                     "{}, TIMESTAMP '{}', TIMESTAMP '{}', {}, DATE '{}')",
                     quote_table(landing_.table()), kTimestampColumn, kSourceColumn, kDateColumn,
                     quote_text(kOpTruncate), place.major, place.minor, now.moment, now.moment,
                     quote_text(config_.name + "." + table_.name), now.run_date),
         state);
}

uint64_t ChangeTarget::land_snapshot(const OfferedChanges& rows, const SnapshotPortion& portion,
                                     const StreamPosition& taken, bool first) {
  const auto& shape = *rows.changes().shape;
  const ChangeSql sql(rows.changes(), rows.sql(), table_, policies_, std::nullopt);
  prepare(sql, shape.origin);
  State after = state_;
  if (first && state_.resume.is_null()) begin_snapshot(after, taken);
  after.resume = portion.resume;
  after.settled = std::max(after.settled, taken.at);
  const bool sweep = portion.last && kind_ == Kind::kCurrent && !after.began.empty();
  after.whole = portion.last && !sweep;
  const uint64_t landed = land_rows(rows, sql, after);
  if (!sweep) return landed;
  State whole = state_;
  whole.whole = true;
  const auto gone = commit(landing_.sweep(state_.began), whole);
  if (gone > 0)
    context_.info(fmt::format("{}: {} rows were not in the source any more",
                              landing_.table().display(), gone));
  return landed;
}

uint64_t ChangeTarget::land_rows(const OfferedChanges& rows, const ChangeSql& sql,
                                 const State& after) {
  LandingMark mark = this->mark();
  mark.moment = std::max(mark.moment, after.began);
  if (kind_ == Kind::kHistory) return commit(sql.append(landing_, mark), after);
  const auto& shape = *rows.changes().shape;
  if (after.began.empty()) return commit(sql.insert(landing_, mark), after);
  if (shape.key.empty()) internal_error("a current state without a key");
  return commit(sql.merge(landing_, mark), after);
}

// ---------------------------------------------------------------- changes

uint64_t ChangeTarget::land_changes(const OfferedChanges& rows, const StreamPosition& end) {
  const auto& changes = rows.changes();
  if (changes.last <= state_.at.at) return 0;
  std::optional<ChangePosition> after;
  if (changes.first <= state_.at.at) after = state_.at.at;
  const ChangeSql sql(changes, rows.sql(), table_, policies_, after);
  prepare(sql, changes.shape->origin);
  State next = state_;
  next.at = end;
  if (kind_ == Kind::kHistory) return commit(sql.append(landing_, mark()), next);
  uint64_t landed = 0;
  if (changes.truncated && !after) {
    State emptied = state_;
    emptied.at = {changes.first, end.log};
    landed += commit("DELETE FROM " + quote_table(landing_.table()), emptied);
  }
  // Rows of new keys need no look at those that are there, unless a snapshot may have had them.
  const bool news = changes.creates && changes.first > state_.settled;
  return landed + commit(news ? sql.insert(landing_, mark()) : sql.merge(landing_, mark()), next);
}

}  // namespace meesh::ingest
