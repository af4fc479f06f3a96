// { stream: ventes_live }: a stream until it has done all that waits for it now.
// { feed: transaction_stream }: a feed's export.
#include <fmt/format.h>

#include <algorithm>

#include "pipelines/kinds/kinds.h"

namespace meesh::pipelines {
namespace {

std::vector<std::string> tables_of(const streams::StreamConfig& config) {
  std::vector<std::string> tables;
  for (const auto& sink : config.sinks)
    if (sink.kind == streams::SinkConfig::Kind::kLake ||
        sink.kind == streams::SinkConfig::Kind::kDatabase)
      tables.push_back(sink.target);
  return tables;
}

class StreamAsset : public Asset {
 public:
  StreamAsset(streams::Streams& streams, const streams::StreamConfig& config)
      : streams_(streams), name_(config.name), outputs_(tables_of(config)) {}

  std::vector<std::string> outputs() const override { return outputs_; }
  std::vector<TableUse> inputs() const override { return {}; }

  StepResult run(const StepContext& context) override {
    StepResult result;
    result.metadata = streams_.run(name_, context.task);
    const auto count = [&](const char* key) {
      return result.metadata.at(key).to_number<uint64_t>();
    };
    result.rows = count("rows");
    result.message = fmt::format("{} messages in {} batches, {} rows", count("messages"),
                                 count("batches"), *result.rows);
    return result;
  }

 private:
  streams::Streams& streams_;
  const std::string name_;
  const std::vector<std::string> outputs_;
};

class StreamKind : public AssetKind {
 public:
  explicit StreamKind(streams::Streams& streams) : streams_(streams) {}
  std::string_view word() const override { return "stream"; }
  std::vector<base::Shape> shape() const override { return stream_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const std::string& name = from.node.find("stream")->text;
    streams_.status(name);  // throws if there is none
    std::vector<NamedAsset> assets;
    for (const auto& config : streams_.configs())
      if (config.name == name)
        assets.push_back({from.name, std::make_unique<StreamAsset>(streams_, config)});
    return assets;
  }

 private:
  streams::Streams& streams_;
};

class FeedAsset : public Asset {
 public:
  FeedAsset(streams::Feeds& feeds, std::string name, std::string table)
      : feeds_(feeds), name_(std::move(name)), table_(std::move(table)) {}

  std::vector<std::string> outputs() const override { return {table_}; }
  std::vector<TableUse> inputs() const override { return {}; }

  StepResult run(const StepContext& context) override {
    const auto done = feeds_.export_feed(name_, std::nullopt, context.task);
    for (const auto& note : done.notes) context.task.info(note);
    StepResult result;
    result.rows = done.rows;
    result.message = fmt::format("{} rows into {}", done.rows, done.table);
    result.metadata = {{"records", done.records}, {"bytes", done.bytes}};
    if (done.version > 0) result.metadata["version"] = done.version;
    return result;
  }

 private:
  streams::Feeds& feeds_;
  const std::string name_, table_;
};

class FeedKind : public AssetKind {
 public:
  explicit FeedKind(streams::Feeds& feeds) : feeds_(feeds) {}
  std::string_view word() const override { return "feed"; }
  std::vector<base::Shape> shape() const override { return feed_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const std::string& name = from.node.find("feed")->text;
    const auto status = feeds_.show(name);
    std::vector<NamedAsset> assets;
    assets.push_back({from.name, std::make_unique<FeedAsset>(feeds_, name, status.table)});
    return assets;
  }

 private:
  streams::Feeds& feeds_;
};

}  // namespace

std::vector<base::Shape> stream_keys() {
  return {base::required("stream", base::text("A stream: a file of streams/."))};
}

std::vector<base::Shape> feed_keys() {
  return {base::required("feed", base::text("A feed: a file of feeds/active/."))};
}

std::unique_ptr<AssetKind> stream_kind(streams::Streams& streams) {
  return std::make_unique<StreamKind>(streams);
}

std::unique_ptr<AssetKind> feed_kind(streams::Feeds& feeds) {
  return std::make_unique<FeedKind>(feeds);
}

}  // namespace meesh::pipelines
