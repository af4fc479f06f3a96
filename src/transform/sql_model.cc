// How a model stands in a file.
#include "transform/sql_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/ask.h"
#include "quality/parameters.h"
#include "sql/sql.h"

namespace meesh::transform {
namespace {

using base::Shape;
using yaml::Node;

Shape names(std::string doc) { return base::list(std::move(doc), base::text("Column.")); }

/// The shape has checked that the word is one of `words`.
template <class E>
E chosen(const Node& node, std::string_view key, std::initializer_list<const char*> words) {
  const Node* found = node.find(key);
  int index = 0;
  for (const char* word : words) {
    if (found && found->text == word) return static_cast<E>(index);
    ++index;
  }
  return E{};
}

class Reader {
 public:
  Reader(const Node& node, const yaml::Document& document, mesh::MeshFiles& files)
      : node_(node), document_(document), files_(files) {}

  std::optional<Model> read(const std::string& name, const std::filesystem::path& folder) {
    const size_t before = files_.problems().size();
    Model model;
    model.name = name;
    std::ranges::transform(model.name, model.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!quality::table_sql(name))
      problem(node_, fmt::format("'{}' is no name of a table", name),
              "a model is named after what it makes: catalog.schema.table");
    model.kind = chosen<Model::Kind>(node_, "materialized",
                                     {"view", "table", "incremental", "materialized_view"});
    model.strategy = chosen<Model::Strategy>(
        node_, "strategy", {"append", "merge", "delete+insert", "replace_partition"});
    model.on_schema_change = chosen<Model::SchemaChange>(node_, "on_schema_change",
                                                         {"fail", "ignore", "append_new_columns"});
    read_sql(model, *node_.find("sql"), folder);
    if (const Node* keys = node_.find("unique_key"))
      for (const Node& key : keys->items) model.unique_key.push_back(key.text);
    read_condition(model);
    pairs("partition", model.partition);
    properties(model);
    if (const Node* checks = node_.find("checks"))
      model.checks = quality::parse_checks(document_, *checks, files_.problems());
    model.suite = suite();
    agree(model);
    if (files_.problems().size() > before) return std::nullopt;
    return model;
  }

 private:
  void problem(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    files_.problems().push_back(std::move(error));
  }

  /// Relative to the mesh, as files of suites are named.
  std::string suite() const {
    const std::string root = files_.shown("");
    std::string name = document_.file;
    if (name.starts_with(root)) name.erase(0, root.size());
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
  }

  void read_sql(Model& model, const Node& sql, const std::filesystem::path& folder) {
    const bool is_file = sql.text.ends_with(".sql") && sql.text.find('\n') == std::string::npos;
    model.location = {sql.line, sql.column, document_.file};
    try {
      model.sql = sql.text;
      if (is_file) {
        const auto file = folder / sql.text;
        model.sql = files_.text(file);
        model.location = {1, 1, files_.shown(file)};
      }
      const auto statement = sql::parse(quality::without_parameters(model.sql));
      if (statement->kind != sql::StatementKind::kQuery)
        throw Error(Code::kSyntaxError, "A model is one query (SELECT or WITH)", {1, 1, ""});
    } catch (Error& e) {
      if (!e.location().file.empty()) {  // it cannot be read
        problem(sql, fmt::format("the file '{}' cannot be read", sql.text));
        return;
      }
      if (is_file)
        e.at(model.location.file, e.location().line, e.location().column);
      else
        e = document_.error(Code::kConfigInvalid, e.sql_message(), sql.line, sql.column)
                .with_hint(e.hint());
      files_.problems().push_back(e);
    }
  }

  void read_condition(Model& model) {
    const Node* condition = node_.find("new_rows");
    if (!condition) return;
    model.new_rows = condition->text;
    try {
      sql::parse_expression(quality::without_parameters(model.new_rows));
    } catch (const Error& e) {
      problem(*condition, e.sql_message(), e.hint());
    }
  }

  void pairs(std::string_view key, std::vector<std::pair<std::string, std::string>>& to) const {
    const Node* map = node_.find(key);
    for (size_t i = 0; map && i < map->keys.size(); ++i)
      to.emplace_back(map->keys[i].name, map->items[i].text);
  }

  /// Values as YAML has them become SQL: texts, numbers, lists of texts.
  void properties(Model& model) {
    const Node* map = node_.find("properties");
    for (size_t i = 0; map && i < map->keys.size(); ++i) {
      const Node& value = map->items[i];
      std::string sql;
      if (value.kind == Node::Kind::kSequence) {
        for (const Node& item : value.items)
          sql += (sql.empty() ? "" : ", ") + engine::quote_text(item.text);
        sql = "ARRAY[" + sql + "]";
      } else if (value.kind == Node::Kind::kMap) {
        problem(value, "a property is a value or a list of values");
      } else {
        sql = value.kind == Node::Kind::kText ? engine::quote_text(value.text) : value.text;
      }
      model.properties.emplace_back(map->keys[i].name, std::move(sql));
    }
  }

  void agree(const Model& model) {
    const auto given = [&](const char* key) { return node_.find(key) != nullptr; };
    const bool incremental = model.kind == Model::Kind::kIncremental;
    for (const char* key : {"strategy", "unique_key", "new_rows", "on_schema_change", "partition"})
      if (!incremental && given(key))
        problem(*node_.find(key), fmt::format("'{}' is for materialized: incremental", key));
    if (!incremental) return;
    const bool keyed = model.strategy == Model::Strategy::kMerge ||
                       model.strategy == Model::Strategy::kDeleteInsert;
    if (keyed && model.unique_key.empty())
      problem(node_, "the strategy needs to know which rows are the same",
              "write unique_key: [COLUMN]");
    if (!keyed && given("unique_key"))
      problem(*node_.find("unique_key"), "'unique_key' is for strategy: merge or delete+insert");
    const bool by_partition = model.strategy == Model::Strategy::kReplacePartition;
    if (by_partition && model.partition.empty())
      problem(node_, "the strategy needs to know the partition",
              "write partition: { _run_date: \"{{ run_date }}\" }");
    if (!by_partition && given("partition"))
      problem(*node_.find("partition"), "'partition' is for strategy: replace_partition");
  }

  const Node& node_;
  const yaml::Document& document_;
  mesh::MeshFiles& files_;
};

}  // namespace

std::vector<Shape> model_shape() {
  Shape sql = base::text("File (NAME.sql, beside the pipeline's folder) or the query itself.");
  sql.max_length = 65536;
  Shape condition = base::text("SQL condition that new rows meet, once the table is there.");
  condition.max_length = 65536;
  return {
      base::required("sql", std::move(sql)),
      base::optional(
          "materialized",
          base::choice("What is made.", {"view", "table", "incremental", "materialized_view"}),
          "table"),
      base::optional("strategy",
                     base::choice("How rows of a run join those that are there.",
                                  {"append", "merge", "delete+insert", "replace_partition"})),
      base::optional("unique_key", names("Columns that tell which rows are the same.")),
      base::optional("new_rows", std::move(condition)),
      base::optional("partition", base::map("The partition that a run makes: column and value.",
                                            "^[A-Za-z_][A-Za-z0-9_]*$", "a column",
                                            base::text("Value, such as {{ run_date }}."))),
      base::optional("on_schema_change", base::choice("What happens if the query's columns change.",
                                                      {"fail", "ignore", "append_new_columns"})),
      base::optional("properties",
                     base::map("Properties of the table, as in WITH (…).", "^[a-z][a-z0-9_]*$",
                               "a property", base::any("Value or list of texts."))),
      base::optional("checks", quality::checks_shape())};
}

std::optional<Model> parse_model(const std::string& name, const Node& node,
                                 const yaml::Document& document,
                                 const std::filesystem::path& folder, mesh::MeshFiles& files) {
  return Reader(node, document, files).read(name, folder);
}

}  // namespace meesh::transform
