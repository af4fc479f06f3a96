#include "governance/lineage_store.h"

#include <boost/json.hpp>
#include <random>

#include "base/log.h"
#include "base/uuid.h"
#include "governance/lineage_graph.h"
#include "governance/lineage_sender.h"
#include "governance/lineage_tables.h"
#include "governance/open_lineage.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;

constexpr long long kMostEvents = 100'000;
constexpr long long kPruneEvery = 256;  // events

Time now() { return std::chrono::system_clock::now(); }

/// What the events of one run say together.
void add(JobRun& all, const JobRun& more) {
  for (const auto& input : more.inputs) {
    const auto same = [&](const InputData& known) { return known.dataset == input.dataset; };
    if (std::none_of(all.inputs.begin(), all.inputs.end(), same)) all.inputs.push_back(input);
  }
  for (const auto& output : more.outputs) {
    const auto same = [&](const OutputData& known) { return known.dataset == output.dataset; };
    const auto found = std::find_if(all.outputs.begin(), all.outputs.end(), same);
    if (found == all.outputs.end()) {
      all.outputs.push_back(output);
      continue;
    }
    if (!output.fields.empty()) found->fields = output.fields;
    if (!output.lineage.empty()) found->lineage = output.lineage;
    if (!output.rows.empty()) found->rows = output.rows;
    found->replaced = found->replaced || output.replaced;
  }
}

std::set<long long> touched(LineageTables& tables, const JobRun& run) {
  std::set<long long> out;
  for (const auto& input : run.inputs) out.insert(tables.dataset(input.dataset, input.fields));
  for (const auto& output : run.outputs) out.insert(tables.dataset(output.dataset, output.fields));
  return out;
}

/// Those there are: what failed makes none.
std::set<long long> those_there(LineageTables& tables, const JobRun& run) {
  std::set<long long> out;
  for (const auto& output : run.outputs) {
    if (const auto id = tables.find(output.dataset)) out.insert(*id);
  }
  return out;
}

void maybe_prune(LineageTables& tables) {
  if (base::random_id() % kPruneEvery == 0) tables.prune(kMostEvents);
}

}  // namespace

struct LineageStore::Sender : LineageSender {
  using LineageSender::LineageSender;
};

LineageStore::LineageStore(meta::Database& database, LineageOptions options)
    : database_(database), options_(std::move(options)), names_(options_.known) {
  create_lineage_tables(database_);
  if (!options_.url.empty()) {
    sender_ = std::make_unique<Sender>(database_, options_.url, options_.api_key);
  }
}

LineageStore::~LineageStore() = default;

// ---------------------------------------------------------------- what comes in

void LineageStore::committing(soci::session& sql, const engine::WriteEvent& event) {
  apply(sql, event);
}

void LineageStore::written(const engine::WriteEvent& event) {
  try {
    database_.write([&](soci::session& sql) { apply(sql, event); });
    if (sender_) sender_->wake();
  } catch (const std::exception& error) {
    log::warn("the lineage of a statement could not be kept",
              {{"query", event.query.id}, {"error", error.what()}});
  }
}

void LineageStore::apply(soci::session& sql, const engine::WriteEvent& event) {
  const sql::Lineage& lineage = event.lineage;
  const auto run = statements_.run_of(event);
  if (!run) return;
  LineageTables tables(sql, to_ms(run->time));
  if (lineage.statement == "DROP SCHEMA") {
    return tables.drop_schema(lineage.outputs.at(0).catalog, lineage.outputs.at(0).schema);
  }
  if (!moves_nothing(lineage)) return record(sql, *run);
  const Dataset output = Dataset::of(lineage.outputs.at(0));
  if (lineage.statement == "RENAME COLUMN") {
    const auto& column = lineage.columns.at(0);
    return tables.rename_field(output, column.sources.at(0).column, column.column);
  }
  if (lineage.statement == "DROP COLUMN") {
    return tables.drop_field(output, lineage.columns.at(0).column);
  }
  if (lineage.statement.starts_with("RENAME")) {
    return tables.rename(Dataset::of(lineage.inputs.at(0)), output);
  }
  tables.drop(output);
}

JobRun LineageStore::resolved(JobRun run) const {
  for (auto& input : run.inputs) input.dataset = names_.resolve(input.dataset);
  for (auto& output : run.outputs) {
    output.dataset = names_.resolve(output.dataset);
    for (auto& field : output.lineage) {
      for (auto& source : field.sources) source.dataset = names_.resolve(source.dataset);
    }
    for (auto& source : output.rows) source.dataset = names_.resolve(source.dataset);
  }
  return run;
}

void LineageStore::record(const JobRun& run) noexcept {
  try {
    const JobRun known = resolved(run);
    database_.write([&](soci::session& sql) { record(sql, known); });
    if (sender_) sender_->wake();
  } catch (const std::exception& error) {
    log::warn("the lineage of a job could not be kept",
              {{"job", run.job}, {"error", error.what()}});
  }
}

void LineageStore::record(soci::session& sql, const JobRun& given) {
  JobRun run = given;
  if (run.time == Time{}) run.time = now();
  if (run.started == Time{}) run.started = run.time;
  if (run.run_id.empty()) run.run_id = base::random_uuid();
  run.run_id = uuid_of(run.run_id);
  LineageTables tables(sql, to_ms(run.time));
  const long long job = tables.job(run, options_.name_space);
  const bool moves = run.state == RunState::kComplete || run.state == RunState::kRunning;
  const auto datasets = moves ? touched(tables, run) : those_there(tables, run);
  if (moves) tables.move(run, job);
  tables.event({run.run_id, std::string(state_word(run.state)), json::serialize(event_of(run)),
                to_ms(run.time), to_ms(run.started), sender_ != nullptr},
               job, datasets);
  maybe_prune(tables);
  if (sender_) sender_->wake();
}

void LineageStore::accept(const json::value& given) {
  const Event event = read_event(given, names_);
  const std::string text = json::serialize(given);
  const JobRun& run = event.run;
  const bool done = event.kind == Event::Kind::kJob || run.state == RunState::kComplete ||
                    run.state == RunState::kRunning;
  // Before the transaction: to tell whose tables they are may take the database, too.
  const JobRun all = done && !run.run_id.empty() ? with_earlier(run) : run;
  database_.write([&](soci::session& sql) {
    LineageTables tables(sql, to_ms(now()));
    const auto datasets = touched(tables, run);
    const long long time = to_ms(run.time);
    if (event.kind == Event::Kind::kDataset) {
      return tables.event({"", "", text, time, 0, false}, 0, datasets);
    }
    const long long job = tables.job(run, options_.name_space);
    if (done) {
      tables.move(all, job);
      for (const auto& [from, to] : event.renamed) tables.rename(from, to);
      for (const auto& dropped : event.dropped) tables.drop(dropped);
    }
    const bool of_run = event.kind == Event::Kind::kRun;
    tables.event(
        {run.run_id, of_run ? std::string(state_word(run.state)) : "", text, time, 0, false}, job,
        datasets);
    maybe_prune(tables);
  });
}

JobRun LineageStore::with_earlier(const JobRun& run) {
  std::vector<std::string> earlier;
  database_.read(
      [&](soci::session& sql) { earlier = LineageTables(sql, 0).events_of_run(run.run_id); });
  JobRun all = run;
  for (const auto& text : earlier) add(all, read_event(json::parse(text), names_).run);
  return all;
}

// ---------------------------------------------------------------- what is asked

json::object LineageStore::event_of(const JobRun& run) const {
  return write_event(run, names_, options_.name_space);
}

Dataset LineageStore::dataset_of(std::string_view written) const { return names_.parse(written); }

json::value LineageStore::graph(const GraphQuery& query) {
  json::object out;
  database_.read([&](soci::session& sql) { out = LineageGraph(sql, query).read(); });
  return out;
}

json::value LineageStore::events(const EventQuery& query) {
  json::array out;
  database_.read([&](soci::session& sql) {
    out.clear();
    std::string where = "1 = 1";
    if (query.of) {
      where +=
          " AND id IN (SELECT event FROM lineage_event_dataset WHERE dataset = (SELECT id FROM "
          "lineage_dataset WHERE namespace = :space AND name = :name))";
    }
    if (!query.job.empty()) {
      where += " AND job IN (SELECT id FROM lineage_job WHERE name = :job)";
    }
    if (!query.run_id.empty()) where += " AND run_id = :run";
    const std::string run_id = query.run_id.empty() ? "" : uuid_of(query.run_id);
    std::string text;
    soci::statement select(sql);
    select.exchange(soci::into(text));
    if (query.of) {
      select.exchange(soci::use(query.of->name_space, "space"));
      select.exchange(soci::use(query.of->name, "name"));
    }
    if (!query.job.empty()) select.exchange(soci::use(query.job, "job"));
    if (!query.run_id.empty()) select.exchange(soci::use(run_id, "run"));
    select.alloc();
    select.prepare("SELECT event FROM lineage_event WHERE " + where +
                   " ORDER BY time_ms DESC, id LIMIT " +
                   std::to_string(std::min<size_t>(query.limit, 1000)));
    select.define_and_bind();
    select.execute();
    while (select.fetch()) out.push_back(json::parse(text));
  });
  return out;
}

}  // namespace meesh::governance
