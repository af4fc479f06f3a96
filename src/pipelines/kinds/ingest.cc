// { ingest: northwind, tables: [orders], full_refresh: true }
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ingest/sources/postgresql.h"
#include "pipelines/kinds/kinds.h"

namespace meesh::pipelines {
namespace {

StepResult result_of(const ingest::SyncResult& sync) {
  StepResult result;
  result.rows = sync.rows;
  result.message =
      fmt::format("{} rows into {} ({})", sync.rows, sync.table, ingest::mode_name(sync.mode));
  if (sync.rejected > 0) result.message += fmt::format(", {} rejected", sync.rejected);
  result.metadata = {{"bytes", sync.bytes},
                     {"rejected", sync.rejected},
                     {"seconds", sync.seconds},
                     {"run_date", sync.run_date}};
  return result;
}

ingest::SyncResult sync(ingest::Ingest& ingest, const std::string& source,
                        const std::string& stream, bool full, const TaskContext& task) {
  ingest::SyncOptions options;
  options.full_refresh = full || task.parameter(kFullRefresh) == "true";
  options.run_date = task.parameter("run_date");
  auto done = ingest.sync(source, stream, options, task);
  for (const std::string& note : done.notes) task.info(note);
  return done;
}

/// One table of a source.
class TableAsset : public Asset {
 public:
  TableAsset(ingest::Ingest& ingest, std::string source, std::string stream, std::string table,
             std::vector<TableUse> inputs, bool full)
      : ingest_(ingest),
        source_(std::move(source)),
        stream_(std::move(stream)),
        table_(std::move(table)),
        inputs_(std::move(inputs)),
        full_(full) {}

  std::vector<std::string> outputs() const override { return {table_}; }
  std::vector<TableUse> inputs() const override { return inputs_; }
  StepResult run(const StepContext& context) override {
    return result_of(sync(ingest_, source_, stream_, full_, context.task));
  }

 private:
  ingest::Ingest& ingest_;
  const std::string source_, stream_, table_;
  const std::vector<TableUse> inputs_;
  const bool full_;
};

/// A source that takes whatever its database has: which tables is known when it runs.
class SourceAsset : public Asset {
 public:
  SourceAsset(ingest::Ingest& ingest, std::string source, std::string schema, bool full)
      : ingest_(ingest), source_(std::move(source)), schema_(std::move(schema)), full_(full) {}

  std::vector<std::string> outputs() const override { return {schema_ + ".*"}; }
  std::vector<TableUse> inputs() const override { return {}; }

  StepResult run(const StepContext& context) override {
    StepResult all;
    all.rows = 0;
    const auto config = ingest_.source(source_);
    const auto streams = ingest_.streams(source_);
    std::vector<std::string> failed;
    size_t done = 0;
    for (const auto& stream : streams) {
      context.task.check();
      context.task.progress(done++, streams.size());
      const std::string table = config.full_name(stream);
      if (context.finished_parts.contains(table)) continue;
      context.part(table, PartState::kRunning, {});
      try {
        const StepResult one = result_of(sync(ingest_, source_, stream.name, full_, context.task));
        context.part(table, PartState::kSucceeded, one);
        *all.rows += one.rows.value_or(0);
      } catch (const Error& error) {
        if (context.task.stop.stop_requested()) throw;
        StepResult one;
        one.message = error.what();
        context.part(table, PartState::kFailed, one);
        context.task.log(log::Level::kError, fmt::format("{}: {}", table, error.what()));
        failed.push_back(table);
      }
    }
    if (!failed.empty()) {
      throw Error(Code::kGenericUserError, fmt::format("{} of {} tables failed: {}", failed.size(),
                                                       streams.size(), base::join(failed, ", ")));
    }
    all.message = fmt::format("{} rows of {} tables", *all.rows, streams.size());
    return all;
  }

 private:
  ingest::Ingest& ingest_;
  const std::string source_, schema_;
  const bool full_;
};

yaml::Node mapping(const yaml::Node& at) {
  yaml::Node node;
  node.kind = yaml::Node::Kind::kMap;
  node.line = at.line;
  node.column = at.column;
  return node;
}

yaml::Node text(const yaml::Node& at, std::string value) {
  yaml::Node node = mapping(at);
  node.kind = yaml::Node::Kind::kText;
  node.text = std::move(value);
  node.plain = false;
  return node;
}

void put(yaml::Node& node, const std::string& key, yaml::Node value) {
  node.keys.push_back({key, value.line, value.column});
  node.items.push_back(std::move(value));
}

/// Who is told: of failures and recoveries, if the source does not say of what.
yaml::Node alerts_of(const yaml::Node& notify) {
  yaml::Node alerts = notify;
  if (alerts.find("on")) return alerts;
  yaml::Node events = mapping(notify);
  events.kind = yaml::Node::Kind::kSequence;
  for (const char* event : {"failure", "recovery"}) events.items.push_back(text(notify, event));
  put(alerts, "on", std::move(events));
  return alerts;
}

/// The pipeline of a source that has a schedule of its own.
yaml::Document scheduled(const ingest::SourceConfig& source) {
  const yaml::Node& at = *source.schedule;
  yaml::Document document{source.file.string(), "", mapping(at)};
  const std::string name = "ingest_" + source.name;
  put(document.root, "name", text(at, name));
  put(document.root, "schedule", at);
  if (source.notify) put(document.root, "alerts", alerts_of(*source.notify));
  yaml::Node asset = mapping(at), assets = mapping(at);
  put(asset, "ingest", text(at, source.name));
  put(assets, name, std::move(asset));
  put(document.root, "assets", std::move(assets));
  return document;
}

class IngestKind : public AssetKind {
 public:
  explicit IngestKind(ingest::Ingest& ingest) : ingest_(ingest) {}
  std::string_view word() const override { return "ingest"; }

  std::vector<base::Shape> shape() const override { return ingest_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const std::string& name = from.node.find("ingest")->text;
    const auto config = ingest_.source(name);
    const bool full = from.node.find("full_refresh")->boolean();
    const yaml::Node* only = from.node.find("tables");
    std::vector<NamedAsset> assets;
    if (config.all_tables && only == nullptr) {
      assets.push_back(
          {from.name, std::make_unique<SourceAsset>(
                          ingest_, name, config.into_catalog + "." + config.into_schema, full)});
      return assets;
    }
    const auto add = [&](const std::string& stream, const Location& where) {
      const auto table = config.table(stream);
      if (!table) {
        std::vector<std::string> names;
        for (const auto& [key, value] : config.tables) names.push_back(key);
        throw Error(Code::kConfigInvalid,
                    fmt::format("the source '{}' has no table '{}'", name, stream), where)
            .with_hint(base::did_you_mean(stream, names, "its tables are "));
      }
      std::vector<TableUse> inputs;
      if (config.kind == "postgresql") {
        const auto& options = ingest::postgresql_options(config);
        if (!options.catalog.empty())
          inputs.push_back(
              {fmt::format("{}.{}.{}", options.catalog, options.schema, table->name), where});
      }
      const std::string full_name = config.full_name(*table);
      assets.push_back({full_name, std::make_unique<TableAsset>(ingest_, name, table->name,
                                                                full_name, inputs, full)});
    };
    const Location here{from.node.line, from.node.column, from.document.file};
    if (only != nullptr) {
      for (const yaml::Node& table : only->items) {
        add(table.text, {table.line, table.column, from.document.file});
      }
    } else {
      for (const auto& [stream, table] : config.tables) add(stream, here);
    }
    return assets;
  }

  std::vector<yaml::Document> implied() override {
    std::vector<yaml::Document> all;
    for (const auto& source : ingest_.sources())
      if (source.schedule) all.push_back(scheduled(source));
    return all;
  }

  uint64_t fingerprint() override {
    std::string all;
    for (const auto& source : ingest_.sources()) {
      all += source.name + (source.schedule ? "@:" : ":");
      for (const auto& [stream, table] : source.tables) all += stream + ",";
    }
    return base::checksum(all);
  }

 private:
  ingest::Ingest& ingest_;
};

}  // namespace

std::vector<base::Shape> ingest_keys() {
  return {base::required("ingest", base::text("A source: sources/NAME.yaml.")),
          base::optional("tables", base::list("Only these of its tables.", base::text("Name."))),
          base::optional("full_refresh", base::boolean("Takes everything, every time."), "false")};
}

std::unique_ptr<AssetKind> ingest_kind(ingest::Ingest& ingest) {
  return std::make_unique<IngestKind>(ingest);
}

}  // namespace meesh::pipelines
