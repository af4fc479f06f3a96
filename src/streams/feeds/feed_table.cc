#include "streams/feeds/feed_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace meesh::streams {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;
using sql::TypeKind;

namespace {

/// Looked for in this order; the last is what ksqlDB gives every row.
constexpr std::array<const char*, 5> kEventColumns = {"event_time", "timestamp", "event_timestamp",
                                                      "created_at", "rowtime"};
/// Whole numbers below it are seconds since 1970, others milliseconds: as seconds it is the year
/// 5138, as milliseconds 1973.
constexpr const char* kFirstMilliseconds = "100000000000";

bool ours(const std::string& column) {
  return column == kEventDate || column == kVersion || column == kExportedAt;
}

bool is_number(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return true;
    default:
      return false;
  }
}

bool tells_time(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kVarchar:
      return true;
    default:
      return is_number(type);
  }
}

/// Types that Iceberg does not have and that become text. Smaller numbers, times with fewer digits
/// and the like are widened by the lake itself.
bool becomes_text(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kJson:
    case TypeKind::kIpaddress:
    case TypeKind::kTimeTz:
    case TypeKind::kIntervalDayToSecond:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kUnknown:
      return true;
    default:
      return false;
  }
}

std::string storable(const std::string& value, const sql::Type& type) {
  if (!becomes_text(type)) return value;
  return type.kind == TypeKind::kJson ? fmt::format("json_format({})", value)
                                      : fmt::format("CAST({} AS varchar)", value);
}
std::string stored_type(const sql::Type& type) {
  return becomes_text(type) ? "varchar" : type.display();
}

/// Whether the lake can change a column of the type `table` so that it holds `values` as well.
bool widens(const sql::Type& table, const sql::Type& values) {
  if (table.kind == TypeKind::kInteger) return values.kind == TypeKind::kBigint;
  if (table.kind == TypeKind::kReal) return values.kind == TypeKind::kDouble;
  return table.kind == TypeKind::kDecimal && values.kind == TypeKind::kDecimal &&
         table.scale == values.scale && table.precision < values.precision;
}

}  // namespace

const FeedColumn* event_column(const FeedConfig& feed, const std::vector<FeedColumn>& columns) {
  const auto find = [&](const std::string& name) {
    const auto found = std::ranges::find(columns, name, &FeedColumn::name);
    return found == columns.end() ? nullptr : &*found;
  };
  if (feed.event_time.empty()) {
    for (const char* name : kEventColumns)
      if (const auto* column = find(name); column && tells_time(column->type)) return column;
    return nullptr;
  }
  const auto* column = find(feed.event_time);
  if (!column) {
    std::vector<std::string> names;
    for (const auto& known : columns) names.push_back(known.name);
    throw Error(Code::kColumnNotFound, fmt::format("{} has no column '{}', the event_time of the "
                                                   "feed '{}'",
                                                   feed.origin(), feed.event_time, feed.name))
        .with_hint(base::did_you_mean(feed.event_time, names, "its columns: "));
  }
  if (tells_time(column->type)) return column;
  throw Error(Code::kTypeMismatch, fmt::format("the event_time of the feed '{}' is {}, and no time",
                                               feed.name, column->type.display()))
      .with_hint(
          "a date, a timestamp, a text such as 2025-01-15T14:30:00Z, or a number of seconds "
          "or milliseconds since 1970");
}

std::string date_of(const FeedColumn& column, const std::string& qualifier) {
  const std::string value = qualifier + quote_name(column.name);
  switch (column.type.kind) {
    case TypeKind::kDate:
      return value;
    case TypeKind::kTimestamp:
      return fmt::format("CAST({} AS date)", value);
    case TypeKind::kTimestampTz:
      return fmt::format("CAST(at_timezone({}, 'UTC') AS date)", value);
    case TypeKind::kVarchar:
      // Without a zone it is the day that is written, with one the day in UTC.
      return fmt::format(
          "coalesce(IF(regexp_like({0}, '^\\s*[-+]?\\d+-\\d+-\\d+([T ][\\d:.]*)?\\s*$'), "
          "CAST(try_cast(replace({0}, 'T', ' ') AS timestamp(6)) AS date)), "
          "try(CAST(at_timezone(from_iso8601_timestamp({0}), 'UTC') AS date)), "
          "CAST(at_timezone(try_cast({0} AS timestamp(6) with time zone), 'UTC') AS date))",
          value);
    default:
      return fmt::format(
          "try(CAST(at_timezone(from_unixtime(CASE WHEN abs({0}) < {1} THEN CAST({0} AS double) "
          "ELSE CAST({0} AS double) / 1e3 END), 'UTC') AS date))",
          value, kFirstMilliseconds);
  }
}

FeedTable::FeedTable(engine::Engine& engine, const FeedSettings& settings, const FeedConfig& feed,
                     engine::Session session)
    : engine_(engine), settings_(settings), feed_(feed), session_(std::move(session)) {
  read_columns();
}

sql::TableName FeedTable::name() const { return {settings_.catalog, settings_.schema, feed_.name}; }
sql::TableName FeedTable::view() const {
  return {settings_.catalog, settings_.schema, feed_.name + "_current"};
}

std::string FeedTable::place() const {
  return fmt::format("{}/{}s/{}", settings_.location, type_name(feed_.type), feed_.name);
}

engine::Answer FeedTable::run(const std::string& sql, const TaskContext& context) const {
  return engine::ask(engine_, sql, session_, context.stop);
}

void FeedTable::read_columns() {
  columns_.clear();
  try {
    columns_ = columns_of_table(engine_, name());
  } catch (const Error& error) {
    if (error.code() != Code::kTableNotFound) throw;
  }
}

const FeedColumn* FeedTable::find(const std::string& name) const {
  const auto found = std::ranges::find(columns_, name, &FeedColumn::name);
  return found == columns_.end() ? nullptr : &*found;
}

Landed FeedTable::landed() const {
  Landed landed;
  if (!exists()) return landed;
  landed.table = quote_table(name());
  for (const auto& column : columns_)
    if (!ours(column.name)) landed.columns.push_back(column);
  return landed;
}

void FeedTable::create(const std::vector<FeedColumn>& columns, const TaskContext& context) {
  run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}.{}", quote_name(settings_.catalog),
                  quote_name(settings_.schema)),
      context);
  const bool stream = feed_.type == FeedType::kStream;
  std::vector<std::string> list;
  for (const auto& column : columns) {
    list.push_back(
        fmt::format("CAST(NULL AS {}) AS {}", stored_type(column.type), quote_name(column.name)));
  }
  list.push_back(stream ? fmt::format("CAST(NULL AS date) AS {}", kEventDate)
                        : fmt::format("CAST(NULL AS bigint) AS {}", kVersion));
  list.push_back(fmt::format("CAST(NULL AS timestamp(6) with time zone) AS {}", kExportedAt));
  const std::string layout =
      stream
          ? fmt::format("year={{{0}:%Y}}/month={{{0}:%m}}/day={{{0}:%d}}/data_{{file}}", kEventDate)
          : fmt::format("version=v{{{}}}/snapshot_{{file}}", kVersion);
  // Compaction would rewrite what the folders share with the table; they follow exports alone.
  run(fmt::format("CREATE TABLE IF NOT EXISTS {} WITH (location = {}, data_location = {}, "
                  "data_layout = {}, partitioning = ARRAY['{}'], extra_properties = MAP(ARRAY["
                  "'write.parquet.compression-codec', 'meesh.maintenance.compaction'], "
                  "ARRAY['snappy', 'false'])) AS SELECT {} WHERE false",
                  quote_table(name()), quote_text(place()), quote_text(place()), quote_text(layout),
                  stream ? kEventDate : kVersion, fmt::join(list, ", ")),
      context);
}

std::vector<std::string> FeedTable::prepare(const std::vector<FeedColumn>& columns,
                                            const TaskContext& context) {
  for (const auto& column : columns) {
    if (!ours(column.name)) continue;
    throw Error(Code::kDuplicateColumnName,
                fmt::format("{} has a column '{}', which feeds make themselves", feed_.origin(),
                            column.name))
        .with_hint("export a view that names it otherwise");
  }
  if (feed_.type == FeedType::kStream) event_column(feed_, columns);
  std::vector<std::string> changes;
  if (!exists()) {
    create(columns, context);
    read_columns();
    return changes;
  }
  if (!find(kExportedAt)) {
    throw Error(Code::kTableAlreadyExists,
                fmt::format("{} exists and is not the feed's: it has no column {}",
                            name().display(), kExportedAt))
        .with_hint(
            "give the feed another name, or the feeds another schema in "
            "feeds/settings.yaml");
  }
  changes = grow(columns, context);
  if (!changes.empty()) read_columns();
  return changes;
}

std::vector<std::string> FeedTable::grow(const std::vector<FeedColumn>& columns,
                                         const TaskContext& context) {
  std::vector<std::string> changes;
  for (const auto& column : columns) {
    const auto* there = find(column.name);
    const std::string type = stored_type(column.type), name = quote_name(column.name);
    if (!there) {
      run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", quote_table(this->name()), name, type),
          context);
      changes.push_back(fmt::format("column {} {} is new", column.name, type));
    } else if (widens(there->type, column.type)) {
      run(fmt::format("ALTER TABLE {} ALTER COLUMN {} SET DATA TYPE {}", quote_table(this->name()),
                      name, type),
          context);
      changes.push_back(
          fmt::format("column {} was {}, and is {} now", column.name, there->type.display(), type));
    }
  }
  return changes;
}

std::string FeedTable::event_date(const std::vector<FeedColumn>& columns,
                                  const std::string& today) const {
  const auto* column = event_column(feed_, columns);
  if (!column) return fmt::format("DATE '{}'", today);
  return fmt::format("coalesce({}, DATE '{}')", date_of(*column, "s."), today);
}

std::string FeedTable::insert(const std::string& query, const std::vector<FeedColumn>& columns,
                              int64_t now_ms, int64_t version) const {
  std::vector<std::string> names, values;
  for (const auto& column : columns) {
    const auto* there = find(column.name);
    if (!there) internal_error("a column was not prepared: " + column.name);
    std::string value = storable("s." + quote_name(column.name), column.type);
    if (there->type != column.type)
      value = fmt::format("CAST({} AS {})", value, there->type.display());
    names.push_back(quote_name(column.name));
    values.push_back(std::move(value));
  }
  names.emplace_back(feed_.type == FeedType::kStream ? kEventDate : kVersion);
  values.push_back(feed_.type == FeedType::kStream ? event_date(columns, iso_date(now_ms))
                                                   : fmt::format("BIGINT '{}'", version));
  names.emplace_back(kExportedAt);
  std::string moment = iso_time(now_ms);
  moment = moment.substr(0, 10) + " " + moment.substr(11, 8);
  values.push_back(fmt::format("TIMESTAMP '{}.{:03} UTC'", moment, now_ms % 1000));
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM ({}) AS s", quote_table(name()),
                     fmt::join(names, ", "), fmt::join(values, ", "), query);
}

std::string FeedTable::delete_before(const std::string& date) const {
  return fmt::format("DELETE FROM {} WHERE {} < DATE '{}'", quote_table(name()), kEventDate, date);
}

std::string FeedTable::delete_versions(const std::vector<int64_t>& versions) const {
  return fmt::format("DELETE FROM {} WHERE {} IN ({})", quote_table(name()), kVersion,
                     fmt::join(versions, ", "));
}

void FeedTable::show_version(int64_t version, const TaskContext& context) const {
  run(fmt::format("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {} WHERE {} = {}",
                  quote_table(view()), names_of(columns_), quote_table(name()), kVersion, version),
      context);
}

std::vector<FeedFile> FeedTable::files(const TaskContext& context) const {
  if (!exists()) return {};
  auto listing = name();
  listing.table += "$files";
  const auto list = [&] {
    return run(fmt::format("SELECT file_path, record_count, file_size_in_bytes, content FROM {} "
                           "ORDER BY 1",
                           quote_table(listing)),
               context)
        .rows;
  };
  auto rows = list();
  // Rows deleted one by one would still be in the files that others read.
  if (std::ranges::any_of(rows, [](const auto& row) { return row.at(3) != "0"; })) {
    run(fmt::format("ALTER TABLE {} EXECUTE optimize", quote_table(name())), context);
    rows = list();
  }
  const std::string below = place() + "/";
  std::vector<FeedFile> files;
  for (const auto& row : rows) {
    const std::string address = row.at(0).value_or("");
    const size_t bucket = std::string_view("s3://").size(), key = address.find('/', bucket) + 1;
    FeedFile file;
    file.bucket = address.substr(bucket, key - 1 - bucket);
    file.key = address.substr(key);
    // Another engine may have written it where it is used to.
    file.path = address.starts_with(below) ? address.substr(below.size())
                                           : address.substr(address.rfind('/') + 1);
    file.records = std::stoull(row.at(1).value_or("0"));
    file.bytes = std::stoull(row.at(2).value_or("0"));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace meesh::streams
