#include "ingest/cdc/rejected_changes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/clock.h"

namespace meesh::ingest {

namespace {

constexpr const char* kSuffix = "__rejected";

std::vector<StreamColumn> rejected_columns() {
  const auto text = sql::Type::varchar();
  return {{"_file", text, ""},   {"_line", sql::Type::of(sql::TypeKind::kBigint), ""},
          {"_column", text, ""}, {"_error", text, ""},
          {"_text", text, ""},   {"_position", text, ""}};
}

/// Up to where rows were looked at; nothing was: {0, 0}.
ChangePosition position_of(const boost::json::value& value) {
  const auto* object = value.if_object();
  const auto* at = object ? object->if_contains("at") : nullptr;
  if (!at || !at->is_array() || at->as_array().size() != 2) return {};
  const auto& parts = at->as_array();
  if (!parts[0].is_int64() || !parts[1].is_int64()) return {};
  return {static_cast<uint64_t>(parts[0].as_int64()), static_cast<uint64_t>(parts[1].as_int64())};
}

}  // namespace

void RejectedChanges::land(const OfferedChanges& rows, const std::string& position,
                           const std::string& portion) {
  const auto& changes = rows.changes();
  const std::string stream = table_.name + "#rejected";
  const auto before = environment_.ledger.position(config_.name, stream);
  const auto reached = position_of(before.value);
  if (portion.empty() && changes.last <= reached) return;
  if (!portion.empty() && environment_.ledger.rejected_landed(config_.name, table_.name, portion))
    return;
  const Policies policies(table_, "");
  std::optional<ChangePosition> after;
  if (portion.empty()) after = reached;
  const ChangeSql sql(changes, rows.sql(), table_, policies, after);
  Landing landing(environment_.engine,
                  {config_.into_catalog, config_.into_schema, table_.into + kSuffix},
                  environment_.place + "/" + table_.into + kSuffix);
  landing.prepare(rejected_columns(), changes.shape->origin, context_);
  auto commit = std::make_shared<engine::LakeCommit>();
  commit->also = [&](soci::session& session) {
    if (!portion.empty()) return Ledger::rejected_land(session, config_.name, table_.name, portion);
    const boost::json::array at{static_cast<int64_t>(changes.last.major),
                                static_cast<int64_t>(changes.last.minor)};
    Ledger::move(session, config_.name, stream, before, boost::json::object{{"at", at}},
                 base::now_ms());
  };
  auto session = ingest_session();
  session.commit = std::move(commit);
  const std::string now = change_moment();
  engine::ask(environment_.engine,
              landing.insert(sql.rejected(position), rejected_columns(), changes.shape->origin,
                             now.substr(0, 10), now),
              session, context_.stop);
}

}  // namespace meesh::ingest
