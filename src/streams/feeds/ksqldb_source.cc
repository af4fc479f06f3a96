// Feeds of ksqlDB: rows are read over the network into a buffer, and from there as a table.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/uuid.h"
#include "engine/ask.h"
#include "streams/feeds/feed_source.h"
#include "streams/ksqldb/ksqldb_reader.h"

namespace meesh::streams {

namespace json = boost::json;

namespace {

constexpr const char* kSchema = "feeds";  // of the buffers
constexpr uint64_t kRows = 500'000;       // of a portion: what is kept in memory at once
constexpr const char* kBy = "ksqldb";

KsqldbPosition position_of(const json::value& value) {
  KsqldbPosition from;
  if (value.is_null()) return from;
  for (const auto& [partition, offset] : value.as_object().at("next").as_object())
    from[std::stoi(std::string(partition))] = offset.to_number<int64_t>();
  return from;
}

json::value json_of(const KsqldbPosition& position) {
  json::object next;
  for (const auto& [partition, offset] : position) next[std::to_string(partition)] = offset;
  return json::object{{"by", kBy}, {"next", std::move(next)}};
}

class KsqldbFeedSource : public FeedSource {
 public:
  KsqldbFeedSource(const KsqldbSettings& settings, const FeedConfig& feed,
                   std::shared_ptr<engine::BufferTables> buffers)
      : feed_(feed), buffers_(std::move(buffers)), client_(settings) {}

  std::string address() const override { return client_.url() + "/" + feed_.ksqldb_source; }

  std::vector<FeedColumn> columns() override {
    std::vector<FeedColumn> columns;
    for (const auto& column : reader().columns()) columns.push_back({column.name, column.type});
    return columns;
  }

  std::optional<FeedPortion> next(const json::value& position, const Landed&,
                                  const TaskContext& context) override {
    const bool stream = feed_.type == FeedType::kStream;
    if (std::exchange(done_, !stream)) return std::nullopt;
    if (stream && !position.is_null() && position.as_object().at("by").as_string() != kBy) {
      throw Error(
          Code::kConstraintViolation,
          fmt::format("the feed '{}' was not exported from ksqlDB until now: which rows are "
                      "new is not known",
                      feed_.name))
          .with_hint("begin another feed under another name");
    }
    std::shared_ptr<engine::RowBuffer> rows = buffers_->buffer(reader().columns());
    KsqldbReadOptions options;
    if (stream) {
      options.from = position_of(position);
      options.rows = kRows;
    }
    const KsqldbRead read = reader().read(options, *rows, context.stop);
    context.check();
    // Asked again, it would wait for rows that have not come yet.
    done_ = !read.more;
    if (stream && read.rows == 0) return std::nullopt;
    rows->finish();
    FeedPortion portion;
    const auto table = std::shared_ptr<engine::BufferTables::Registration>(
        buffers_->add(kSchema, feed_.name + "_" + base::random_uuid(), {.rows = std::move(rows)}));
    portion.query = fmt::format("SELECT * FROM {}", engine::quote_table(table->name()));
    portion.position = stream ? json_of(read.next) : json::value(nullptr);
    portion.estimated_rows = static_cast<double>(read.rows);
    portion.holds = table;
    return portion;
  }

 private:
  KsqldbReader& reader() {
    if (!reader_) {
      auto source = client_.describe(feed_.ksqldb_source);
      const bool table = feed_.type == FeedType::kTable;
      if (source.is_table != table) {
        throw Error(Code::kConfigInvalid,
                    fmt::format("the feed '{}' is of a {}, and {} is a {} in ksqlDB", feed_.name,
                                type_name(feed_.type), feed_.ksqldb_source,
                                source.is_table ? "table" : "stream"))
            .with_hint("\"feed_type\" in the feed's file");
      }
      reader_ = std::make_unique<KsqldbReader>(client_, std::move(source));
    }
    return *reader_;
  }

  const FeedConfig& feed_;
  const std::shared_ptr<engine::BufferTables> buffers_;
  KsqldbClient client_;
  std::unique_ptr<KsqldbReader> reader_;
  bool done_ = false;  // nothing more is given
};

}  // namespace

std::unique_ptr<FeedSource> ksqldb_source(const KsqldbSettings& settings, const FeedConfig& feed,
                                          std::shared_ptr<engine::BufferTables> buffers) {
  if (!buffers) internal_error("feeds of ksqlDB without buffers");
  return std::make_unique<KsqldbFeedSource>(settings, feed, std::move(buffers));
}

}  // namespace meesh::streams
