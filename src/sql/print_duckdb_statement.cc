// DuckDB SQL: statements that change tables and schemas.
#include <fmt/format.h>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {

std::string duckdb_column_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
      return "INTEGER";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyint:
      return "TINYINT";
    case TypeKind::kSmallint:
      return "SMALLINT";
    case TypeKind::kInteger:
      return "INTEGER";
    case TypeKind::kBigint:
      return "BIGINT";
    case TypeKind::kReal:
      return "REAL";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kColor:
    case TypeKind::kJsonPath:
      return "VARCHAR";
    case TypeKind::kVarbinary:
    case TypeKind::kIpaddress:
    case TypeKind::kHyperLogLog:
    case TypeKind::kP4HyperLogLog:
    case TypeKind::kSetDigest:
    case TypeKind::kTdigest:
    case TypeKind::kQdigest:
      return "BLOB";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return type.precision > 6 ? "TIME_NS" : "TIME";
    case TypeKind::kTimeTz:
      return "TIMETZ";
    case TypeKind::kTimestamp:
      if (type.precision > 9) break;
      return type.precision > 6 ? "TIMESTAMP_NS" : "TIMESTAMP";
    case TypeKind::kTimestampTz:
      return "TIMESTAMPTZ";
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return "INTERVAL";
    case TypeKind::kUuid:
      return "UUID";
    case TypeKind::kJson:
      return "JSON";
    case TypeKind::kArray:
      return duckdb_column_type(type.children[0]) + "[]";
    case TypeKind::kMap:
      return fmt::format("MAP({}, {})", duckdb_column_type(type.children[0]),
                         duckdb_column_type(type.children[1]));
    case TypeKind::kRow: {
      std::string out = "STRUCT(";
      for (size_t i = 0; i < type.children.size(); ++i) {
        if (i) out += ", ";
        const std::string& name = type.field_names[i];
        out += duckdb_ident(name.empty() ? fmt::format("field{}", i) : name) + ' ' +
               duckdb_column_type(type.children[i]);
      }
      return out + ")";
    }
  }
  throw Error(Code::kNotSupported,
              fmt::format("Columns of type {} are not supported", type.display()))
      .with_hint("use a precision of 9 or less");
}

std::string duckdb_labelled_type(const Type& type) {
  return "trino_type(" + duckdb_string(type.display()) + ")";
}

namespace {

std::string column_type(const Statement& statement, const TypeNode& node) {
  const Type type = to_type(node);
  return statement.keeps_labels ? duckdb_labelled_type(type) : duckdb_column_type(type);
}

}  // namespace

void DuckdbPrinter::insert(const Insert& insert) {
  put("INSERT INTO " + insert.duckdb_target + " ");
  columns(insert.columns);
  put(" ");
  query(*insert.query);
}

void DuckdbPrinter::remove(const Delete& remove) {
  put("DELETE FROM " + remove.duckdb_target + " AS ");
  ident(remove.table->alias);
  if (!remove.where) return;
  put(" WHERE ");
  expr(*remove.where);
}

void DuckdbPrinter::assignments(const std::vector<std::pair<Ident, ExprPtr>>& assignments) {
  put("SET ");
  for (size_t i = 0; i < assignments.size(); ++i) {
    if (i) put(", ");
    ident(assignments[i].first.value);
    put(" = ");
    expr(*assignments[i].second);
  }
}

void DuckdbPrinter::update(const Update& update) {
  put("UPDATE " + update.duckdb_target + " AS ");
  ident(update.table->alias);
  put(" ");
  assignments(update.assignments);
  if (!update.where) return;
  put(" WHERE ");
  expr(*update.where);
}

void DuckdbPrinter::merge(const Merge& merge) {
  put("MERGE INTO " + merge.duckdb_target + " AS ");
  ident(merge.table->alias);
  put(" USING ");
  relation(*merge.source);
  put(" ON ");
  expr(*merge.on);
  for (const auto& when : merge.cases) {
    mark(when.pos);
    put(when.matched ? " WHEN MATCHED" : " WHEN NOT MATCHED");
    if (when.condition) {
      put(" AND ");
      expr(*when.condition);
    }
    switch (when.action) {
      case MergeCase::Action::kDelete:
        put(" THEN DELETE");
        break;
      case MergeCase::Action::kUpdate:
        put(" THEN UPDATE ");
        assignments(when.assignments);
        break;
      case MergeCase::Action::kInsert:
        put(" THEN INSERT ");
        columns(when.insert_columns);
        put(" VALUES (");
        list(when.insert_values);
        put(")");
        break;
    }
  }
}

namespace {

std::string create_prefix(bool or_replace, bool if_not_exists) {
  return std::string("CREATE ") + (or_replace ? "OR REPLACE " : "") + "TABLE " +
         (if_not_exists ? "IF NOT EXISTS " : "");
}

}  // namespace

void DuckdbPrinter::create_table(const CreateTable& create) {
  put(create_prefix(create.or_replace, create.if_not_exists) + create.duckdb_target + " (");
  for (size_t i = 0; i < create.elements.size(); ++i) {
    const ColumnDefinition& column = *create.elements[i].column;
    if (i) put(", ");
    mark(column.pos);
    ident(column.name.back().value);
    put(" " + column_type(create, *column.type));
    if (column.not_null) put(" NOT NULL");
    if (!column.default_value) continue;
    put(" DEFAULT ");
    expr(*column.default_value);
  }
  put(")");
}

void DuckdbPrinter::create_table_as(const CreateTableAs& create) {
  put(create_prefix(create.or_replace, create.if_not_exists) + create.duckdb_target +
      " AS SELECT * FROM (");
  query(*create.query);
  put(") AS \"query\"");
  columns(create.columns);
  if (!create.with_data) put(" WITH NO DATA");
}

void DuckdbPrinter::alter_table(const AlterTable& alter) {
  const auto column = [&](const Name& name) {
    if (name.size() > 1)
      fail(Code::kNotSupported, alter.pos, "Changing fields of rows is not supported");
    ident(lower(name.back().value));
  };
  put(std::string("ALTER TABLE ") + (alter.if_exists ? "IF EXISTS " : "") + alter.duckdb_target +
      " ");
  switch (alter.action) {
    case AlterTable::Action::kRename:
      put("RENAME TO ");
      return ident(alter.target.back().value);
    case AlterTable::Action::kAddColumn: {
      put(alter.column_if_not_exists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ");
      column(alter.column->name);
      put(" " + column_type(alter, *alter.column->type));
      if (alter.column->default_value) {
        put(" DEFAULT ");
        expr(*alter.column->default_value);
      }
      if (alter.column->not_null)
        fail(Code::kNotSupported, alter.column->pos, "Adding NOT NULL columns is not supported");
      return;
    }
    case AlterTable::Action::kDropColumn:
      put(alter.column_if_exists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN ");
      return column(alter.column_name);
    case AlterTable::Action::kRenameColumn:
      put("RENAME COLUMN ");
      column(alter.column_name);
      put(" TO ");
      return ident(lower(alter.new_name->value));
    case AlterTable::Action::kSetType:
      put("ALTER COLUMN ");
      column(alter.column_name);
      return put(" SET DATA TYPE " + column_type(alter, *alter.type));
    case AlterTable::Action::kSetDefault:
      put("ALTER COLUMN ");
      column(alter.column_name);
      put(" SET DEFAULT ");
      return expr(*alter.value);
    case AlterTable::Action::kDropDefault:
    case AlterTable::Action::kDropNotNull:
      put("ALTER COLUMN ");
      column(alter.column_name);
      return put(alter.action == AlterTable::Action::kDropDefault ? " DROP DEFAULT"
                                                                  : " DROP NOT NULL");
    case AlterTable::Action::kSetProperties:
    case AlterTable::Action::kSetAuthorization:
    case AlterTable::Action::kExecute:
      fail(Code::kNotSupported, alter.pos, "This ALTER TABLE is not supported");
  }
}

void DuckdbPrinter::comment(const CommentOn& comment) {
  const bool column = comment.target == "column";
  put(column ? "COMMENT ON COLUMN " : "COMMENT ON TABLE ");
  put(comment.duckdb_target);
  if (column) {
    put(".");
    ident(comment.name.back().value);
  }
  put(" IS " + (comment.comment ? duckdb_string(*comment.comment) : std::string("NULL")));
}

void DuckdbPrinter::statement(const Statement& s) {
  mark(s.pos);
  switch (s.kind) {
    case StatementKind::kQuery:
      return query(*as<QueryStatement>(s).query);
    case StatementKind::kExplain:
      put(as<Explain>(s).analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ");
      return statement(*as<Explain>(s).statement);
    case StatementKind::kInsert:
      return insert(as<Insert>(s));
    case StatementKind::kDelete:
      return remove(as<Delete>(s));
    case StatementKind::kUpdate:
      return update(as<Update>(s));
    case StatementKind::kMerge:
      return merge(as<Merge>(s));
    case StatementKind::kTruncate:
      return put("TRUNCATE " + s.duckdb_target);
    case StatementKind::kCreateTable:
      return create_table(as<CreateTable>(s));
    case StatementKind::kCreateTableAs:
      return create_table_as(as<CreateTableAs>(s));
    case StatementKind::kDropTable:
      return put(std::string("DROP TABLE ") + (as<DropTable>(s).if_exists ? "IF EXISTS " : "") +
                 s.duckdb_target);
    case StatementKind::kAlterTable:
      return alter_table(as<AlterTable>(s));
    case StatementKind::kCreateSchema:
      return put(std::string("CREATE SCHEMA ") +
                 (as<CreateSchema>(s).if_not_exists ? "IF NOT EXISTS " : "") + s.duckdb_target);
    case StatementKind::kDropSchema:
      return put(std::string("DROP SCHEMA ") + (as<DropSchema>(s).if_exists ? "IF EXISTS " : "") +
                 s.duckdb_target + (as<DropSchema>(s).cascade ? " CASCADE" : ""));
    case StatementKind::kComment:
      return comment(as<CommentOn>(s));
    default:
      fail(Code::kNotSupported, s.pos, "This statement is not run by DuckDB");
  }
}

}  // namespace meesh::sql
