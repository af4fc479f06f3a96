#include "streams/batch_work.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "governance/work.h"
#include "streams/batch_names.h"

namespace meesh::streams {

using engine::quote_name;
using engine::quote_text;

namespace {

constexpr const char* kRaw = "__raw";
constexpr const char* kQuiet = "meesh-quiet=yes";  // to lineage, which is told once a session

bool has_parts(const sql::Type& type) {
  return type.kind == sql::TypeKind::kArray || type.kind == sql::TypeKind::kMap ||
         type.kind == sql::TypeKind::kRow;
}

}  // namespace

uint64_t MicroBatch::messages() const {
  uint64_t all = 0;
  for (const auto& source : sources) all += source.messages;
  return all;
}

uint64_t MicroBatch::malformed() const {
  uint64_t all = 0;
  for (const auto& source : sources) all += source.malformed;
  return all;
}

std::map<std::string, Offsets> MicroBatch::ends(const StreamConfig& config) const {
  std::map<std::string, Offsets> ends;
  for (size_t i = 0; i < sources.size(); ++i) ends[config.sources[i].name] = sources[i].ends;
  return ends;
}

BatchWork::BatchWork(const StreamConfig& config, StreamQuery query, std::vector<SourceShape> shapes,
                     WorkEnvironment environment)
    : config_(config),
      query_(std::move(query)),
      shapes_(std::move(shapes)),
      env_(std::move(environment)) {}

BatchWork::~BatchWork() {
  if (state_open_) env_.engine.drop_catalog(state_catalog(config_.name));
}

engine::Session BatchWork::session() const {
  engine::Session session;
  session.user = session.original_user = "meesh streams";
  session.source = "streams";
  session.catalog = kBuffersCatalog;
  session.schema = config_.name;
  session.client_tags = {kQuiet};
  return session;
}

engine::Answer BatchWork::ask(const std::string& sql, std::stop_token stop) const {
  return engine::ask(env_.engine, sql, session(), stop);
}

bool BatchWork::has_state() const {
  return query_.aggregation || query_.join || config_.deduplicate;
}

/// As in Spark: what is complete forgets nothing and takes everything.
bool BatchWork::drops_late() const {
  return query_.join || (config_.deduplicate && config_.deduplicate->within) || groups_drop_late();
}

bool BatchWork::groups_drop_late() const {
  return config_.output != OutputMode::kComplete && query_.aggregation &&
         query_.aggregation->time_key;
}

std::string BatchWork::state(const std::string& table) const {
  return engine::quote_table({state_catalog(config_.name), "default", table});
}
std::string BatchWork::work(const std::string& table) const {
  return engine::quote_table({kWorkCatalog, config_.name, table});
}
/// With columns that `*` leaves out.
std::string BatchWork::rows_of(size_t source) const {
  return fmt::format("SELECT {} FROM {}", names_of(shapes_[source].stored), buffer(source));
}
std::string BatchWork::buffer(size_t source) const {
  return engine::quote_table({kBuffersCatalog, config_.name, config_.sources[source].name + kRaw});
}

// ---- names of the sources

std::vector<BatchWork::Registration> BatchWork::bind(const MicroBatch& batch,
                                                     std::optional<int64_t> watermark,
                                                     bool sources) {
  std::vector<Registration> bound;
  for (size_t i = 0; i < config_.sources.size(); ++i)
    bound.push_back(env_.buffers->add(config_.name, config_.sources[i].name + kRaw,
                                      {.rows = batch.sources[i].rows}));
  for (size_t i = 0; sources && i < config_.sources.size(); ++i)
    bind_source(i, rows_of(i), watermark, bound);
  return bound;
}

void BatchWork::bind_source(size_t source, const std::string& rows,
                            std::optional<int64_t> watermark, std::vector<Registration>& bound) {
  engine::BufferTable view;
  view.query = source_query(source, rows, watermark);
  const auto& shape = shapes_[source];
  for (size_t i = 0; i < shape.stored.size(); ++i) {
    auto column = shape.stored[i];
    if (i < shape.columns.size()) column.type = shape.columns[i].type;
    view.query_columns.push_back(std::move(column));
  }
  if (config_.window) {
    view.query_columns.push_back({"window_start", shape.event_type});
    view.query_columns.push_back({"window_end", shape.event_type});
  }
  bound.push_back(env_.buffers->add(config_.name, config_.sources[source].name, std::move(view)));
}

std::string BatchWork::windowed(const std::string& rows, const std::string& columns) const {
  const auto& source = config_.sources[0];
  const auto& type = shapes_[0].event_type;
  const int64_t size = config_.window->size.count(), slide = config_.window->slide.count();
  const std::string event = quote_name(source.event_time);
  const std::string begin = fmt::format(
      "date_add('millisecond', -mod(mod({0}, {1}) + {1}, {1}), date_trunc('millisecond', {2}))",
      millis_of(event, type), slide, event);
  const std::string inner = fmt::format(
      "SELECT {}, {} AS \"$begin\" FROM ({}) WHERE {} IS NOT NULL", columns, begin, rows, event);
  if (size == slide)
    return fmt::format(
        "SELECT {}, \"$begin\" AS window_start, date_add('millisecond', {}, \"$begin\") AS "
        "window_end FROM ({})",
        columns, size, inner);
  return fmt::format(
      "SELECT {0}, date_add('millisecond', -{1} * \"$n\", \"$begin\") AS window_start, "
      "date_add('millisecond', {2} - {1} * \"$n\", \"$begin\") AS window_end FROM ({3}) CROSS JOIN "
      "UNNEST(sequence(0, {4})) AS w(\"$n\") WHERE date_add('millisecond', {2} - {1} * \"$n\", "
      "\"$begin\") > {5}",
      columns, slide, size, inner, (size + slide - 1) / slide - 1, event);
}

std::string BatchWork::source_query(size_t source, const std::string& rows,
                                    std::optional<int64_t> watermark) const {
  const auto& shape = shapes_[source];
  std::vector<std::string> shown;
  for (size_t i = 0; i < shape.stored.size(); ++i) {
    const std::string name = quote_name(shape.stored[i].name);
    const bool parts = i < shape.columns.size() && has_parts(shape.columns[i].type);
    shown.push_back(parts ? fmt::format("CAST(json_parse({}) AS {}) AS {}", name,
                                        shape.columns[i].type.display(), name)
                          : name);
  }
  std::string from = rows;
  if (config_.window) {
    from = windowed(rows, names_of(shape.stored));
    shown.insert(shown.end(), {"window_start", "window_end"});
  }
  std::string text = fmt::format("SELECT {} FROM ({})", base::join(shown, ", "), from);
  if (watermark && groups_drop_late())
    text += " WHERE NOT (" + late_condition(source, *watermark, config_.window.has_value()) + ")";
  return text;
}

/// Of a row, or of a row in a window: the watermark has passed it. Rows without a time never are.
std::string BatchWork::late_condition(size_t source, int64_t watermark, bool window) const {
  const std::string mark = moment_literal(watermark, shapes_[source].event_type);
  const std::string time = window ? "window_end" : quote_name(config_.sources[source].event_time);
  return fmt::format("coalesce({} <= {}, false)", time, mark);
}

// ---- a batch

Progress BatchWork::run(const MicroBatch& batch, const Progress& before, std::stop_token stop) {
  Progress after = before;
  after.batch = batch.number;
  after.messages += batch.messages();
  after.malformed += batch.malformed();
  after.committed_ms = base::now_ms();
  ++after.version;
  for (auto& [source, ends] : batch.ends(config_))
    if (!ends.empty()) after.offsets[source] = ends;
  auto bound = bind(batch, before.watermark_ms, !query_.join);
  look_at_times(batch, before, after);
  state_changes_.clear();
  const bool several = !alone(batch);
  if (several && !batch.planned)
    env_.progress.plan(config_.name, {batch.number, batch.ends(config_)});
  if (batch.rejected && batch.rejected->rows() > 0) keep_rejected(batch, before.generation, stop);
  if (!state_is_ahead_) {
    std::string rows = query_.text;
    if (config_.deduplicate) {
      const std::string fresh = deduplicate(before, after, stop);
      bound.pop_back();
      bind_source(0, fresh, before.watermark_ms, bound);
    }
    if (query_.aggregation) rows = aggregate(before, stop);
    if (query_.join) rows = join(before, stop);
    offer(batch, rows, before, after, stop);
    if (has_state()) keep_state(after, stop);
  }
  state_is_ahead_ = false;
  if (several) env_.progress.advance(config_.name, before, after);
  return after;
}

/// One commit does it all. A batch that was written down is brought to its end as one of several,
/// whatever the configuration has become since.
bool BatchWork::alone(const MicroBatch& batch) const {
  return !batch.planned && !has_state() && sinks_.size() == 1 && sinks_[0]->transactional() &&
         (!batch.rejected || batch.rejected->rows() == 0);
}

/// The newest event time of each source, how many rows come too late, and the watermark that the
/// next batch has.
void BatchWork::look_at_times(const MicroBatch& batch, const Progress& before, Progress& after) {
  std::optional<int64_t> mark;
  bool all = !config_.sources.empty();
  for (size_t i = 0; i < config_.sources.size(); ++i) {
    const auto& source = config_.sources[i];
    if (!source.watermark) return;
    const auto& type = shapes_[i].event_type;
    const std::string event = quote_name(source.event_time);
    if (batch.sources[i].rows->rows() > 0) {
      const bool counts = before.watermark_ms && drops_late();
      const bool windows = counts && config_.window && groups_drop_late();
      const std::string late =
          counts ? fmt::format("count_if({})", late_condition(i, *before.watermark_ms, windows))
                 : "0";
      const auto found = ask(
          fmt::format("SELECT max({}), {} FROM ({})", millis_of(event, type), late,
                      windows ? windowed("SELECT * FROM " + buffer(i), names_of(shapes_[i].stored))
                              : "SELECT * FROM " + buffer(i)));
      after.late += static_cast<uint64_t>(whole(found.rows.at(0).at(1)));
      if (const auto& newest = found.rows[0][0]) {
        // A clock that runs ahead must not make everybody else's rows late.
        const int64_t time = std::min<int64_t>(std::stoll(*newest), base::now_ms());
        auto& known = after.event_times.try_emplace(source.name, time).first->second;
        known = std::max(known, time);
      }
    }
    const auto time = after.event_times.find(source.name);
    all = all && time != after.event_times.end();
    if (!all) continue;
    const int64_t own = time->second - source.watermark->count();
    mark = mark ? std::min(*mark, own) : own;
  }
  if (!all || !mark) return;
  after.watermark_ms = std::max(*mark, before.watermark_ms.value_or(*mark));
}

bool BatchWork::time_has_come(const Progress& before, const Progress& after) const {
  return after.watermark_ms != before.watermark_ms && query_.aggregation &&
         query_.aggregation->time_key && config_.output == OutputMode::kAppend;
}

/// Keys that were seen then or earlier count no more.
std::string BatchWork::forgotten_until(const Progress& before) const {
  return moment_literal(*before.watermark_ms - config_.deduplicate->within->count(),
                        shapes_[0].event_type);
}

/// The rows that did not come before: a query.
std::string BatchWork::deduplicate(const Progress& before, Progress& after, std::stop_token stop) {
  const auto& columns = config_.deduplicate->columns;
  std::vector<std::string> same, by;
  for (const auto& column : columns) {
    by.push_back(quote_name(column));
    same.push_back(fmt::format("s.{0} IS NOT DISTINCT FROM r.{0}", quote_name(column)));
  }
  std::string late;
  if (before.watermark_ms && config_.deduplicate->within) {
    late = " AND NOT (" + late_condition(0, *before.watermark_ms, false) + ")";
    // What time has taken from the state by now, and this batch removes, is forgotten already.
    same.push_back(fmt::format("coalesce(s.{} > {}, true)",
                               quote_name(config_.sources[0].event_time), forgotten_until(before)));
  }
  ask("DROP TABLE IF EXISTS " + work("fresh"), stop);
  const auto made = ask(
      fmt::format("CREATE TABLE {0} AS SELECT {1} FROM (SELECT {1}, row_number() OVER (PARTITION "
                  "BY {2}) AS \"$n\" FROM {3} AS r WHERE NOT EXISTS (SELECT 1 FROM {4} AS s WHERE "
                  "{5}){6}) WHERE \"$n\" = 1",
                  work("fresh"), names_of(shapes_[0].stored), base::join(by, ", "), buffer(0),
                  state("seen"), base::join(same, " AND "), late),
      stop);
  const auto rows = ask("SELECT count(*) FROM " + buffer(0), stop);
  const auto read = static_cast<uint64_t>(whole(rows.rows.at(0).at(0)));
  const uint64_t gone = made.update_count.value_or(0) + (after.late - before.late);
  after.duplicates += read > gone ? read - gone : 0;
  state_changes_.push_back(fmt::format("INSERT INTO {} SELECT {} FROM {}", state("seen"),
                                       names_of(seen_columns(0)), work("fresh")));
  if (config_.deduplicate->within && before.watermark_ms) {
    state_changes_.push_back(fmt::format("DELETE FROM {} WHERE {} <= {}", state("seen"),
                                         quote_name(config_.sources[0].event_time),
                                         forgotten_until(before)));
  }
  return "SELECT * FROM " + work("fresh");
}

std::string BatchWork::expired(const std::string& from, int64_t watermark) const {
  const auto& aggregation = *query_.aggregation;
  const std::string key = fmt::format("k{}", *aggregation.time_key);
  const int64_t after = aggregation.time_after.count();
  const std::string time =
      after == 0 ? key : fmt::format("date_add('millisecond', {}, {})", after, key);
  return fmt::format("SELECT * FROM ({}) WHERE {} <= {}", from, time,
                     moment_literal(watermark, shapes_[0].event_type));
}

/// State as it will be after this batch.
std::string BatchWork::all_groups() const {
  const auto& aggregation = *query_.aggregation;
  return fmt::format(
      "SELECT {0} FROM {1} UNION ALL SELECT {0} FROM {2} AS s WHERE NOT EXISTS (SELECT 1 FROM {1} "
      "AS t WHERE {3})",
      aggregation.columns(), work("touched"), state("groups"), aggregation.same_keys("s", "t"));
}

std::string BatchWork::aggregate(const Progress& before, std::stop_token stop) {
  const auto& aggregation = *query_.aggregation;
  ask("DROP TABLE IF EXISTS " + work("delta"), stop);
  ask(fmt::format("CREATE TABLE {} AS {}", work("delta"), aggregation.delta), stop);
  ask("DROP TABLE IF EXISTS " + work("touched"), stop);
  const std::string kept = fmt::format(
      "SELECT {0} FROM {1} UNION ALL SELECT {0} FROM {2} AS s WHERE EXISTS (SELECT 1 FROM {1} AS t "
      "WHERE {3})",
      aggregation.columns(), work("delta"), state("groups"), aggregation.same_keys("s", "t"));
  ask(fmt::format("CREATE TABLE {} AS {}", work("touched"), aggregation.merged(kept)), stop);
  state_changes_.push_back(
      fmt::format("DELETE FROM {} WHERE EXISTS (SELECT 1 FROM {} AS t WHERE {})", state("groups"),
                  work("touched"), aggregation.same_keys("groups", "t")));
  state_changes_.push_back(fmt::format("INSERT INTO {} SELECT {} FROM {}", state("groups"),
                                       aggregation.columns(), work("touched")));
  const bool closes =
      before.watermark_ms && aggregation.time_key && config_.output != OutputMode::kComplete;
  if (closes) {
    const std::string gone = expired("SELECT * FROM " + state("groups"), *before.watermark_ms);
    const size_t where = gone.rfind(" WHERE ");
    state_changes_.push_back("DELETE FROM " + state("groups") + gone.substr(where));
  }
  switch (config_.output) {
    case OutputMode::kUpdate:
      return aggregation.answer("SELECT * FROM " + work("touched"));
    case OutputMode::kComplete:
      return aggregation.answer(all_groups());
    case OutputMode::kAppend:
      break;
  }
  const std::string groups = all_groups();
  return aggregation.answer(closes ? expired(groups, *before.watermark_ms)
                                   : fmt::format("SELECT * FROM ({}) WHERE false", groups));
}

/// New rows of each side with all of the other: first's with second's old and new, and first's old
/// with second's new.
std::string BatchWork::join(const Progress& before, std::stop_token stop) {
  const auto stored = [&](size_t i) { return state(fmt::format("rows_{}", i)); };
  const std::string first = config_.sources[0].name, second = config_.sources[1].name;
  const auto half = [&](const std::string& a, const std::string& b, const std::string& begin) {
    std::vector<Registration> bound;
    bind_source(0, a, std::nullopt, bound);
    bind_source(1, b, std::nullopt, bound);
    ask(begin + query_.text, stop);
  };
  const auto fresh = [&](size_t i) {
    // Without a time a row matches none, and would wait for ever.
    return rows_of(i) + " WHERE " + quote_name(config_.sources[i].event_time) + " IS NOT NULL" +
           (before.watermark_ms
                ? " AND NOT (" + late_condition(i, *before.watermark_ms, false) + ")"
                : "");
  };
  const auto old = [&](size_t i) {
    return fmt::format("SELECT {} FROM {}", names_of(shapes_[i].stored), stored(i));
  };
  ask("DROP TABLE IF EXISTS " + work("joined"), stop);
  half(fresh(0), old(1) + " UNION ALL " + fresh(1), "CREATE TABLE " + work("joined") + " AS ");
  half(old(0), fresh(1), "INSERT INTO " + work("joined") + " ");
  for (size_t i = 0; i < 2; ++i) {
    state_changes_.push_back("INSERT INTO " + stored(i) + " " + fresh(i));
    if (!before.watermark_ms) continue;
    // A row of the first waits for those of the second up to `most` after it; the other way round.
    const int64_t wait = i == 0 ? query_.join->most.count() : -query_.join->least.count();
    state_changes_.push_back(fmt::format(
        "DELETE FROM {} WHERE {} < {}", stored(i), quote_name(config_.sources[i].event_time),
        moment_literal(*before.watermark_ms - std::max<int64_t>(wait, 0), shapes_[i].event_type)));
  }
  return "SELECT * FROM " + work("joined");
}

std::vector<std::string> BatchWork::lineage_tags(const MicroBatch& batch) {
  if (told_ || batch.messages() == 0) return {kQuiet};
  told_ = true;
  governance::Work work;
  work.job = config_.name;
  work.type = "STREAM";
  const auto& source = config_.sources.front();
  const std::string broker = source.kafka.brokers.substr(0, source.kafka.brokers.find(','));
  work.input = fmt::format("kafka://{}/{}", broker, source.topics.front());
  return governance::tags_of(work, {});
}

void BatchWork::offer(const MicroBatch& batch, const std::string& rows, const Progress& before,
                      Progress& after, std::stop_token stop) {
  SinkBatch offered;
  offered.generation = before.generation;
  offered.number = batch.number;
  offered.query = rows;
  offered.stop = stop;
  offered.tags = lineage_tags(batch);
  if (alone(batch))
    offered.also = [&](soci::session& sql) {
      ProgressStore::advance(sql, config_.name, before, after);
    };
  uint64_t most = 0;
  for (auto& sink : sinks_) most = std::max(most, sink->write(offered));
  after.rows += most;
}

void BatchWork::keep_rejected(const MicroBatch& batch, int64_t generation, std::stop_token stop) {
  batch.rejected->finish();
  const auto rows = env_.buffers->add(config_.name, "__rejected", {.rows = batch.rejected});
  if (!dead_letter_) {
    SinkConfig config;
    config.target = config_.dead_letter;
    SinkEnvironment sink{env_.engine,  env_.progress,       session(),
                         config_.name, OutputMode::kAppend, {},
                         {},           env_.live,           env_.group_of(config_.name)};
    for (const auto& column : rejected_columns())
      sink.columns.push_back({column.name, column.type});
    dead_letter_ = make_sink(config, std::move(sink));
    dead_letter_->open();
  }
  SinkBatch offered;
  offered.generation = generation;
  offered.number = batch.number;
  offered.query = "SELECT * FROM " + engine::quote_table(rows->name());
  offered.tags = {kQuiet};
  offered.stop = stop;
  dead_letter_->write(offered);
}

}  // namespace meesh::streams
