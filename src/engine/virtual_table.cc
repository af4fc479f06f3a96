#include "engine/virtual_table.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/log.h"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "engine/catalog_set.h"
#include "engine/duck_types.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

/// Ties the registered function to the set it reads.
struct VirtualSource : duckdb::TableFunctionInfo {
  explicit VirtualSource(CatalogSet& set) : catalogs(set) {}
  CatalogSet& catalogs;
};

struct VirtualBind : duckdb::TableFunctionData {
  CatalogSet* catalogs = nullptr;
  const VirtualTable* table = nullptr;
  TableRequest request;
  duckdb::vector<duckdb::LogicalType> types;
};

struct VirtualState : duckdb::GlobalTableFunctionState {
  std::vector<VirtualRow> rows;
  size_t next = 0;
  duckdb::vector<duckdb::column_t> columns;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<VirtualBind>();
  data->catalogs = &input.info->Cast<VirtualSource>().catalogs;
  TableRequest& request = data->request;
  request.catalog = input.inputs.at(0).ToString();
  request.schema = input.inputs.at(1).ToString();
  request.table = input.inputs.at(2).ToString();
  if (input.inputs.size() > 3 && !input.inputs[3].IsNull())
    request.schema_equals = input.inputs[3].ToString();
  if (input.inputs.size() > 4 && !input.inputs[4].IsNull())
    request.table_equals = input.inputs[4].ToString();
  data->table = find_virtual_table(request.catalog, request.schema, request.table);
  if (!data->table) {
    raise(Code::kTableNotFound, "Table '" + request.catalog + "." + request.schema + "." +
                                    request.table + "' does not exist");
  }
  for (const auto& column : data->table->columns) {
    names.push_back(column.name);
    types.push_back(to_duckdb(column.type));
  }
  data->types = types;
  return data;
}

const duckdb::Expression& without_casts(const duckdb::Expression& expression) {
  const duckdb::Expression* e = &expression;
  while (e->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
    e = e->Cast<duckdb::BoundCastExpression>().child.get();
  }
  return *e;
}

std::optional<std::string> constant_text(const duckdb::Expression& expression) {
  const auto& bare = without_casts(expression);
  if (bare.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return std::nullopt;
  const auto& value = bare.Cast<duckdb::BoundConstantExpression>().value;
  if (value.IsNull() || value.type().id() != duckdb::LogicalTypeId::VARCHAR) return std::nullopt;
  return value.ToString();
}

/// The one text that a pattern of LIKE matches; nothing for one that matches others too.
std::optional<std::string> only_match(const std::string& pattern, const std::string& escape) {
  std::string text;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' || pattern[i] == '_') return std::nullopt;
    if (escape.size() == 1 && pattern[i] == escape[0] && ++i == pattern.size())
      return std::nullopt;  // an error, which is not ours to raise
    text += pattern[i];
  }
  return text;
}

/// A column and the only text that passes the filter.
struct Hint {
  const duckdb::Expression* column = nullptr;
  std::optional<std::string> text;
};

/// Of `column = 'text'` and of `column LIKE 'te\_xt' ESCAPE '\'`, which is how drivers ask.
Hint hint_of(const duckdb::Expression& filter) {
  if (filter.GetExpressionType() == duckdb::ExpressionType::COMPARE_EQUAL) {
    auto& comparison = filter.Cast<duckdb::BoundComparisonExpression>();
    if (auto text = constant_text(*comparison.right)) return {comparison.left.get(), text};
    return {comparison.right.get(), constant_text(*comparison.left)};
  }
  if (filter.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return {};
  auto& call = filter.Cast<duckdb::BoundFunctionExpression>();
  const bool escaped = call.function.name == "like_escape" && call.children.size() == 3;
  if (!escaped && (call.function.name != "~~" || call.children.size() != 2)) return {};
  const auto pattern = constant_text(*call.children[1]);
  const auto escape = escaped ? constant_text(*call.children[2]) : std::string();
  if (!pattern || !escape) return {};
  return {call.children[0].get(), only_match(*pattern, *escape)};
}

/// Takes what the filter says as a hint; the filter itself stays where it is.
void take_hint(const duckdb::LogicalGet& get, VirtualBind& data, const duckdb::Expression& filter) {
  if (filter.GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONJUNCTION &&
      filter.GetExpressionType() == duckdb::ExpressionType::CONJUNCTION_AND) {
    for (auto& part : filter.Cast<duckdb::BoundConjunctionExpression>().children)
      take_hint(get, data, *part);
    return;
  }
  const Hint hint = hint_of(filter);
  if (!hint.text) return;
  const auto& column = without_casts(*hint.column);
  if (column.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return;
  const auto& reference = column.Cast<duckdb::BoundColumnRefExpression>();
  if (reference.binding.table_index != get.table_index) return;
  const auto& ids = get.GetColumnIds();
  const auto at = static_cast<duckdb::idx_t>(reference.binding.column_index);
  if (at >= ids.size() || ids[at].IsRowIdColumn() ||
      ids[at].GetPrimaryIndex() >= data.table->columns.size())
    return;
  const std::string& name = data.table->columns[ids[at].GetPrimaryIndex()].name;
  if (name == data.table->catalog_column) data.request.catalog_equals = hint.text;
  if (name == data.table->schema_column) data.request.schema_equals = hint.text;
  if (name == data.table->table_column) data.request.table_equals = hint.text;
}

void take_hints(duckdb::ClientContext&, duckdb::LogicalGet& get, duckdb::FunctionData* bind_data,
                duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) {
  for (const auto& filter : filters) take_hint(get, bind_data->Cast<VirtualBind>(), *filter);
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init(duckdb::ClientContext&,
                                                          duckdb::TableFunctionInitInput& input) {
  const auto& data = input.bind_data->Cast<VirtualBind>();
  auto state = duckdb::make_uniq<VirtualState>();
  state->columns = input.column_ids;
  TableRequest request = data.request;
  const auto& columns = data.table->columns;
  request.details =
      std::any_of(state->columns.begin(), state->columns.end(), [&](const duckdb::column_t column) {
        return column < columns.size() && columns[column].name == data.table->detail_column;
      });
  try {
    state->rows = data.table->rows(*data.catalogs, request);
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
  return state;
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const auto& data = input.bind_data->Cast<VirtualBind>();
  auto& state = input.global_state->Cast<VirtualState>();
  duckdb::idx_t count = 0;
  for (; count < STANDARD_VECTOR_SIZE && state.next < state.rows.size(); ++count, ++state.next) {
    auto& row = state.rows[state.next];
    for (duckdb::idx_t i = 0; i < state.columns.size(); ++i) {
      const auto column = state.columns[i];
      if (column >= data.types.size()) continue;  // count(*) asks for no column
      // Copied, not moved: a column may be asked for twice.
      auto value = row.at(column);
      value.Reinterpret(data.types[column]);
      output.SetValue(i, count, value);
    }
  }
  output.SetCardinality(count);
}

using Key = std::pair<std::string, std::string>;

std::map<Key, const VirtualTable*> index_of(const std::vector<VirtualTable>& tables) {
  std::map<Key, const VirtualTable*> found;
  for (const auto& table : tables) found.emplace(Key{table.schema, table.name}, &table);
  return found;
}

}  // namespace

sql::TableInfo VirtualTable::describe(const std::string& catalog) const {
  sql::TableInfo info;
  info.name = {catalog, schema, name};
  for (const auto& column : columns) {
    sql::ColumnInfo described;
    described.name = column.name;
    described.type = column.type;
    described.hidden = column.hidden;
    info.columns.push_back(std::move(described));
  }
  info.duckdb_source = "meesh_virtual(" + quote_string(catalog) + ", " + quote_string(schema) +
                       ", " + quote_string(name) + ")";
  return info;
}

std::vector<VirtualColumn> text_columns(std::initializer_list<const char*> names) {
  std::vector<VirtualColumn> columns;
  for (const char* name : names) columns.push_back(text_column(name));
  return columns;
}

duckdb::Value time_or_null(std::chrono::system_clock::time_point time) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  if (micros == 0) return duckdb::Value(duckdb::LogicalType::TIMESTAMP_TZ);
  // Milliseconds are what the column's type tells.
  return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros / 1000 * 1000));
}

namespace {

bool wanted(const TableRequest& request, const std::string& schema, const std::string& table) {
  return (!request.schema_equals || *request.schema_equals == schema) &&
         (!request.table_equals || *request.table_equals == table);
}

/// Calls `use` for the tables that are made here: those of `system` and the information_schema.
void for_each_virtual(const std::string& catalog, const TableRequest& request,
                      const std::function<void(const VirtualTable&)>& use) {
  if (catalog == "system") {
    for (const auto& table : system_tables()) {
      if (wanted(request, table.schema, table.name)) use(table);
    }
  }
  for (const auto& table : information_schema_tables()) {
    if (wanted(request, table.schema, table.name)) use(table);
  }
}

/// The one table; none if it was dropped meanwhile, or is a view in another dialect than Trino's.
std::vector<sql::TableInfo> described(Catalog& source, const sql::TableName& name) {
  std::vector<sql::TableInfo> found;
  try {
    if (auto info = source.table(name.schema, name.table)) found.push_back(std::move(*info));
  } catch (const Error& error) {
    if (error.code() != Code::kNotSupported) throw;
  }
  return found;
}

bool asks_the_source(const std::string& catalog, const TableRequest& request) {
  return catalog != "system" && request.schema_equals != "information_schema";
}

}  // namespace

std::vector<sql::TableInfo> tables_of(CatalogSet& catalogs, const std::string& catalog,
                                      const TableRequest& request) {
  std::vector<sql::TableInfo> found;
  if (asks_the_source(catalog, request)) {
    const auto source = catalogs.get(catalog);
    auto* lister = dynamic_cast<TableLister*>(source.get());
    if (request.schema_equals && request.table_equals) {
      if (auto info = source->table(*request.schema_equals, *request.table_equals))
        found.push_back(std::move(*info));
    } else if (lister && request.table_equals) {
      for (const auto& [name, kind] : lister->list("")) {
        if (name.table != *request.table_equals) continue;
        for (auto& info : described(*source, name)) found.push_back(std::move(info));
      }
    } else {
      for (auto& info : source->describe(request.schema_equals.value_or(""))) {
        if (wanted(request, info.name.schema, info.name.table)) found.push_back(std::move(info));
      }
    }
  }
  for_each_virtual(catalog, request,
                   [&](const VirtualTable& table) { found.push_back(table.describe(catalog)); });
  return found;
}

std::vector<ListedTable> list_of(CatalogSet& catalogs, const std::string& catalog,
                                 const TableRequest& request) {
  std::vector<ListedTable> found;
  if (asks_the_source(catalog, request)) {
    const auto source = catalogs.get(catalog);
    auto* lister = dynamic_cast<TableLister*>(source.get());
    if (!lister || (request.schema_equals && request.table_equals)) {
      for (const auto& info : tables_of(catalogs, catalog, request))
        found.push_back({info.name, info.kind});
      return found;
    }
    for (auto& table : lister->list(request.schema_equals.value_or(""))) {
      if (wanted(request, table.name.schema, table.name.table)) found.push_back(std::move(table));
    }
    std::sort(found.begin(), found.end(), [](const ListedTable& a, const ListedTable& b) {
      return std::tie(a.name.schema, a.name.table) < std::tie(b.name.schema, b.name.table);
    });
  }
  for_each_virtual(catalog, request, [&](const VirtualTable& table) {
    found.push_back({{catalog, table.schema, table.name}, sql::TableInfo::Kind::kTable});
  });
  return found;
}

namespace {

/// Calls `read` for each catalog that is asked for. One that cannot be reached or has just gone is
/// left out with a warning in the log.
void for_each_catalog(CatalogSet& catalogs, const TableRequest& request,
                      const std::function<void(const std::string&)>& read) {
  for (const auto& catalog : catalogs.names()) {
    if (request.catalog_equals && *request.catalog_equals != catalog) continue;
    try {
      read(catalog);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kExternal && error.code() != Code::kCatalogNotFound) throw;
      log::warn("a catalog is left out of a listing",
                {{"catalog", catalog}, {"error", error.what()}});
    }
  }
}

}  // namespace

void for_each_table(CatalogSet& catalogs, const TableRequest& request,
                    const std::function<void(const sql::TableInfo&)>& use) {
  for_each_catalog(catalogs, request, [&](const std::string& catalog) {
    for (const auto& table : tables_of(catalogs, catalog, request)) use(table);
  });
}

void for_each_listed(CatalogSet& catalogs, const TableRequest& request,
                     const std::function<void(const ListedTable&)>& use) {
  for_each_catalog(catalogs, request, [&](const std::string& catalog) {
    for (const auto& table : list_of(catalogs, catalog, request)) use(table);
  });
}

std::vector<std::pair<std::string, std::string>> all_schemas(CatalogSet& catalogs,
                                                             const TableRequest& request) {
  std::vector<std::pair<std::string, std::string>> found;
  for_each_catalog(catalogs, request, [&](const std::string& catalog) {
    for (auto& schema : catalogs.schemas(catalog)) found.emplace_back(catalog, std::move(schema));
  });
  return found;
}

const VirtualTable* find_virtual_table(const std::string& catalog, const std::string& schema,
                                       const std::string& table) {
  static const auto information_schema = index_of(information_schema_tables());
  static const auto system = index_of(system_tables());
  const auto& tables = schema == "information_schema" ? information_schema : system;
  if (schema != "information_schema" && catalog != "system") return nullptr;
  const auto found = tables.find({schema, table});
  return found == tables.end() ? nullptr : found->second;
}

void register_virtual_tables(duckdb::DatabaseInstance& instance, CatalogSet& catalogs) {
  const auto varchar = duckdb::LogicalType::VARCHAR;
  duckdb::TableFunctionSet set("meesh_virtual");
  for (const size_t hints : {0, 1, 2}) {
    duckdb::vector<duckdb::LogicalType> arguments(3 + hints, varchar);
    duckdb::TableFunction function("meesh_virtual", arguments, scan, bind, init);
    function.projection_pushdown = true;
    function.pushdown_complex_filter = take_hints;
    function.function_info = duckdb::make_shared_ptr<VirtualSource>(catalogs);
    set.AddFunction(function);
  }
  duckdb::ExtensionLoader loader(instance, "meesh");
  loader.RegisterFunction(set);
}

}  // namespace meesh::engine
