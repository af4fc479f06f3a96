// Opening: what is kept from batch to batch, the sinks, and the types that only the engine knows;
// and the transaction that moves what is kept.
#include <fmt/format.h>

#include <algorithm>

#include "engine/catalogs/state.h"
#include "streams/batch_names.h"
#include "streams/batch_work.h"

namespace meesh::streams {

using engine::quote_name;
using engine::quote_text;

void BatchWork::open(const Progress& progress, std::stop_token stop) {
  ask(fmt::format("CREATE SCHEMA IF NOT EXISTS {}.{}", quote_name(kWorkCatalog),
                  quote_name(config_.name)),
      stop);
  MicroBatch empty;
  for (const auto& shape : shapes_) {
    BatchSource source;
    source.rows = env_.buffers->buffer(shape.stored);
    source.rows->finish();
    empty.sources.push_back(std::move(source));
  }
  const auto bound = bind(empty, std::nullopt, true);
  probe_types();
  if (has_state()) open_state(progress);
  const auto columns_of = [&](const std::string& text) {
    return ask(fmt::format("SELECT * FROM ({}) LIMIT 0", text), stop).columns;
  };
  columns_ = query_.aggregation
                 ? columns_of(query_.aggregation->answer("SELECT * FROM " + state("groups")))
                 : columns_of(query_.text);
  open_sinks();
  const bool answers = query_.aggregation && config_.output != OutputMode::kAppend;
  if (answers && progress.batch > 0)
    for (auto& sink : sinks_)
      sink->fill(query_.aggregation->answer("SELECT * FROM " + state("groups")), stop);
}

void BatchWork::probe_types() {
  if (!query_.aggregation || query_.aggregation->average_probe.empty()) return;
  const auto answer = ask(query_.aggregation->average_probe);
  auto& averages = query_.aggregation->averages;
  for (size_t i = 0; i < averages.size(); ++i)
    averages[i].type = answer.columns.at(i).type.display();
}

std::string BatchWork::state_query() const {
  std::string text = query_.aggregation ? query_.aggregation->delta : query_.text;
  const auto add = [&](const char* what, int64_t value) {
    text += fmt::format(" / {} {}", what, value);
  };
  add("output", static_cast<int64_t>(config_.output));
  if (config_.window) {
    add("size", config_.window->size.count());
    add("slide", config_.window->slide.count());
  }
  if (config_.deduplicate) {
    text += " / deduplicate " + base::join(config_.deduplicate->columns, ",");
    if (config_.deduplicate->within) add("within", config_.deduplicate->within->count());
  }
  return text;
}

std::vector<engine::BufferColumn> BatchWork::seen_columns(size_t source) const {
  std::vector<engine::BufferColumn> columns;
  for (const auto& column : shapes_[source].stored) {
    const bool key = std::ranges::count(config_.deduplicate->columns, column.name) > 0;
    const bool time = config_.deduplicate->within && column.name == config_.sources[0].event_time;
    if (key || time) columns.push_back(column);
  }
  return columns;
}

void BatchWork::open_state(const Progress& progress) {
  std::filesystem::create_directories(env_.folder);
  const auto file = env_.folder / (config_.name + ".duckdb");
  env_.engine.drop_catalog(state_catalog(config_.name));
  env_.engine.add_catalog(engine::make_state_catalog(state_catalog(config_.name), file));
  state_open_ = true;
  ask(fmt::format("CREATE TABLE IF NOT EXISTS {} (generation bigint, batch bigint, query varchar)",
                  state("mark")));
  const auto mark = ask("SELECT generation, batch, query FROM " + state("mark"));
  const bool there = !mark.rows.empty() && whole(mark.rows[0][0]) == progress.generation;
  if (!there)
    for (const char* table : {"groups", "seen", "rows_0", "rows_1"})
      ask("DROP TABLE IF EXISTS " + state(table));
  const int64_t at = there ? whole(mark.rows[0][1]) : 0;
  state_is_ahead_ = at == progress.batch + 1;
  const auto reset = fmt::format("meesh streams reset {} --to earliest", config_.name);
  if (at != progress.batch && !state_is_ahead_) {
    throw Error(Code::kGenericInternalError,
                fmt::format("The state of the stream '{}' is of batch {}, and {} batches are done: "
                            "is it another server's?",
                            config_.name, at, progress.batch))
        .with_hint(reset);
  }
  if (there && mark.rows[0][2] != state_query()) {
    throw Error(
        Code::kConfigInvalid,
        fmt::format("The SQL of the stream '{}' has changed, and what is kept is of what it "
                    "was",
                    config_.name))
        .with_hint(reset);
  }
  if (query_.aggregation)
    ask(fmt::format("CREATE TABLE IF NOT EXISTS {} AS {} WITH NO DATA", state("groups"),
                    query_.aggregation->delta));
  if (config_.deduplicate)
    ask(fmt::format("CREATE TABLE IF NOT EXISTS {} AS SELECT {} FROM {} WITH NO DATA",
                    state("seen"), names_of(seen_columns(0)), buffer(0)));
  if (query_.join)
    for (size_t i = 0; i < 2; ++i)
      ask(fmt::format("CREATE TABLE IF NOT EXISTS {} AS SELECT {} FROM {} WITH NO DATA",
                      state(fmt::format("rows_{}", i)), names_of(shapes_[i].stored), buffer(i)));
  count_state();
}

void BatchWork::open_sinks() {
  SinkEnvironment sink{env_.engine,  env_.progress,  session(),
                       config_.name, config_.output, columns_,
                       {},           env_.live,      env_.group_of(config_.name)};
  if (query_.aggregation) sink.key = query_.aggregation->key_columns;
  for (const auto& config : config_.sinks) {
    sinks_.push_back(make_sink(config, sink));
    sinks_.back()->open();
  }
}

void BatchWork::truncate(const StreamConfig& config, const WorkEnvironment& environment) {
  for (const auto& one : config.sinks) {
    SinkEnvironment sink{environment.engine,
                         environment.progress,
                         {},
                         config.name,
                         config.output,
                         {},
                         {},
                         environment.live,
                         environment.group_of(config.name)};
    sink.session.user = sink.session.original_user = "meesh streams";
    try {
      make_sink(one, std::move(sink))->truncate();
    } catch (const Error& error) {
      if (error.code() != Code::kTableNotFound && error.code() != Code::kSchemaNotFound) throw;
    }
  }
}

void BatchWork::forget(engine::Engine& engine, const std::filesystem::path& folder,
                       const std::string& stream) {
  engine.drop_catalog(state_catalog(stream));
  std::error_code ignored;
  for (const char* ending : {".duckdb", ".duckdb.wal"})
    std::filesystem::remove(folder / (stream + ending), ignored);
}

uint64_t BatchWork::state_bytes() const {
  uint64_t bytes = 0;
  for (const char* ending : {".duckdb", ".duckdb.wal"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(env_.folder / (config_.name + ending), missing);
    if (!missing && state_open_) bytes += size;
  }
  return bytes;
}

void BatchWork::count_state() {
  state_rows_ = 0;
  std::vector<std::string> tables;
  if (query_.aggregation) tables.push_back("groups");
  if (config_.deduplicate) tables.push_back("seen");
  if (query_.join) tables.insert(tables.end(), {"rows_0", "rows_1"});
  for (const auto& table : tables)
    state_rows_ +=
        static_cast<uint64_t>(whole(ask("SELECT count(*) FROM " + state(table)).rows.at(0).at(0)));
}

void BatchWork::keep_state(const Progress& after, std::stop_token stop) {
  SqlTransaction transaction(env_.engine, session(), stop);
  for (const auto& change : state_changes_) transaction.ask(change);
  transaction.ask("DELETE FROM " + state("mark"));
  transaction.ask(fmt::format("INSERT INTO {} VALUES ({}, {}, {})", state("mark"), after.generation,
                              after.batch, quote_text(state_query())));
  transaction.commit();
  count_state();
}

}  // namespace meesh::streams
