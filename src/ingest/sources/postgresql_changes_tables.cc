#include "ingest/sources/postgresql_changes_tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace meesh::ingest {

using sql::Type;
using sql::TypeKind;

namespace {

/// Whether an element of an array survives the way through JSON.
bool fits_json(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
    case TypeKind::kVarchar:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
      return true;
    default:
      return false;
  }
}

Type carried_array(Type type) {
  if (type.kind != TypeKind::kArray) return fits_json(type) ? type : Type::varchar();
  return Type::array(carried_array(type.children.at(0)));
}

bool yes(const std::optional<std::string>& cell) { return cell && *cell == "t"; }
int number(const std::optional<std::string>& cell) { return cell ? std::stoi(*cell) : 0; }

std::vector<std::string> names_of(PostgresLink& link, const std::string& sql) {
  std::vector<std::string> names;
  for (auto& row : link.ask(sql)) names.push_back(row.at(0).value_or(""));
  return names;
}

constexpr const char* kIndexColumns =
    "SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY "
    "AS k(number, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number "
    "WHERE i.indrelid = {} AND {} AND k.place <= i.indnkeyatts ORDER BY k.place";

}  // namespace

std::string lower_case_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void PostgresTypes::load(PostgresLink& link, uint32_t oid) {
  const auto rows = link.ask(fmt::format(
      "SELECT CASE WHEN n.nspname = 'pg_catalog' THEN t.typname ELSE '' END, t.typtype, CASE WHEN "
      "e.oid IS NULL THEN NULL WHEN en.nspname = 'pg_catalog' THEN e.typname ELSE '' END, "
      "e.typtype, CASE WHEN b.oid IS NULL THEN NULL WHEN bn.nspname = 'pg_catalog' THEN b.typname "
      "ELSE '' END, b.typtype, t.typtypmod FROM pg_type t JOIN pg_namespace n ON n.oid = "
      "t.typnamespace LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' AND "
      "t.typlen = -1 LEFT JOIN pg_namespace en ON en.oid = e.typnamespace LEFT JOIN pg_type b ON "
      "b.oid = t.typbasetype AND t.typtype = 'd' LEFT JOIN pg_namespace bn ON bn.oid = "
      "b.typnamespace WHERE t.oid = {}",
      oid));
  engine::PostgresColumnType type;
  if (!rows.empty()) {
    const auto& row = rows[0];
    const auto word = [&](size_t at) { return row.at(at).value_or("b").substr(0, 1)[0]; };
    type.type = {row.at(0).value_or(""), word(1), -1};
    if (row.at(2)) type.element = {*row.at(2), word(3), -1};
    if (row.at(4)) type.base = {*row.at(4), word(5), number(row.at(6))};
  }
  known_[oid] = std::move(type);
}

std::optional<Type> PostgresTypes::type_of(PostgresLink& link, const PostgresColumn& column) {
  if (!known_.contains(column.type)) load(link, column.type);
  auto type = known_.at(column.type);
  type.type.modifier = column.modifier;
  if (type.element) type.element->modifier = column.modifier;
  type.dimensions = column.dimensions;
  const auto mapped = engine::map_postgres_type(type);
  if (!mapped) return std::nullopt;
  return mapped->type.kind == TypeKind::kArray ? carried_array(mapped->type) : mapped->type;
}

PostgresTable read_postgres_table(PostgresLink& link, const std::string& source,
                                  const std::string& schema, const TableConfig& config) {
  const auto found = link.ask(fmt::format(
      "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.relpersistence = 'p', "
      "pg_has_role(c.relowner, 'USAGE'), CASE WHEN c.relkind = 'p' THEN (SELECT "
      "sum(greatest(l.reltuples, 0)) FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = "
      "p.relid WHERE p.isleaf) ELSE c.reltuples END FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE lower(n.nspname) = {} AND lower(c.relname) = {} AND c.relkind IN "
      "('r', 'p', 'f', 'm', 'v')",
      postgres_text(schema), postgres_text(config.name)));
  if (found.size() != 1) {
    throw Error(Code::kTableNotFound,
                fmt::format("Source '{}' has no table '{}' in the schema '{}'", source, config.name,
                            schema),
                {config.line, config.column, ""})
        .with_hint("meesh ingest discover " + source + " lists those there are");
  }
  const auto& row = found[0];
  PostgresTable table;
  table.oid = static_cast<uint32_t>(std::stoul(*row.at(0)));
  table.schema = *row.at(1);
  table.name = *row.at(2);
  table.kind = row.at(3)->at(0);
  table.identity = row.at(4)->at(0);
  table.permanent = yes(row.at(5));
  table.mine = yes(row.at(6));
  table.rows = row.at(7) ? std::stod(*row.at(7)) : -1;
  for (const auto& column : link.ask(fmt::format(
           "SELECT attname, atttypid, atttypmod, attndims, attgenerated <> '', attnotnull FROM "
           "pg_attribute WHERE attrelid = {} AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
           table.oid)))
    table.columns.push_back({*column.at(0), static_cast<uint32_t>(std::stoul(*column.at(1))),
                             number(column.at(2)), number(column.at(3)), yes(column.at(4)),
                             yes(column.at(5))});
  table.primary =
      names_of(link, fmt::format(fmt::runtime(kIndexColumns), table.oid, "i.indisprimary"));
  table.identity_index =
      names_of(link, fmt::format(fmt::runtime(kIndexColumns), table.oid, "i.indisreplident"));
  return table;
}

std::vector<std::string> postgres_key(const PostgresTable& table, const TableConfig& config) {
  std::vector<std::string> key = config.key;
  if (key.empty() && table.identity == 'i') key = table.identity_index;
  if (key.empty() && table.identity != 'n') key = table.primary;
  if (key.empty() && table.identity == 'f')
    for (const auto& column : table.columns)
      if (!column.generated && config.takes(lower_case_name(column.name)))
        key.push_back(column.name);
  for (auto& name : key) name = lower_case_name(name);
  return key;
}

TableShape postgres_shape(PostgresLink& link, PostgresTypes& types, const TableConfig& config,
                          const std::string& origin, const std::vector<PostgresColumn>& columns,
                          const std::vector<std::string>& key, std::vector<size_t>& numbers) {
  TableShape shape;
  shape.table = config.name;
  shape.origin = origin;
  numbers.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = lower_case_name(columns[i].name);
    if (!config.takes(name)) continue;
    const auto type = types.type_of(link, columns[i]);
    if (!type) continue;
    shape.columns.push_back({name, *type, ""});
    numbers.push_back(i);
  }
  for (const auto& name : key) {
    const auto at = std::ranges::find(shape.columns, name, &StreamColumn::name);
    if (at == shape.columns.end()) {
      shape.key.clear();
      break;
    }
    shape.key.push_back(static_cast<size_t>(at - shape.columns.begin()));
  }
  return shape;
}

}  // namespace meesh::ingest
