#include "serve/api/viewer_engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/sql.h"

namespace meesh::serve::api {
namespace {

using sql::StatementKind;

constexpr int kDeepest = 8;  // EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE …'

bool reads(const std::string& text, const engine::Session& session, int depth);

bool reads(const sql::Statement& statement, const engine::Session& session, int depth) {
  switch (statement.kind) {
    case StatementKind::kQuery:
    case StatementKind::kShow:
    case StatementKind::kUse:
    case StatementKind::kSetSession:
    case StatementKind::kResetSession:
    case StatementKind::kSetTimeZone:
    case StatementKind::kSetPath:
    case StatementKind::kPrepare:
    case StatementKind::kDeallocate:
    case StatementKind::kDescribeInput:
    case StatementKind::kDescribeOutput:
    case StatementKind::kStartTransaction:
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      return true;
    case StatementKind::kExplain: {
      const auto& explain = static_cast<const sql::Explain&>(statement);
      return !explain.analyze || reads(*explain.statement, session, depth);
    }
    case StatementKind::kExecuteImmediate:
      return reads(static_cast<const sql::ExecuteImmediate&>(statement).text, session, depth + 1);
    case StatementKind::kExecute:  // whichever it is
      return std::ranges::all_of(session.prepared_statements, [&](const auto& prepared) {
        return reads(prepared.second, session, depth + 1);
      });
    default:
      return false;
  }
}

bool reads(const std::string& text, const engine::Session& session, int depth) {
  if (depth > kDeepest) return false;
  try {
    return reads(*sql::parse(text), session, depth);
  } catch (const Error&) {
    return true;
  }
}

class ViewerEngine final : public engine::Engine {
 public:
  ViewerEngine(engine::Engine& engine, std::function<bool(const std::string&)> only_looks)
      : engine_(engine), only_looks_(std::move(only_looks)) {}

  engine::QueryPtr submit(std::string sql, engine::Session session) override {
    if (only_looks_(session.user) && !only_reads(sql, session))
      throw Error(Code::kPermissionDenied,
                  fmt::format("Access Denied: {} may only look, and this statement changes "
                              "something",
                              session.user));
    return engine_.submit(std::move(sql), std::move(session));
  }
  engine::QueryPtr find(const std::string& id) override { return engine_.find(id); }
  std::vector<engine::QueryInfo> queries() const override { return engine_.queries(); }
  void use_objects(objects::Store& store, engine::AuthorizeObject authorize) override {
    engine_.use_objects(store, std::move(authorize));
  }
  void observe(engine::StatementObserver& observer) override { engine_.observe(observer); }
  void add_catalog(std::unique_ptr<engine::Catalog> catalog) override {
    engine_.add_catalog(std::move(catalog));
  }
  bool drop_catalog(const std::string& name) override { return engine_.drop_catalog(name); }
  std::vector<std::string> catalogs() const override { return engine_.catalogs(); }
  void warm_up() override { engine_.warm_up(); }
  void load_extension(const std::string& name) override { engine_.load_extension(name); }
  void shutdown(std::chrono::milliseconds grace) override { engine_.shutdown(grace); }
  const engine::Options& options() const override { return engine_.options(); }

 private:
  engine::Engine& engine_;
  const std::function<bool(const std::string&)> only_looks_;
};

}  // namespace

bool only_reads(const std::string& statement, const engine::Session& session) {
  return reads(statement, session, 0);
}

std::unique_ptr<engine::Engine> guard_viewers(
    engine::Engine& engine, std::function<bool(const std::string& user)> only_looks) {
  return std::make_unique<ViewerEngine>(engine, std::move(only_looks));
}

}  // namespace meesh::serve::api
