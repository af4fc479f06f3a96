#include "ingest/rest/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "engine/ask.h"
#include "ingest/decode/cell.h"
#include "ingest/lake_types.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;
using std::chrono::steady_clock;

namespace {

// When what was read is committed. What reads everything does so seldom: until its end, readers see
// a part of it.
constexpr uint64_t kRecords = 20'000, kRecordsOfAll = 1'000'000;
constexpr uint64_t kBytes = 32 << 20, kBytesOfAll = 512 << 20;
constexpr auto kTime = std::chrono::seconds(30);
constexpr auto kTimeOfAll = std::chrono::minutes(10);

constexpr const char* kOrder = "_order_of_records";

const boost::json::object* member(const boost::json::value& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto* found = value.as_object().if_contains(name);
  return found && found->is_object() ? &found->as_object() : nullptr;
}

std::string text_of(const boost::json::object& object, const char* name) {
  const auto* found = object.if_contains(name);
  return found && found->is_string() ? std::string(found->as_string()) : "";
}

std::optional<CursorValue> cursor_of(const boost::json::object& object, const char* name) {
  const auto* found = object.if_contains(name);
  return found ? CursorValue::of_position(*found) : std::nullopt;
}

/// As a literal of the type, if it compares with it.
std::string literal(const CursorValue& value, const sql::Type& type) {
  using sql::TypeKind;
  const auto position = value.position();
  switch (type.kind) {
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
      return position.is_number() ? value.text("") : "";
    case TypeKind::kDate:
      return position.is_string() ? "DATE '" + value.text("date") + "'" : "";
    case TypeKind::kTimestamp:
      return "TIMESTAMP '" + value.text("%Y-%m-%d %H:%M:%S") + "'";
    case TypeKind::kTimestampTz:
      return "TIMESTAMP '" + value.text("%Y-%m-%d %H:%M:%S") + " UTC'";
    default:
      return "";
  }
}

std::vector<engine::BufferColumn> rejected_columns() {
  const auto text = sql::Type::varchar();
  return {{"_file", text},
          {"_line", sql::Type::of(sql::TypeKind::kBigint)},
          {"_column", text},
          {"_error", text},
          {"_text", text}};
}

}  // namespace

RestReader::RestReader(const SourceConfig& config, const Resources& resources, ReadRequest request)
    : config_(config),
      resources_(resources),
      request_(std::move(request)),
      rest_(rest_options(request_.table)),
      http_(rest_options(config).http) {
  begin();
}

RestReader::~RestReader() = default;

// ---------------------------------------------------------------- how far it is
//
// The position of an incremental table is {"cursor": the greatest value}, with {"walk": …} where a
// run that ended early goes on; that of a reading of everything {"snapshot": …} until its end.

void RestReader::begin() {
  now_ = base::now_ms() * 1000;
  boost::json::value state;
  const auto* walk = member(request_.position, "walk");
  if (!walk) walk = member(request_.position, "snapshot");
  if (request_.position.is_object()) known_ = cursor_of(request_.position.as_object(), "cursor");
  if (walk) {
    highest_ = cursor_of(*walk, "highest");
    if (const auto* next = walk->if_contains("next")) state = *next;
    window_.since = text_of(*walk, "since");
    window_.until = text_of(*walk, "until");
  }
  // Where records come in order, what came is known, even of a run that ended early.
  if (rest_.order == RowOrder::kAscending && highest_ && incremental()) known_ = highest_;
  if (known_ && incremental()) since_ = known_->behind(request_.table.lookback);
  if (!since_ && !rest_.since.start.empty() && incremental())
    since_ = CursorValue::of("\"" + rest_.since.start + "\"");
  if (state.is_null()) {
    const auto& asked = rest_.since;
    if (!asked.parameter.empty() && incremental())
      window_.since = known_ && since_ ? since_->text(asked.format) : asked.start;
    if (!asked.until.empty()) window_.until = CursorValue::moment(now_).text(asked.format);
  }
  begin_walk(state);
}

void RestReader::begin_walk(const boost::json::value& state) {
  resumed_ = !state.is_null();
  walk_ = std::make_unique<TableWalk>(http_, config_, request_.table, window_, state);
}

bool RestReader::overlaps() const {
  return incremental() && !request_.landed.empty() && !request_.position.is_null();
}

/// Where another run goes on, as it is in the middle of the walk.
boost::json::object RestReader::marks() const {
  boost::json::object marks{{"run_date", request_.run_date}};
  if (highest_) marks["highest"] = highest_->capped(now_).position();
  const auto next = walk_->state();
  if (next.is_null()) return marks;
  marks["next"] = next;
  if (!window_.since.empty()) marks["since"] = window_.since;
  if (!window_.until.empty()) marks["until"] = window_.until;
  return marks;
}

boost::json::value RestReader::position() const {
  const bool everything =
      request_.position.is_null() || member(request_.position, "snapshot") != nullptr;
  if (!done_) {
    if (everything) return boost::json::object{{"snapshot", marks()}};
    boost::json::object position;
    if (request_.position.is_object()) position = request_.position.as_object();
    position.erase("walk");
    if (!marks().contains("next") && rest_.order != RowOrder::kAscending) return position;
    position["walk"] = marks();
    return position;
  }
  if (!incremental()) return nullptr;
  auto greatest = highest_ ? std::optional(highest_->capped(now_)) : std::nullopt;
  if (known_ && (!greatest || *greatest < *known_)) greatest = known_;
  return boost::json::object{{"cursor", greatest ? greatest->position() : nullptr}};
}

// ---------------------------------------------------------------- pages into records

bool RestReader::wanted(std::optional<std::string_view> cursor) {
  if (!incremental()) return true;
  const auto value = cursor ? CursorValue::of(*cursor) : std::nullopt;
  if (!value) {
    ++without_cursor_;
    return !since_;  // it would come again with each run
  }
  if (since_ && *value < *since_) return false;
  if (!highest_ || *highest_ < *value) highest_ = value;
  return true;
}

bool RestReader::full(const RecordSet& set, steady_clock::time_point began) const {
  const bool goes_on =
      !walk_->state().is_null() || incremental();  // else a second portion would be of no use
  if (!goes_on || set.size() == 0) return false;
  if (rest_.commit_every > 0) return set.size() >= static_cast<uint64_t>(rest_.commit_every);
  const bool all = !incremental();
  return set.size() >= (all ? kRecordsOfAll : kRecords) ||
         set.bytes() >= (all ? kBytesOfAll : kBytes) ||
         steady_clock::now() - began >= (all ? kTimeOfAll : kTime);
}

std::optional<RestPage> RestReader::next_page(const TaskContext& context) {
  const bool first = std::exchange(resumed_, false);
  try {
    return walk_->next(context);
  } catch (Error& error) {
    const bool gone = error.code() == Code::kNotFound || error.code() == Code::kGenericExternal;
    if (!first || !gone) throw;
    if (!incremental()) {
      throw error.with_hint(
          "the page to go on from may be gone: meesh ingest run --full-refresh "
          "begins anew");
    }
    context.warn(fmt::format("{}: the page to go on from is gone, so the run begins anew: {}",
                             request_.stream.origin, error.message()));
  }
  begin_walk(nullptr);
  return walk_->next(context);
}

void RestReader::collect(RecordSet& set, const TaskContext& context) {
  const auto began = steady_clock::now();
  pages_ = 0;
  while (!full(set, began)) {
    auto page = next_page(context);
    if (!page) {
      done_ = true;
      return;
    }
    ++pages_;
    set.begin_page(page->shown);
    const uint64_t before = set.size();
    for (const auto& record : page->records)
      set.add(record, [this](auto cursor) { return wanted(cursor); });
    const bool nothing_new = !page->records.empty() && set.size() == before;
    const bool all_old = rest_.order == RowOrder::kDescending && since_ && nothing_new;
    if (walk_->finished() || all_old) {
      done_ = true;
      return;
    }
    context.progress(set.size(), 0);
  }
}

/// Names that the file says must be fields of the records.
void RestReader::need_columns(const RecordSet& set) const {
  if (set.columns().empty()) return;
  std::vector<std::string> needed = request_.table.key;
  if (incremental()) needed.push_back(request_.table.cursor);
  for (const auto& name : needed) {
    const auto seen = std::ranges::find(set.columns(), name, &SeenColumn::name);
    if (seen != set.columns().end()) continue;
    std::vector<std::string> names;
    for (const auto& column : set.columns()) names.push_back(column.name);
    throw Error(Code::kColumnNotFound,
                fmt::format("records of {} have no field '{}'", request_.stream.origin, name),
                {request_.table.line, request_.table.column, config_.file.string()})
        .with_hint(base::did_you_mean(name, names, "fields: "));
  }
}

// ---------------------------------------------------------------- records into rows

/// The landed table's type decides where there is one, so that one sample's look does not.
sql::Type RestReader::type_of(const std::string& name, const sql::Type& seen) const {
  const auto& table = request_.table;
  if (const auto declared = table.columns.find(name); declared != table.columns.end())
    return landed_type(declared->second);
  // What is hashed must not depend on the type that some sample has.
  if (std::ranges::count(table.hash, name) > 0 || std::ranges::count(table.mask, name) > 0)
    return sql::Type::varchar();
  for (const auto* columns : {&last_columns_, &request_.landed_columns}) {
    const auto there = std::ranges::find(*columns, name, &StreamColumn::name);
    if (there == columns->end()) continue;
    return fit(there->type, seen) == Fit::kWiden ? seen : there->type;
  }
  return seen;
}

std::vector<DecodedColumn> RestReader::columns_of(const RecordSet& set) const {
  std::vector<DecodedColumn> columns;
  const auto add = [&](const std::string& name, const std::vector<std::string>& path,
                       const sql::Type& type) {
    DecodedColumn column;
    column.name = name;
    column.path = path;
    column.type = type;
    columns.push_back(std::move(column));
  };
  const auto has = [&](const std::vector<StreamColumn>& there, const std::string& name) {
    return std::ranges::find(there, name, &StreamColumn::name) != there.end();
  };
  for (const auto& seen : set.columns()) {
    // Nothing but NULL: its type is not known yet.
    const bool known = seen.values != SeenColumn::Values::kNone ||
                       request_.table.columns.contains(seen.name) ||
                       has(request_.landed_columns, seen.name) || has(last_columns_, seen.name);
    if (known) add(seen.name, seen.path, type_of(seen.name, seen.type()));
  }
  for (const auto& [name, type] : request_.table.columns)
    if (std::ranges::find(columns, name, &DecodedColumn::name) == columns.end())
      add(name, {name}, landed_type(type));
  if (!columns.empty()) return columns;
  for (const auto& column : last_columns_.empty() ? request_.landed_columns : last_columns_)
    add(column.name, {column.name}, column.type);
  return columns;
}

std::optional<Portion> RestReader::next(const TaskContext& context) {
  rows_.reset();
  rejected_.reset();
  if (done_) return std::nullopt;
  RecordSet set(resources_.files->staging(), rest_.flatten,
                incremental() ? request_.table.cursor : "");
  collect(set, context);
  need_columns(set);
  if (without_cursor_ > 0 && done_) {
    context.warn(fmt::format("{}: {} records have no value for the cursor '{}'{}",
                             request_.stream.origin, without_cursor_, request_.table.cursor,
                             since_ ? " and are left out" : ""));
  }
  const bool moves = position() != request_.position || (set.size() == 0 && !incremental());
  if (set.size() == 0 && !moves) return std::nullopt;
  if (columns_of(set).empty()) {
    context.warn(
        fmt::format("{}: there are no records, so there is no table yet", request_.stream.origin));
    return std::nullopt;
  }
  return portion(set);
}

Portion RestReader::portion(RecordSet& set) {
  const auto columns = columns_of(set);
  Portion portion;
  for (const auto& column : columns) portion.columns.push_back({column.name, column.type, ""});
  fill(set, columns, portion);
  portion.query = query(columns);
  portion.order = kOrder;
  portion.position = position();
  for (const auto& column : portion.columns) {
    const auto there = std::ranges::find(last_columns_, column.name, &StreamColumn::name);
    if (there == last_columns_.end()) {
      last_columns_.push_back(column);
    } else {
      *there = column;
    }
  }
  return portion;
}

void RestReader::fill(RecordSet& set, const std::vector<DecodedColumn>& columns, Portion& portion) {
  auto shape = buffer_columns(columns);
  shape.push_back({kOrder, sql::Type::of(sql::TypeKind::kBigint)});
  const auto rows = resources_.buffers->buffer(std::move(shape));
  const auto rejected = resources_.buffers->buffer(rejected_columns());
  JsonRows json(columns);
  std::string wrong;
  int64_t order = 0;
  set.each([&](std::string_view record, const std::string& page, uint64_t number) {
    if (json.put(record, *rows, 0, wrong) && rows->integer(columns.size(), order++)) {
      rows->end_row();
      return;
    }
    rows->drop_row();
    rejected->text(0, page);
    const bool numbered = rejected->integer(1, static_cast<int64_t>(number));
    if (!numbered) internal_error("a record's number does not fit");
    if (!json.wrong_column().empty()) rejected->text(2, json.wrong_column());
    rejected->text(3, wrong);
    rejected->text(4, record);
    rejected->end_row();
  });
  rows->finish();
  rejected->finish();
  portion.estimated_rows = static_cast<double>(rows->rows());
  engine::BufferTable table;
  table.rows = rows;
  rows_ = resources_.buffers->add(config_.name, request_.stream.name, std::move(table));
  if (rejected->rows() == 0) return;
  engine::BufferTable aside;
  aside.rows = rejected;
  rejected_ =
      resources_.buffers->add(config_.name, request_.stream.name + "__rejected", std::move(aside));
  portion.rejected = Rejected{rejected->rows(),
                              fmt::format("SELECT _file, _line, _column, _error, _text FROM {}",
                                          quote_table(rejected_->name())),
                              set.size()};
}

std::string RestReader::query(const std::vector<DecodedColumn>& columns) const {
  std::vector<std::string> values;
  for (const auto& column : columns) {
    const std::string name = quote_name(column.name);
    values.push_back(column.type.children.empty() ? name
                                                  : fmt::format("CAST(json_parse({}) AS {}) AS {}",
                                                                name, column.type.display(), name));
  }
  std::string query = fmt::format("SELECT {}, {} FROM {}", fmt::join(values, ", "), kOrder,
                                  quote_table(rows_->name()));
  if (request_.table.write == Write::kMerge) return query;
  query = each_once(query, columns);
  if (!overlaps()) return query;
  return fmt::format("SELECT s.* FROM ({}) AS s{} WHERE NOT EXISTS ({})", query, request_.join,
                     not_landed(columns));
}

/// Pages shift while they are read: a record may stand on two of them. The later one counts.
std::string RestReader::each_once(const std::string& query,
                                  const std::vector<DecodedColumn>& columns) const {
  if (pages_ < 2 || request_.table.key.empty()) return query;
  std::vector<std::string> names, same;
  for (const auto& column : columns) names.push_back(quote_name(column.name));
  for (const auto& name : request_.table.key) {
    same.push_back(quote_name(name));
    // Rows without a key have nothing in common.
    same.push_back(fmt::format("CASE WHEN {} IS NULL THEN {} END", quote_name(name), kOrder));
  }
  if (incremental()) same.push_back(quote_name(request_.table.cursor));
  return fmt::format(
      "SELECT {0}, {1} FROM (SELECT *, row_number() OVER (PARTITION BY {2} ORDER BY {1} DESC) AS "
      "_how_new FROM ({3}) AS q) AS n WHERE _how_new = 1",
      fmt::join(names, ", "), kOrder, fmt::join(same, ", "), query);
}

/// The row of the table, if it has landed: looked for by key and cursor, else as a whole.
std::string RestReader::not_landed(const std::vector<DecodedColumn>& columns) const {
  const auto& table = request_.table;
  std::vector<std::string> names = table.key;
  if (names.empty()) {
    for (const auto& column : columns)
      if (table.takes(column.name)) names.push_back(column.name);
  } else if (std::ranges::count(names, table.cursor) == 0) {
    names.push_back(table.cursor);
  }
  std::string same = "true";
  for (const auto& name : names) {
    const auto there = std::ranges::find(request_.landed_columns, name, &StreamColumn::name);
    const auto here = std::ranges::find(columns, name, &DecodedColumn::name);
    if (there == request_.landed_columns.end() || here == columns.end()) continue;
    std::string value = "s." + quote_name(name);
    StreamColumn column{name, here->type, ""};
    if (request_.as_landed) column = request_.as_landed(column, value);
    value = landed_value(value, column.type);
    if (there->type != landed_type(column.type))
      value = fmt::format("CAST({} AS {})", value, there->type.display());
    same += fmt::format(" AND l.{} IS NOT DISTINCT FROM {}", quote_name(name), value);
  }
  const auto at = std::ranges::find(request_.landed_columns, table.cursor, &StreamColumn::name);
  if (since_ && at != request_.landed_columns.end()) {
    const std::string bound = literal(*since_, at->type);
    if (!bound.empty()) same += fmt::format(" AND l.{} >= {}", quote_name(table.cursor), bound);
  }
  return fmt::format("SELECT 1 FROM {} AS l WHERE {}", request_.landed, same);
}

}  // namespace meesh::ingest
