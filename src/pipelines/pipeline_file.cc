#include "pipelines/pipeline_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/parameters.h"

namespace meesh::pipelines {

namespace fs = std::filesystem;
using yaml::Document;
using yaml::Node;

namespace {

constexpr const char* kFolder = "pipelines";
constexpr const char* kPools = "pipelines/pools.yaml";
constexpr const char* kName = "^[a-z][a-z0-9_-]*$";
constexpr const char* kNameMeans = "a name (lower-case letters, digits, _ and -)";

base::Shape duration(std::string doc) {
  return base::matching(std::move(doc), "^[0-9]{1,6}(ms|s|m|h|d)$",
                        "a time such as 10s, 5m, 1h or 1d");
}

base::Shape retries_shape() {
  return base::object(
      "How often a step that fails is tried, and how long it waits in between.",
      {base::optional("attempts", base::integer("Attempts in all.", 1, 100), "1"),
       base::optional("delay", duration("Before the second attempt."), "10s"),
       base::optional("backoff",
                      base::choice("Each wait is this many times the one before.",
                                   {"1", "2", "3", "4", "5", "10"}),
                      "2"),
       base::optional("max_delay", duration("No wait is longer."), "5m"),
       base::optional("jitter",
                      base::boolean("Shortens each wait by up to half, at random, so that steps "
                                    "that failed together are not tried together."),
                      "true")});
}

base::Shape tags_shape() {
  return base::list("Words to select by: tag:nightly.",
                    base::matching("", "^[A-Za-z0-9_.-]+$", "a word"));
}

base::Shape pool_shape() {
  return base::matching("Steps of a pool share its limit, of pipelines/pools.yaml.", kName,
                        kNameMeans);
}

base::Shape schedule_shape() {
  return base::object(
      "When it runs by itself.",
      {base::optional("cron", base::text("Five fields, as cron has them, or @daily.")),
       base::optional("timezone", base::text("Of the fields, and of run_date."), "UTC"),
       base::optional("on", base::choice("upstream: when a snapshot of a lake table it reads is "
                                         "newer than at its last success.",
                                         {"upstream"})),
       base::optional("catch_up",
                      base::choice("What is done about times at which no server ran.",
                                   {"latest", "all", "none"}),
                      "latest")});
}

base::Shape alerts_shape() {
  return base::object(
      "Who is told.",
      {base::optional("on",
                      base::list("Of what.", base::choice("", {"failure", "recovery", "late"}))),
       base::optional("late_after",
                      duration("A scheduled run that has not succeeded this long after its time is "
                               "late."),
                      "1h"),
       base::optional("webhook", base::secret_text("URL that a JSON object is POSTed to.")),
       base::optional("email", base::list("Addresses; needs smtp: in meesh.yaml.",
                                          base::matching("", "^[^\\s@<>]+@[^\\s@<>]+$",
                                                         "an e-mail address", 254)))});
}

Retries retries_of(const Node& node) {
  Retries retries;
  retries.attempts = static_cast<int>(*node.find("attempts")->integer());
  retries.delay = parse_duration(node.find("delay")->text);
  retries.backoff = std::stod(node.find("backoff")->text);
  retries.max_delay = parse_duration(node.find("max_delay")->text);
  retries.jitter = node.find("jitter")->boolean();
  return retries;
}

/// One pipelines/<name>.yaml.
class Reader {
 public:
  Reader(const Document& document, mesh::MeshFiles& files, const AssetKinds& kinds,
         const std::map<std::string, int>& pools)
      : document_(document), files_(files), kinds_(kinds), pools_(pools) {}

  std::unique_ptr<Pipeline> read() {
    const Node& root = document_.root;
    pipeline_->name = root.find("name")->text;
    pipeline_->file = document_.file;
    if (const Node* node = root.find("description")) pipeline_->description = node->text;
    attempt(*root.find("schedule"), [&](const Node& node) { read_schedule(node); });
    if (const Node* node = root.find("partitions")) read_partitions(*node);
    if (const Node* node = root.find("parameters")) read_parameters(*node);
    pipeline_->concurrency = static_cast<int>(*root.find("concurrency")->integer());
    pipeline_->max_runs = static_cast<int>(*root.find("max_runs")->integer());
    read_alerts(*root.find("alerts"));
    retries_ = retries_of(*root.find("retries"));
    const Node& assets = *root.find("assets");
    for (size_t i = 0; i < assets.keys.size(); ++i) {
      attempt(assets.items[i], [&](const Node& node) { read_asset(assets.keys[i], node); });
    }
    if (pipeline_->alerts.late && !pipeline_->schedule.cron) {
      problem(*root.find("alerts"), "alerts on late runs need a schedule by cron");
    }
    return std::move(pipeline_);
  }

 private:
  void problem(const Node& node, std::string message, std::string hint = "") {
    files_.problems().push_back(
        document_.error(Code::kConfigInvalid, std::move(message), node.line, node.column)
            .with_hint(std::move(hint)));
  }

  /// What `work` throws without a file is placed at the node.
  template <typename Work>
  void attempt(const Node& node, Work work) {
    try {
      work(node);
    } catch (Error& error) {
      if (error.location().file.empty()) error.at(document_.file, node.line, node.column);
      files_.problems().push_back(error);
    }
  }

  void read_schedule(const Node& node) {
    Schedule& to = pipeline_->schedule;
    to.timezone = node.find("timezone")->text;
    attempt(*node.find("timezone"), [&](const Node&) { TimeZone::find(to.timezone); });
    if (const Node* cron = node.find("cron")) {
      attempt(*cron, [&](const Node&) { to.cron = Cron::parse(cron->text); });
    }
    to.on_upstream = node.find("on") != nullptr;
    const std::string& catch_up = node.find("catch_up")->text;
    to.catch_up = catch_up == "all"    ? CatchUp::kAll
                  : catch_up == "none" ? CatchUp::kNone
                                       : CatchUp::kLatest;
  }

  void read_partitions(const Node& node) {
    Partitions partitions;
    const std::string& by = node.find("by")->text;
    partitions.by = by == "hour"    ? Partitions::By::kHour
                    : by == "month" ? Partitions::By::kMonth
                                    : Partitions::By::kDay;
    const Node& from = *node.find("from");
    attempt(from, [&](const Node&) { partitions.from = partitions.key(from.text); });
    pipeline_->partitions = partitions;
  }

  void read_parameters(const Node& node) {
    for (size_t i = 0; i < node.keys.size(); ++i) {
      attempt(node.items[i], [&](const Node& value) {
        quality::check_parameters({{node.keys[i].name, value.text}});
        pipeline_->parameters[node.keys[i].name] = value.text;
      });
    }
  }

  void read_alerts(const Node& node) {
    Alerts& to = pipeline_->alerts;
    if (const Node* on = node.find("on")) {
      for (const Node& event : on->items) {
        to.failure |= event.text == "failure";
        to.recovery |= event.text == "recovery";
        to.late |= event.text == "late";
      }
    }
    to.late_after = parse_duration(node.find("late_after")->text);
    if (const Node* webhook = node.find("webhook")) to.webhook = webhook->text;
    if (const Node* email = node.find("email")) {
      for (const Node& address : email->items) to.email.push_back(address.text);
    }
  }

  AssetKind* kind_of(const yaml::Key& key, const Node& node) {
    AssetKind* found = nullptr;
    std::vector<std::string> words;
    for (const auto& kind : kinds_) {
      words.emplace_back(kind->word());
      if (node.find(kind->word()) == nullptr) continue;
      if (found != nullptr) {
        problem(node, fmt::format("the asset '{}' is of two kinds, {} and {}", key.name,
                                  found->word(), kind->word()));
        return nullptr;
      }
      found = kind.get();
    }
    if (found == nullptr) {
      problem(node, fmt::format("the asset '{}' does not say what it is", key.name),
              fmt::format("one of its keys must be {}", base::join(words, ", ")));
    }
    return found;
  }

  void read_asset(const yaml::Key& key, const Node& node) {
    if (node.kind != Node::Kind::kMap) {
      return problem(node, fmt::format("the asset '{}' is no mapping", key.name),
                     "such as { sql: folder/file.sql }");
    }
    AssetKind* kind = kind_of(key, node);
    if (kind == nullptr) return;
    std::vector<base::Shape> keys = kind->shape();
    Document part{document_.file, document_.source, node};
    for (base::Shape& common : asset_keys()) {
      // Its defaults are the pipeline's, not those of the shape.
      if (common.key == "retries" && node.find("retries") == nullptr) continue;
      keys.push_back(std::move(common));
    }
    const size_t before = files_.problems().size();
    base::check(base::object(fmt::format("An asset of kind {}.", kind->word()), std::move(keys)),
                part, files_.problems());
    if (files_.problems().size() > before) return;
    auto made =
        kind->parse({key.name, part.root, part, pipeline_->name, pipeline_->parameters, files_});
    for (NamedAsset& one : made) {
      PipelineAsset asset = common(key, part.root);
      asset.kind = kind->word();
      asset.name = std::move(one.name);
      asset.asset = std::move(one.asset);
      std::ranges::copy(asset.asset->tags(), std::back_inserter(asset.tags));
      pipeline_->assets.push_back(std::move(asset));
    }
  }

  PipelineAsset common(const yaml::Key& key, const Node& node) {
    PipelineAsset asset;
    asset.where = {key.line, key.column, document_.file};
    const Node& root = document_.root;
    const auto either = [&](std::string_view name) {
      const Node* own = node.find(name);
      return own != nullptr ? own : root.find(name);
    };
    if (const Node* text = node.find("description")) asset.description = text->text;
    if (const Node* names = node.find("depends_on")) {
      for (const Node& name : names->items) {
        asset.depends_on.push_back({name.text, {name.line, name.column, document_.file}});
      }
    }
    for (const Node* tags : {root.find("tags"), node.find("tags")}) {
      if (tags == nullptr) continue;
      for (const Node& tag : tags->items) asset.tags.push_back(tag.text);
    }
    asset.retries = node.find("retries") ? retries_of(*node.find("retries")) : retries_;
    if (const Node* timeout = either("timeout")) asset.timeout = parse_duration(timeout->text);
    if (const Node* pool = either("pool")) {
      asset.pool = pool->text;
      check_pool(*pool);
    }
    return asset;
  }

  void check_pool(const Node& pool) {
    if (pools_.contains(pool.text)) return;
    if (std::ranges::find(complained_, &pool) != complained_.end()) return;
    complained_.push_back(&pool);
    std::vector<std::string> names;
    for (const auto& [name, limit] : pools_) names.push_back(name);
    problem(pool, fmt::format("there is no pool '{}'", pool.text),
            base::did_you_mean(pool.text, names, fmt::format("{} has", kPools)) +
                (names.empty() ? fmt::format("write '{}: 2' into {}", pool.text, kPools) : ""));
  }

  const Document& document_;
  mesh::MeshFiles& files_;
  const AssetKinds& kinds_;
  const std::map<std::string, int>& pools_;
  std::unique_ptr<Pipeline> pipeline_ = std::make_unique<Pipeline>();
  Retries retries_;
  std::vector<const Node*> complained_;
};

std::map<std::string, int> read_pools(const mesh::Mesh& mesh, mesh::MeshFiles& files) {
  std::map<std::string, int> pools;
  if (!fs::exists(mesh.folder / kPools)) return pools;
  const auto document = files.read(kPools, pools_shape());
  if (!document) return pools;
  const Node& root = document->root;
  for (size_t i = 0; i < root.keys.size(); ++i) {
    pools[root.keys[i].name] = static_cast<int>(*root.items[i].integer());
  }
  return pools;
}

}  // namespace

Millis parse_duration(const std::string& text) {
  size_t unit = 0;
  const int64_t number = std::stoll(text, &unit);
  const std::string_view word = std::string_view(text).substr(unit);
  const int64_t factor = word == "ms"  ? 1
                         : word == "s" ? 1'000
                         : word == "m" ? 60'000
                         : word == "h" ? 3'600'000
                                       : 86'400'000;
  return Millis(number * factor);
}

Millis Retries::wait_before(int next, double random) const {
  double wait = static_cast<double>(delay.count()) * std::pow(backoff, std::max(0, next - 2));
  wait = std::min(wait, static_cast<double>(max_delay.count()));
  if (jitter) wait *= 1 - random / 2;
  return Millis(static_cast<int64_t>(wait));
}

const PipelineAsset* Pipeline::find(const std::string& asset) const {
  const auto found = std::ranges::find(assets, asset, &PipelineAsset::name);
  return found == assets.end() ? nullptr : &*found;
}

std::vector<base::Shape> asset_keys() {
  return {
      base::optional("description", base::text("What it is, for people.")),
      base::optional("depends_on",
                     base::list("Assets or tables that must be made before, besides those found "
                                "in its SQL.",
                                base::text("Name."))),
      base::optional("tags", tags_shape()),
      base::optional("timeout", duration("Of one attempt.")),
      base::optional("pool", pool_shape()),
      base::optional("retries", retries_shape())};
}

base::Shape pools_shape() {
  return base::map("How many steps of a pool run at once, in all pipelines.", kName, kNameMeans,
                   base::integer("Steps.", 1, 10'000));
}

base::Shape pipeline_shape() {
  base::Shape parameter =
      base::matching("Its value, unless a run has another.", "^[A-Za-z0-9_.:+ -]*$",
                     "text of letters, digits, spaces and _ . : + -", 256);
  parameter.min_length = 0;
  base::Shape asset = base::any("{ KIND: …, depends_on: […], retries: …, timeout: …, pool: … }");
  base::Shape assets = base::map("What it makes, by name; a table's full name for one table.",
                                 "^[a-z_][a-z0-9_.-]*$",
                                 "an asset's name (lower-case letters, digits, _ . and -)", asset);
  assets.max_length = 200;
  return base::object(
      "A pipeline: assets, and when and how they are made.",
      {base::required("name", base::matching("Its name.", kName, kNameMeans)),
       base::optional("description", base::text("What it is for.")),
       base::optional("schedule", schedule_shape()),
       base::optional("partitions",
                      base::object("Runs are for a time each.",
                                   {base::required("by", base::choice("How long one is.",
                                                                      {"hour", "day", "month"})),
                                    base::required("from", base::text("The first one."))})),
       base::optional(
           "parameters",
           base::map("{{ name }} in SQL, MEESH_PARAM_NAME in scripts.", "^[a-z][a-z0-9_]*$",
                     "a parameter's name (lower-case letters, digits, _)", std::move(parameter))),
       base::optional("retries", retries_shape()),
       base::optional("timeout", duration("Of one attempt of a step.")),
       base::optional("concurrency", base::integer("Steps of one run at once.", 1, 1000), "4"),
       base::optional("max_runs", base::integer("Runs at once, backfills apart.", 1, 100), "1"),
       base::optional("pool", pool_shape()), base::optional("tags", tags_shape()),
       base::optional("alerts", alerts_shape()), base::required("assets", std::move(assets))});
}

PipelineSet read_pipelines(const mesh::Mesh& mesh, const AssetKinds& kinds) {
  mesh::MeshFiles files(mesh);
  PipelineSet set;
  set.pools = read_pools(mesh, files);
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  std::map<std::string, std::string> seen;
  const auto take = [&](const Document& document) {
    auto pipeline = Reader(document, files, kinds, set.pools).read();
    const auto [other, first] = seen.emplace(pipeline->name, document.file);
    if (first) {
      pipelines.push_back(std::move(pipeline));
      return;
    }
    const Node& name = *document.root.find("name");
    files.problems().push_back(document.error(
        Code::kConfigInvalid,
        fmt::format("there is a pipeline '{}' already, in {}", pipeline->name, other->second),
        name.line, name.column));
  };
  for (const fs::path& file : files.list(kFolder, ".yaml")) {
    if (file == fs::path(kPools)) continue;
    if (const auto document = files.read(file, pipeline_shape())) take(*document);
  }
  for (const auto& kind : kinds) {
    for (Document& document : kind->implied()) {
      const size_t before = files.problems().size();
      base::check(pipeline_shape(), document, files.problems());
      if (files.problems().size() == before) take(document);
    }
  }
  // References into files with mistakes would look wrong.
  std::vector<Error> references;
  const bool whole = files.problems().empty() &&
                     std::ranges::all_of(kinds, [](const auto& kind) { return kind->settled(); });
  set.graph = std::make_unique<Graph>(std::move(pipelines), references);
  if (whole) files.problems() = std::move(references);
  files.finish();
  return set;
}

uint64_t files_fingerprint(const mesh::Mesh& mesh, const AssetKinds& kinds) {
  std::string all;
  std::error_code failed;
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(mesh.folder / kFolder, failed)) {
    if (!entry.is_regular_file(failed)) continue;
    lines.push_back(fmt::format("{}:{}:{}", entry.path().string(), entry.file_size(failed),
                                entry.last_write_time(failed).time_since_epoch().count()));
  }
  std::ranges::sort(lines);
  for (const auto& kind : kinds) lines.push_back(std::to_string(kind->fingerprint()));
  return base::checksum(base::join(lines, "\n"));
}

}  // namespace meesh::pipelines
