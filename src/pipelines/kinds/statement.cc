// { statement: "INSERT INTO …" } and { maintenance: lake.silver.orders, do: [optimize] }
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/ask.h"
#include "governance/work.h"
#include "pipelines/kinds/kinds.h"
#include "pipelines/sql_tables.h"
#include "quality/parameters.h"
#include "sql/sql.h"

namespace meesh::pipelines {
namespace {

engine::Session session_of(const StepContext& context) {
  engine::Session session;
  session.user = session.original_user = "meesh pipelines";
  session.source = "pipelines";
  session.client_info = fmt::format("run {} step {}", context.task.run_id, context.step);
  session.client_tags =
      governance::tags_of(governance::work_of_step(context.pipeline, context.step), context.task);
  return session;
}

/// Statements, one after the other.
class StatementsAsset : public Asset {
 public:
  StatementsAsset(engine::Engine& engine, std::vector<std::string> statements, SqlTables tables)
      : engine_(engine), statements_(std::move(statements)), tables_(std::move(tables)) {}

  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (const TableUse& use : tables_.writes) names.push_back(use.table);
    return names;
  }
  std::vector<TableUse> inputs() const override { return tables_.reads; }

  StepResult run(const StepContext& context) override {
    StepResult result;
    for (size_t i = 0; i < statements_.size(); ++i) {
      context.task.check();
      const std::string sql = quality::fill_parameters(statements_[i], context.task.parameters);
      context.task.info(sql);
      auto session = session_of(context);
      if (i + 1 == statements_.size()) {
        auto commit = std::make_shared<engine::LakeCommit>();
        commit->also = context.succeeded;
        session.commit = std::move(commit);
      }
      const auto answer = engine::ask(engine_, sql, std::move(session), context.task.stop);
      if (answer.update_count) {
        result.rows = result.rows.value_or(0) + *answer.update_count;
      } else {
        show(answer, context.task);
      }
    }
    result.message = result.rows ? fmt::format("{} rows", *result.rows)
                                 : fmt::format("{} statements", statements_.size());
    return result;
  }

 private:
  static void show(const engine::Answer& answer, const TaskContext& task) {
    constexpr size_t kMostRows = 20;
    for (size_t i = 0; i < std::min(answer.rows.size(), kMostRows); ++i) {
      std::vector<std::string> values;
      for (const auto& value : answer.rows[i]) values.push_back(value.value_or("NULL"));
      task.info(base::join(values, " | "));
    }
    if (answer.rows.size() > kMostRows) {
      task.info(fmt::format("… {} rows in all", answer.rows.size()));
    }
  }

  engine::Engine& engine_;
  const std::vector<std::string> statements_;
  const SqlTables tables_;
};

class StatementKind : public AssetKind {
 public:
  explicit StatementKind(engine::Engine& engine) : engine_(engine) {}
  std::string_view word() const override { return "statement"; }

  std::vector<base::Shape> shape() const override { return statement_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const yaml::Node& node = *from.node.find("statement");
    std::vector<std::string> statements;
    SqlTables all;
    const auto merge = [](std::vector<TableUse>& to, const std::vector<TableUse>& some) {
      for (const TableUse& use : some) {
        if (std::ranges::find(to, use.table, &TableUse::table) == to.end()) to.push_back(use);
      }
    };
    for (const std::string_view part : sql::split_statements(node.text)) {
      statements.emplace_back(part);
      const SqlTables tables =
          tables_at(statements.back(), {node.line, node.column, from.document.file});
      merge(all.writes, tables.writes);
      merge(all.reads, tables.reads);
    }
    if (const yaml::Node* makes = from.node.find("makes")) {
      for (const yaml::Node& table : makes->items) {
        merge(all.writes, {{table.text, {table.line, table.column, from.document.file}}});
      }
    }
    std::vector<NamedAsset> assets;
    assets.push_back({from.name, std::make_unique<StatementsAsset>(engine_, std::move(statements),
                                                                   std::move(all))});
    return assets;
  }

 private:
  engine::Engine& engine_;
};

class MaintenanceKind : public AssetKind {
 public:
  explicit MaintenanceKind(engine::Engine& engine) : engine_(engine) {}
  std::string_view word() const override { return "maintenance"; }

  std::vector<base::Shape> shape() const override { return maintenance_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const yaml::Node& table = *from.node.find("maintenance");
    std::vector<std::string> work{"optimize"};
    if (const yaml::Node* list = from.node.find("do")) {
      work.clear();
      for (const yaml::Node& item : list->items) work.push_back(item.text);
    }
    const std::string& kept = from.node.find("retention")->text;
    std::vector<std::string> statements;
    for (const std::string& what : work) {
      if (what == "analyze") {
        statements.push_back("ANALYZE " + table.text);
        continue;
      }
      const bool old = what == "expire_snapshots" || what == "remove_orphan_files";
      statements.push_back(
          fmt::format("ALTER TABLE {} EXECUTE {}{}", table.text, what,
                      old ? fmt::format("(retention_threshold => '{}')", kept) : ""));
    }
    SqlTables tables;
    tables.reads.push_back({table.text, {table.line, table.column, from.document.file}});
    std::vector<NamedAsset> assets;
    assets.push_back({from.name, std::make_unique<StatementsAsset>(engine_, std::move(statements),
                                                                   std::move(tables))});
    return assets;
  }

 private:
  engine::Engine& engine_;
};

}  // namespace

std::vector<base::Shape> maintenance_keys() {
  return {
      base::required("maintenance",
                     base::matching("A lake table: catalog.schema.table.",
                                    "^[A-Za-z0-9_]+\\.[A-Za-z0-9_]+\\.[A-Za-z0-9_]+$",
                                    "a table's full name", 400)),
      base::optional("do", base::list("What, in this order.",
                                      base::choice("", {"optimize", "optimize_manifests",
                                                        "expire_snapshots", "remove_orphan_files",
                                                        "drop_extended_stats", "analyze"}))),
      base::optional("retention",
                     base::matching("How much history expire_snapshots and "
                                    "remove_orphan_files leave.",
                                    "^[0-9]{1,5}(s|m|h|d)$", "a time such as 7d"),
                     "7d")};
}

std::vector<base::Shape> statement_keys() {
  base::Shape sql = base::text("SQL statements, separated by semicolons.");
  sql.max_length = 100'000;
  return {base::required("statement", std::move(sql)),
          base::optional("makes", base::list("Tables it makes, where its SQL does not tell.",
                                             base::text("catalog.schema.table")))};
}

std::unique_ptr<AssetKind> statement_kind(engine::Engine& engine) {
  return std::make_unique<StatementKind>(engine);
}

std::unique_ptr<AssetKind> maintenance_kind(engine::Engine& engine) {
  return std::make_unique<MaintenanceKind>(engine);
}

}  // namespace meesh::pipelines
