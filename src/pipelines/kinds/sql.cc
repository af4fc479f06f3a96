// { sql: northwind/sales_master.sql, materialized: table, checks: […] }
#include <fmt/format.h>

#include "pipelines/kinds/check_tables.h"
#include "pipelines/kinds/kinds.h"
#include "pipelines/sql_tables.h"

namespace meesh::pipelines {
namespace {

/// {{ this }} is a table's name, not a value.
std::string with_this(std::string sql, const std::string& table) {
  for (const std::string word : {"{{ this }}", "{{this}}"}) {
    for (size_t at = 0; (at = sql.find(word, at)) != std::string::npos; at += table.size()) {
      sql.replace(at, word.size(), table);
    }
  }
  return sql;
}

class SqlAsset : public Asset {
 public:
  SqlAsset(transform::Models& models, transform::Model model, std::vector<TableUse> inputs)
      : models_(models), model_(std::move(model)), inputs_(std::move(inputs)) {}

  std::vector<std::string> outputs() const override { return {model_.name}; }
  std::vector<TableUse> inputs() const override { return inputs_; }

  StepResult run(const StepContext& context) override {
    const bool full = context.task.parameter(kFullRefresh) == "true";
    const auto done = models_.run(model_, context.task, full, context.succeeded);
    StepResult result;
    result.rows = done.rows;
    result.message = done.action;
    if (done.rows) result.message += fmt::format(", {} rows", *done.rows);
    size_t warnings = 0;
    for (const auto& check : done.checks) warnings += check.outcome != quality::Outcome::kPass;
    if (!done.checks.empty()) {
      result.message += fmt::format(", {} checks", done.checks.size());
      if (warnings > 0) result.message += fmt::format(" ({} warnings)", warnings);
      result.metadata["checks"] = done.checks.size();
      result.metadata["warnings"] = warnings;
    }
    return result;
  }

 private:
  transform::Models& models_;
  const transform::Model model_;
  const std::vector<TableUse> inputs_;
};

class SqlKind : public AssetKind {
 public:
  explicit SqlKind(transform::Models& models) : models_(models) {}
  std::string_view word() const override { return "sql"; }
  std::vector<base::Shape> shape() const override { return transform::model_shape(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    auto model =
        transform::parse_model(from.name, from.node, from.document, "pipelines", from.files);
    if (!model) return {};
    const size_t schema = model->name.find('.') + 1;
    const size_t table = model->name.rfind('.');
    const Location& begin = model->location;
    SqlTables tables;
    try {
      tables =
          tables_in(with_this(model->sql, model->name), begin.file,
                    model->name.substr(0, schema - 1), model->name.substr(schema, table - schema));
    } catch (Error& error) {
      throw error.at(begin.file, placed(error.location(), begin).line,
                     placed(error.location(), begin).column);
    }
    for (TableUse& use : tables.reads) use.where = placed(use.where, begin);
    add_condition_tables(model->new_rows, begin, model->name, tables.reads);
    add_check_tables(model->checks, model->name, tables.reads);
    std::vector<NamedAsset> assets;
    const std::string name = from.name;
    assets.push_back(
        {name, std::make_unique<SqlAsset>(models_, std::move(*model), std::move(tables.reads))});
    return assets;
  }

 private:
  /// A place in the text, in the file the text begins somewhere in.
  static Location placed(const Location& in_text, const Location& begin) {
    Location place = in_text;
    place.file = begin.file;
    if (begin.known() && place.known()) {
      if (place.line == 1) place.column += begin.column - 1;
      place.line += begin.line - 1;
    }
    return place;
  }

  transform::Models& models_;
};

}  // namespace

std::unique_ptr<AssetKind> sql_kind(transform::Models& models) {
  return std::make_unique<SqlKind>(models);
}

}  // namespace meesh::pipelines
