#include "ingest/postgres_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "engine/ask.h"
#include "ingest/lake_types.h"
#include "ingest/landing.h"
#include "mesh/postgres_connection.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_text;
using sql::TypeKind;

namespace {

constexpr auto kLookback = std::chrono::minutes(5);
constexpr auto kLookbackOfDays = std::chrono::days(1);
constexpr int64_t kLookbackOfNumbers = 1000;

// Types whose text says all there is to them, or that come as what they are.
const std::set<std::string>& plain_types() {
  static const std::set<std::string> types = {
      "bool",   "int2", "int4", "int8",      "float4",      "float8", "numeric", "text", "varchar",
      "bpchar", "date", "time", "timestamp", "timestamptz", "uuid",   "bytea",   "name", "oid"};
  return types;
}

/// A relation as PostgreSQL's own catalog has it.
struct Relation {
  std::string name;  // real, perhaps of mixed case
  char kind = 'r';
  double rows = -1;
  std::vector<std::string> key;
  struct Column {
    std::string name, type, shown;  // "int4", "integer"; arrays end in []
  };
  std::vector<Column> columns;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_number(const sql::Type& type) {
  return type.kind == TypeKind::kSmallint || type.kind == TypeKind::kInteger ||
         type.kind == TypeKind::kBigint || (type.kind == TypeKind::kDecimal && type.scale == 0);
}
bool is_time(const sql::Type& type) {
  return type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestampTz ||
         type.kind == TypeKind::kDate;
}

/// How likely the column tells what is new; 0: it cannot.
int cursor_rank(const StreamColumn& column, const std::vector<std::string>& key) {
  const auto names = [&](std::string_view word) {
    return column.name.find(word) != std::string::npos;
  };
  if (is_time(column.type)) {
    if (names("updat") || names("modif") || names("chang")) return 5;
    if (names("creat") || names("insert")) return 3;
    return column.type.kind == TypeKind::kDate ? 1 : 2;
  }
  if (is_number(column.type) && key.size() == 1 && key[0] == column.name) return 4;
  return 0;
}

std::vector<std::string> likely_cursors(const Stream& stream) {
  std::vector<std::string> names;
  for (int rank = 5; rank > 0; --rank)
    for (const auto& column : stream.columns)
      if (cursor_rank(column, stream.key) == rank) names.push_back(column.name);
  return names;
}

class PostgresSource : public Source {
 public:
  PostgresSource(engine::Engine& engine, SourceConfig config, engine::PostgresOptions options)
      : engine_(engine), config_(std::move(config)), options_(std::move(options)) {}

  std::string_view kind() const override { return "postgresql"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override;

  engine::Engine& engine() { return engine_; }
  std::string table_sql(const std::string& stream) const {
    return engine::quote_table({options_.name, config_.schema, stream});
  }
  /// Rows on the server; throws an Error that names the source.
  std::vector<std::vector<std::string>> ask_server(const std::string& sql) const;

 private:
  std::string address(const std::string& table) const;
  std::map<std::string, Relation> relations(const std::string& only) const;
  std::vector<Stream> streams(const std::string& only);

  engine::Engine& engine_;
  const SourceConfig config_;
  const engine::PostgresOptions options_;
};

std::vector<std::vector<std::string>> PostgresSource::ask_server(const std::string& sql) const {
  try {
    return mesh::PostgresConnection(options_).execute(sql);
  } catch (const mesh::PostgresError& error) {
    const bool lost = error.sql_state().starts_with("08");
    throw Error(lost ? Code::kUnavailable : Code::kJdbcError,
                fmt::format("Source '{}': {}", config_.name, error.message()))
        .with_hint(lost ? fmt::format("is PostgreSQL running at {}:{}, and does it let {} in?",
                                      options_.host, options_.port, options_.user)
                        : "");
  }
}

std::string PostgresSource::check() {
  const auto found = ask_server(fmt::format(
      "SELECT current_setting('server_version'), (SELECT count(*) FROM pg_namespace WHERE "
      "lower(nspname) = {0}), (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE lower(n.nspname) = {0} AND c.relkind IN ('r', 'p', 'f') AND NOT "
      "c.relispartition)",
      quote_text(config_.schema)));
  const auto& row = found.at(0);
  if (row.at(1) == "0") {
    throw Error(Code::kSchemaNotFound,
                fmt::format("Source '{}': there is no schema '{}' in {}", config_.name,
                            config_.schema, options_.database));
  }
  for (const auto& [name, table] : config_.tables) describe(table);
  return fmt::format("PostgreSQL {}, schema {}, {} tables", row.at(0), config_.schema, row.at(2));
}

std::map<std::string, Relation> PostgresSource::relations(const std::string& only) const {
  const std::string which = fmt::format(
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {{}} WHERE lower(n.nspname) = "
      "{} AND c.relkind IN ('r', 'p', 'f', 'm', 'v') AND NOT c.relispartition{}",
      quote_text(config_.schema),
      only.empty() ? "" : fmt::format(" AND lower(c.relname) = {}", quote_text(only)));
  std::map<std::string, Relation> found;
  for (auto& row : ask_server("SELECT c.relname, c.relkind, c.reltuples " +
                              fmt::format(fmt::runtime(which), ""))) {
    Relation relation;
    relation.name = row.at(0);
    relation.kind = row.at(1).at(0);
    relation.rows = std::stod(row.at(2));
    found.emplace(lower(row.at(0)), std::move(relation));
  }
  const std::string keys =
      "SELECT c.relname, a.attname " +
      fmt::format(fmt::runtime(which),
                  "JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary CROSS JOIN LATERAL "
                  "unnest(i.indkey) WITH ORDINALITY AS k(number, place) JOIN pg_attribute a ON "
                  "a.attrelid = c.oid AND a.attnum = k.number") +
      " ORDER BY c.relname, k.place";
  for (const auto& row : ask_server(keys))
    if (const auto at = found.find(lower(row.at(0))); at != found.end())
      at->second.key.push_back(lower(row.at(1)));
  const std::string columns =
      "SELECT c.relname, a.attname, t.typname, format_type(a.atttypid, a.atttypmod) " +
      fmt::format(fmt::runtime(which),
                  "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
                  "a.attisdropped JOIN pg_type t ON t.oid = a.atttypid") +
      " ORDER BY c.relname, a.attnum";
  for (auto& row : ask_server(columns))
    if (const auto at = found.find(lower(row.at(0))); at != found.end())
      at->second.columns.push_back({lower(row.at(1)), row.at(2), row.at(3)});
  return found;
}

std::string PostgresSource::address(const std::string& table) const {
  const bool socket = options_.host.starts_with('/');
  return fmt::format("postgres://{}:{}/{}.{}.{}", socket ? "localhost" : options_.host,
                     options_.port, options_.database, config_.schema, table);
}

std::vector<Stream> PostgresSource::streams(const std::string& only) {
  const auto known = relations(only);
  const auto columns = engine::ask(
      engine_,
      fmt::format("SELECT table_name, column_name, data_type FROM {}.information_schema.columns "
                  "WHERE table_schema = {}{} ORDER BY table_name, ordinal_position",
                  quote_name(options_.name), quote_text(config_.schema),
                  only.empty() ? "" : fmt::format(" AND table_name = {}", quote_text(only))),
      ingest_session());
  std::map<std::string, Stream> streams;
  for (const auto& [name, relation] : known) {
    Stream& stream = streams[name];
    stream.name = name;
    stream.origin = fmt::format("{}.{}.{}", config_.name, config_.schema, name);
    stream.address = address(relation.name);
    stream.is_view = relation.kind == 'v' || relation.kind == 'm';
    stream.key = relation.key;
    stream.estimated_rows = relation.rows;
  }
  for (const auto& row : columns.rows) {
    const auto at = streams.find(row.at(0).value_or(""));
    if (at == streams.end()) continue;
    at->second.columns.push_back(
        {row.at(1).value_or(""), sql::Type::parse(row.at(2).value_or("")), ""});
  }
  std::vector<Stream> all;
  for (auto& [name, stream] : streams) {
    for (const auto& column : known.at(name).columns) {
      const auto at = std::ranges::find(stream.columns, column.name, &StreamColumn::name);
      if (at == stream.columns.end()) {
        stream.notes.push_back(
            fmt::format("column {} of type {} cannot be read", column.name, column.shown));
      } else if (!plain_types().contains(column.type) && column.type[0] != '_') {
        at->note = fmt::format("{} is kept as {}", column.shown, landed_type(at->type).display());
      }
    }
    stream.cursors = likely_cursors(stream);
    all.push_back(std::move(stream));
  }
  return all;
}

std::vector<Stream> PostgresSource::discover() { return streams(""); }

Stream PostgresSource::describe(const TableConfig& table) {
  auto found = streams(table.name);
  if (found.size() == 1) return std::move(found[0]);
  throw Error(Code::kTableNotFound,
              fmt::format("Source '{}' has no table '{}' in the schema '{}'", config_.name,
                          table.name, config_.schema),
              {table.line, table.column, config_.file.string()})
      .with_hint("meesh ingest discover " + config_.name + " lists those there are");
}

/// Everything, in one portion.
class WholeTable : public Reader {
 public:
  WholeTable(PostgresSource& source, ReadRequest request)
      : source_(source), request_(std::move(request)) {}

  std::optional<Portion> next(const TaskContext& context) override {
    if (std::exchange(done_, true)) return std::nullopt;
    Portion portion;
    portion.columns = wanted();
    portion.estimated_rows = request_.stream.estimated_rows;
    portion.query =
        fmt::format("SELECT {} FROM {} AS t", names("t"), source_.table_sql(request_.stream.name));
    narrow(portion, context);
    return portion;
  }

 protected:
  /// For those who take less than everything.
  virtual void narrow(Portion& portion, const TaskContext& context) {
    (void)portion, (void)context;
  }

  std::vector<StreamColumn> wanted() const {
    std::vector<StreamColumn> columns;
    for (const auto& column : request_.stream.columns)
      if (std::ranges::count(request_.table.exclude, column.name) == 0) columns.push_back(column);
    return columns;
  }
  std::string names(const std::string& alias) const {
    std::vector<std::string> names;
    for (const auto& column : wanted()) names.push_back(alias + "." + quote_name(column.name));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  PostgresSource& source_;
  const ReadRequest request_;
  bool done_ = false;
};

/// Rows whose cursor is at the position or beyond, and those shortly before it, that have not
/// landed: they were committed after rows with later cursors, or their clock is behind. The
/// position never goes beyond the server's own time, nor beyond the beginning of a transaction that
/// still writes, so that a cursor far in the future hides nothing: such rows are met again, and
/// left out as landed.
class NewRows : public WholeTable {
 public:
  NewRows(PostgresSource& source, ReadRequest request)
      : WholeTable(source, std::move(request)), cursor_(find(request_.table.cursor)) {}

 private:
  void narrow(Portion& portion, const TaskContext& context) override {
    const std::string table = source_.table_sql(request_.stream.name);
    const std::string cursor = "t." + quote_name(cursor_.name);
    const auto before = position();
    const std::string beyond = before ? fmt::format("{} >= {}", cursor, lower_bound(*before)) : "";
    const auto top = engine::ask(source_.engine(),
                                 fmt::format("SELECT CAST(max({}) AS varchar) FROM {} AS t{}",
                                             cursor, table, before ? " WHERE " + beyond : ""),
                                 ingest_session(), context.stop);
    portion.position = request_.position;
    if (before) {
      portion.query += " WHERE " + beyond;
      portion.estimated_rows = -1;
      if (!request_.landed.empty()) portion.query += " AND NOT EXISTS (" + landed(*before) + ")";
    }
    auto reached = top.rows.at(0).at(0);
    if (!reached) return;
    if (is_time(cursor_.type)) reached = std::min(plain_time(*reached), horizon());
    if (!before || greater(*reached, *before)) portion.position = {{"cursor", *reached}};
  }

  const StreamColumn& find(const std::string& name) const {
    const auto& columns = request_.stream.columns;
    const auto found = std::ranges::find(columns, name, &StreamColumn::name);
    if (found == columns.end()) {
      std::vector<std::string> names;
      for (const auto& column : columns) names.push_back(column.name);
      throw wrong(fmt::format("{} has no column '{}'", request_.stream.origin, name))
          .with_hint(base::did_you_mean(name, names, "columns: "));
    }
    return *found;
  }

  Error wrong(std::string message) const {
    return Error(Code::kColumnNotFound, std::move(message),
                 {request_.table.line, request_.table.column, ""});
  }

  std::optional<std::string> position() const {
    if (!request_.position.is_object()) return std::nullopt;
    const auto* found = request_.position.as_object().if_contains("cursor");
    if (!found || !found->is_string()) return std::nullopt;
    return std::string(found->as_string());
  }

  /// "2026-01-31 12:00:00.123456" of what CAST(… AS varchar) gives; instants are in UTC.
  static std::string plain_time(std::string text) {
    if (const size_t zone = text.find(" UTC"); zone != std::string::npos) text.resize(zone);
    return text;
  }
  bool greater(const std::string& a, const std::string& b) const {
    if (is_time(cursor_.type)) return a > b;
    const bool negative = b.starts_with('-');
    if (a.starts_with('-') != negative) return negative;
    const bool longer = a.size() != b.size() ? a.size() > b.size() : a > b;
    return negative ? !longer && a != b : longer;
  }

  std::string literal(const std::string& value) const {
    switch (cursor_.type.kind) {
      case TypeKind::kDate:
        return fmt::format("DATE '{}'", value);
      case TypeKind::kTimestamp:
        return fmt::format("TIMESTAMP '{}'", value);
      case TypeKind::kTimestampTz:
        return fmt::format("TIMESTAMP '{} UTC'", value);
      case TypeKind::kDecimal:
        return fmt::format("DECIMAL '{}'", value);
      default:
        return value;
    }
  }
  std::string lower_bound(const std::string& position) const {
    const auto& given = request_.table.lookback;
    if (is_number(cursor_.type))
      return fmt::format("{} - {}", literal(position), given.number.value_or(kLookbackOfNumbers));
    const bool day = cursor_.type.kind == TypeKind::kDate;
    const auto back = given.time.value_or(day ? std::chrono::seconds(kLookbackOfDays)
                                              : std::chrono::seconds(kLookback));
    if (!day) return fmt::format("{} - INTERVAL '{}' SECOND", literal(position), back.count());
    const auto days = std::chrono::ceil<std::chrono::days>(back).count();
    return fmt::format("{} - INTERVAL '{}' DAY", literal(position), days);
  }

  /// What the position may be at most: before it, nothing new can come but by clocks that are
  /// behind.
  std::string horizon() const {
    const bool zoned = cursor_.type.kind == TypeKind::kTimestampTz;
    const std::string now =
        "least(now(), (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL "
        "AND pid <> pg_backend_pid()))";
    // Nobody says whose time a column without zone is in: the earlier one is safe.
    const std::string moment =
        zoned ? now + " AT TIME ZONE 'UTC'"
              : fmt::format("least({0} AT TIME ZONE 'UTC', ({0})::timestamp)", now);
    const auto row = source_.ask_server(fmt::format(
        "SELECT to_char({}, '{}')", moment,
        cursor_.type.kind == TypeKind::kDate ? "YYYY-MM-DD" : "YYYY-MM-DD HH24:MI:SS.US"));
    return row.at(0).at(0);
  }

  /// The row of the table, if it has landed since the position less the lookback.
  std::string landed(const std::string& before) const {
    std::vector<std::string> key =
        request_.table.key.empty() ? request_.stream.key : request_.table.key;
    if (key.empty())
      for (const auto& column : wanted()) key.push_back(column.name);
    if (std::ranges::count(key, cursor_.name) == 0) key.push_back(cursor_.name);
    std::string same;
    for (const auto& name : key) {
      const auto there = std::ranges::find(request_.landed_columns, name, &StreamColumn::name);
      if (there == request_.landed_columns.end()) continue;  // new, and NULL in all that landed
      const auto& column = find(name);
      std::string value = landed_value("t." + quote_name(name), column.type);
      if (there->type != landed_type(column.type))
        value = fmt::format("CAST({} AS {})", value, there->type.display());
      same += fmt::format(" AND l.{} IS NOT DISTINCT FROM {}", quote_name(name), value);
    }
    const auto at = std::ranges::find(request_.landed_columns, cursor_.name, &StreamColumn::name);
    const bool comparable =
        at != request_.landed_columns.end() && at->type == landed_type(cursor_.type);
    return fmt::format(
        "SELECT 1 FROM {} AS l WHERE {}{}", request_.landed,
        comparable ? fmt::format("l.{} >= {}", quote_name(cursor_.name), lower_bound(before))
                   : "true",
        same);
  }

  const StreamColumn cursor_;
};

std::unique_ptr<Reader> PostgresSource::read(ReadRequest request) {
  if (request.stream.columns.empty()) {
    throw Error(Code::kNotSupported,
                fmt::format("{} has no column that can be read", request.stream.origin));
  }
  if (request.table.mode == Mode::kFullRefresh)
    return std::make_unique<WholeTable>(*this, std::move(request));
  return std::make_unique<NewRows>(*this, std::move(request));
}

}  // namespace

std::unique_ptr<Source> open_postgres_source(engine::Engine& engine, SourceConfig config,
                                             engine::PostgresOptions options) {
  return std::make_unique<PostgresSource>(engine, std::move(config), std::move(options));
}

}  // namespace meesh::ingest
