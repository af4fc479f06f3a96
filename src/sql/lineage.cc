#include "sql/lineage.h"

#include <algorithm>

#include "sql/lexer.h"
#include "sql/lineage_trace.h"

namespace meesh::sql {
namespace {

constexpr std::string_view kNames[] = {"IDENTITY",    "TRANSFORMATION", "AGGREGATION",
                                       "CONDITIONAL", "WINDOW",         "JOIN",
                                       "GROUP_BY",    "FILTER",         "SORT"};

std::vector<std::string> visible_columns(const TableInfo& info) {
  std::vector<std::string> names;
  for (const auto& column : info.columns) {
    if (!column.hidden) names.push_back(column.name);
  }
  return names;
}

TableColumns columns_of(const TableInfo& info) {
  TableColumns out{info.name, {}};
  for (const auto& column : info.columns) {
    if (column.hidden) continue;
    const bool known = column.type.kind != TypeKind::kUnknown;
    out.columns.emplace_back(column.name, known ? column.type.display() : "");
  }
  return out;
}

std::vector<std::string> texts(const std::vector<Ident>& idents) {
  std::vector<std::string> out;
  for (const auto& ident : idents) out.push_back(ident.value);
  return out;
}

TableName name_of(const Name& qualified) {
  return {qualified.at(0).value, qualified.at(1).value, qualified.at(2).value};
}

/// Makes the Lineage of one statement.
class Maker {
 public:
  Maker(std::string statement, const Analysis& analysis) {
    lineage_.statement = std::move(statement);
    for (const auto& info : analysis.writes) {
      lineage_.outputs.push_back(info.name);
      if (!info.columns.empty()) lineage_.tables.push_back(columns_of(info));
    }
    for (const auto& info : analysis.reads) {
      const bool run =
          info.kind == TableInfo::Kind::kView ||
          (info.kind == TableInfo::Kind::kMaterializedView && info.duckdb_source.empty());
      (run ? lineage_.views : lineage_.inputs).push_back(info.name);
      lineage_.tables.push_back(columns_of(info));
    }
  }

  /// Does `follow`, which fills values_ and rows_; what cannot be followed is said to be so.
  template <typename Follow>
  Lineage make(const Follow& follow) {
    try {
      follow();
    } catch (const Error& error) {
      rows_ = {{}, error.message()};
      for (auto& [column, value] : values_) value = {{}, error.message()};
    }
    for (const auto& [column, value] : values_) {
      const bool known = value.lost.empty();
      lineage_.columns.push_back(
          {column, known ? sources(value) : std::vector<ColumnSource>{}, value.lost});
    }
    lineage_.rows_reason = rows_.lost;
    if (rows_.lost.empty()) lineage_.rows = sources(rows_);
    return std::move(lineage_);
  }

  Lineage of_query(const Query& query, const std::vector<std::string>& columns) {
    for (const auto& column : columns) values_.emplace_back(column, LineageTrace::Value{});
    return make([&] {
      auto rows = trace_.query(query);
      rows_ = std::move(rows.chosen_by);
      for (size_t i = 0; i < values_.size() && i < rows.columns.size(); ++i) {
        values_[i].second = std::move(rows.columns[i]);
      }
    });
  }

  Lineage of_update(const Update& update) {
    return make([&] {
      trace_.table(*update.table);
      assign(update.assignments);
      if (update.where) filter(*update.where, Influence::kFilter);
    });
  }

  Lineage of_delete(const Delete& remove) {
    return make([&] {
      trace_.table(*remove.table);
      if (remove.where) filter(*remove.where, Influence::kFilter);
    });
  }

  Lineage of_merge(const Merge& merge) {
    return make([&] {
      trace_.table(*merge.table);
      trace_.relation(*merge.source, rows_);
      filter(*merge.on, Influence::kJoin);
      for (const auto& when : merge.cases) {
        if (when.condition) filter(*when.condition, Influence::kFilter);
        assign(when.assignments);
        for (size_t i = 0; i < when.insert_columns.size(); ++i) {
          trace_.add(value(when.insert_columns[i].value),
                     trace_.expression(*when.insert_values.at(i)));
        }
      }
    });
  }

  Lineage& lineage() { return lineage_; }

 private:
  LineageTrace::Value& value(const std::string& column) {
    for (auto& [name, value] : values_) {
      if (name == column) return value;
    }
    return values_.emplace_back(column, LineageTrace::Value{}).second;
  }

  void assign(const std::vector<std::pair<Ident, ExprPtr>>& assignments) {
    for (const auto& [name, expr] : assignments) {
      trace_.add(value(name.value), trace_.expression(*expr));
    }
  }

  void filter(const Expr& condition, Influence influence) {
    trace_.add(rows_, trace_.expression(condition), influence);
  }

  std::vector<ColumnSource> sources(const LineageTrace::Value& value) {
    std::vector<ColumnSource> out;
    for (const auto& [origin, influences] : value.from) {
      ColumnSource source{trace_.tables().at(origin.first), origin.second, {}};
      bool direct = false;
      for (size_t i = 0; i < std::size(kNames); ++i) {
        const auto influence = static_cast<Influence>(i);
        if (!(influences & bit(influence))) continue;
        source.influences.insert(influence);
        direct = direct || is_direct(influence);
      }
      // UPDATE and MERGE read values of the table that they write.
      auto& inputs = lineage_.inputs;
      if (direct && std::find(inputs.begin(), inputs.end(), source.table) == inputs.end()) {
        inputs.push_back(source.table);
      }
      out.push_back(std::move(source));
    }
    return out;
  }

  Lineage lineage_;
  LineageTrace trace_;
  std::vector<std::pair<std::string, LineageTrace::Value>> values_;
  LineageTrace::Value rows_;
};

std::string definition_word(const CreateView& create) {
  return create.materialized ? "CREATE MATERIALIZED VIEW" : "CREATE VIEW";
}

std::optional<Lineage> of_create(const Statement& statement, const Analysis& analysis,
                                 CatalogReader& catalogs) {
  const TableInfo& made = analysis.writes.at(0);
  const auto there = [&](bool if_not_exists) {
    return if_not_exists && catalogs.table(made.name).has_value();
  };
  Lineage lineage;
  if (const auto* create = try_as<const CreateTableAs>(&statement)) {
    if (there(create->if_not_exists)) return std::nullopt;
    if (create->with_data) {
      lineage = Maker("CREATE TABLE AS SELECT", analysis)
                    .of_query(*create->query, texts(create->columns));
    } else {
      lineage.statement = "CREATE TABLE AS SELECT";  // WITH NO DATA: nothing flows
      lineage.outputs = {made.name};
      lineage.tables = {columns_of(made)};
    }
  } else if (const auto* view = try_as<const CreateView>(&statement)) {
    if (there(view->if_not_exists)) return std::nullopt;
    lineage = Maker(definition_word(*view), analysis).of_query(*view->query, visible_columns(made));
  } else {
    if (there(as<CreateTable>(statement).if_not_exists)) return std::nullopt;
    lineage.statement = "CREATE TABLE";
    lineage.outputs = {made.name};
    lineage.tables = {columns_of(made)};
  }
  lineage.replaces = true;
  return lineage;
}

std::optional<Lineage> of_alter(const AlterTable& alter, const Analysis& analysis) {
  const TableInfo& table = analysis.writes.at(0);
  if (table.columns.empty()) return std::nullopt;  // IF EXISTS, and there is none
  const auto has = [&](const Name& column) {
    const auto names = visible_columns(table);
    return column.size() == 1 && std::any_of(names.begin(), names.end(), [&](const auto& name) {
             return lower(name) == lower(column[0].value);
           });
  };
  switch (alter.action) {
    case AlterTable::Action::kRename:
      return lineage_of_rename("RENAME TABLE", table.name, name_of(alter.target));
    case AlterTable::Action::kRenameColumn: {
      if (!has(alter.column_name)) return std::nullopt;
      Lineage lineage;
      lineage.statement = "RENAME COLUMN";
      lineage.inputs = lineage.outputs = {table.name};
      lineage.columns = {{lower(alter.new_name->value),
                          {{table.name, lower(alter.column_name[0].value), {Influence::kIdentity}}},
                          ""}};
      return lineage;
    }
    case AlterTable::Action::kDropColumn: {
      if (!has(alter.column_name)) return std::nullopt;
      Lineage lineage;
      lineage.statement = "DROP COLUMN";
      lineage.outputs = {table.name};
      lineage.columns = {{lower(alter.column_name[0].value), {}, ""}};
      return lineage;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

bool is_direct(Influence influence) { return influence <= Influence::kAggregation; }

std::string_view influence_name(Influence influence) {
  return kNames[static_cast<size_t>(influence)];
}

std::optional<Influence> influence_of(std::string_view name) {
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Influence>(found - std::begin(kNames));
}

std::optional<Lineage> lineage_of(const Statement& statement, const Analysis& analysis,
                                  CatalogReader& catalogs) {
  if (analysis.writes.empty()) return std::nullopt;
  const TableInfo& written = analysis.writes.front();
  switch (statement.kind) {
    case StatementKind::kInsert: {
      const auto& insert = as<Insert>(statement);
      return Maker("INSERT", analysis).of_query(*insert.query, texts(insert.columns));
    }
    case StatementKind::kUpdate:
      return Maker("UPDATE", analysis).of_update(as<Update>(statement));
    case StatementKind::kDelete:
      return Maker("DELETE", analysis).of_delete(as<Delete>(statement));
    case StatementKind::kMerge:
      return Maker("MERGE", analysis).of_merge(as<Merge>(statement));
    case StatementKind::kTruncate: {
      Lineage lineage = lineage_of_drop("TRUNCATE TABLE", written.name);
      lineage.replaces = true;
      return lineage;
    }
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAs:
    case StatementKind::kCreateView:
      return of_create(statement, analysis, catalogs);
    case StatementKind::kRefreshMaterializedView: {
      Maker maker("REFRESH MATERIALIZED VIEW", analysis);
      Lineage lineage =
          maker.of_query(*as<RefreshMaterializedView>(statement).query, visible_columns(written));
      lineage.replaces = true;
      return lineage;
    }
    case StatementKind::kAlterTable:
      return of_alter(as<AlterTable>(statement), analysis);
    case StatementKind::kDropTable:
    case StatementKind::kDropView:
    case StatementKind::kDropSchema:
      return lineage_of_drop(analysis.update_type, written.name);
    case StatementKind::kAlterView: {
      const auto& alter = as<AlterView>(statement);
      if (alter.action != "rename") return std::nullopt;
      return lineage_of_rename(analysis.update_type, written.name, name_of(alter.target));
    }
    default:
      return std::nullopt;
  }
}

Lineage lineage_of_view(const Statement& body, const Analysis& analysis, const TableInfo& view) {
  Maker maker("CREATE VIEW", analysis);
  maker.lineage().outputs = {view.name};
  maker.lineage().tables.push_back(columns_of(view));
  Lineage lineage = maker.of_query(*as<QueryStatement>(body).query, visible_columns(view));
  lineage.replaces = true;
  return lineage;
}

Lineage lineage_of_drop(std::string statement, TableName name) {
  Lineage lineage;
  lineage.statement = std::move(statement);
  lineage.outputs = {std::move(name)};
  return lineage;
}

Lineage lineage_of_rename(std::string statement, TableName from, TableName to) {
  Lineage lineage;
  lineage.statement = std::move(statement);
  lineage.inputs = {std::move(from)};
  lineage.outputs = {std::move(to)};
  return lineage;
}

}  // namespace meesh::sql
