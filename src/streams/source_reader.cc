#include "streams/source_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace meesh::streams {

using engine::BufferColumn;
using sql::Type;
using sql::TypeKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kPoll{100};
constexpr size_t kAtOnce = 4096;
constexpr std::chrono::seconds kLookEvery{5};

enum MessageColumn { kTopic, kPartition, kOffset, kTimestamp, kKey, kValue, kHeaders };

/// As JSON; a value that is no text is written in base64.
std::string headers_json(const std::vector<Header>* headers) {
  boost::json::object out;
  if (!headers) return "{}";
  for (const auto& [name, value] : *headers) {
    if (!base::valid_utf8(name)) continue;
    if (!value) {
      out[name] = nullptr;
    } else if (base::valid_utf8(*value)) {
      out[name] = *value;
    } else {
      out[name] = base::to_base64(*value);
    }
  }
  return boost::json::serialize(out);
}

bool asks_for_headers(const std::set<std::string>& with) { return with.contains("_headers"); }

ConsumerOptions options(const SourceConfig& config, const std::set<std::string>& with,
                        const std::string& group) {
  ConsumerOptions options;
  options.topics = config.topics;
  options.group = group;
  options.headers = asks_for_headers(with);
  return options;
}

std::vector<ColumnConfig> columns_of(const SourceConfig& config, SchemaRegistry* registry) {
  if (!config.columns.empty()) return config.columns;
  if (config.format.encoding == Encoding::kRaw) {
    ColumnConfig value;
    value.name = "value";
    value.type = Type::of(TypeKind::kVarbinary);
    return {value};
  }
  return columns_of_schema(config.format, config.topics.front() + "-value", registry);
}

void must(bool fits) {
  if (!fits) internal_error("a number of a message does not fit its column");
}

}  // namespace

const std::vector<BufferColumn>& message_columns() {
  static const std::vector<BufferColumn> columns = {
      {"_topic", Type::varchar(), true},
      {"_partition", Type::of(TypeKind::kInteger), true},
      {"_offset", Type::of(TypeKind::kBigint), true},
      {"_timestamp", Type::of(TypeKind::kTimestampTz, 3), true},
      {"_key", Type::of(TypeKind::kVarbinary), true},
      {"_value", Type::of(TypeKind::kVarbinary), true},
      {"_headers", Type::varchar(), true}};
  return columns;
}

std::vector<BufferColumn> rejected_columns() {
  std::vector<BufferColumn> columns{{"_stream", Type::varchar()}};
  for (size_t i = kTopic; i <= kValue; ++i) {
    columns.push_back(message_columns()[i]);
    columns.back().hidden = false;
  }
  columns.push_back({"_error", Type::varchar()});
  return columns;
}

SourceReader::SourceReader(const SourceConfig& config, std::set<std::string> with,
                           const std::string& group, engine::BufferTables& buffers)
    : config_(config),
      buffers_(buffers),
      registry_(config.format.registry.url.empty()
                    ? nullptr
                    : std::make_unique<SchemaRegistry>(config.format.registry)),
      columns_(columns_of(config, registry_.get())),
      decoder_(make_decoder(config.format, columns_, registry_.get())),
      consumer_(config.kafka, options(config, with, group)) {
  const auto& all = message_columns();
  for (size_t i = 0; i < all.size(); ++i)
    if (with.contains(all[i].name)) with_.emplace_back(i, all[i].name);
}

std::vector<BufferColumn> SourceReader::buffer_columns() const {
  std::vector<BufferColumn> columns;
  for (const auto& column : columns_) columns.push_back({column.name, column.stored_type()});
  for (const auto& [which, name] : with_) columns.push_back(message_columns()[which]);
  return columns;
}

Type SourceReader::event_type() const {
  for (const auto& column : buffer_columns())
    if (column.name == config_.event_time) return column.type;
  throw Error(Code::kConfigInvalid,
              fmt::format("The source '{}' has no column '{}'", config_.name, config_.event_time))
      .with_hint("event_time: a timestamp of the columns, or _timestamp");
}

Offsets SourceReader::checked(Offsets from) {
  const Offsets least = consumer_.beginnings(), most = consumer_.ends();
  for (auto& [partition, offset] : from) {
    const auto low = least.find(partition), high = most.find(partition);
    const bool there = low != least.end() && high != most.end();
    if (there && offset >= low->second && offset <= high->second) continue;
    const std::string what =
        !there ? fmt::format("Partition {} of the topic '{}' is gone", partition.partition,
                             partition.topic)
               : fmt::format(
                     "Partition {} of the topic '{}' has messages {} to {}, and {} is the "
                     "next to be read",
                     partition.partition, partition.topic, low->second, high->second, offset);
    if (config_.fail_on_data_loss) {
      DataLoss error(Code::kGenericExternal, what);
      error.with_hint(
          "were messages deleted, or the topic made anew? 'on_data_loss: continue' goes "
          "on with what there is; `meesh streams reset` begins anew");
      throw error;
    }
    offset = there ? low->second : 0;
  }
  if (!config_.fail_on_data_loss)
    std::erase_if(from, [&](const auto& one) { return !least.contains(one.first); });
  return from;
}

void SourceReader::open(const Offsets& from) {
  Offsets begin;
  if (from.empty()) {
    begin = config_.start == "earliest" ? consumer_.beginnings()
            : config_.start == "latest" ? consumer_.ends()
                                        : consumer_.at_time(std::stoll(config_.start));
  } else {
    begin = checked(from);
    for (const auto& [partition, least] : consumer_.beginnings()) begin.emplace(partition, least);
  }
  positions_ = begin;
  looked_ = steady_clock::now();
  consumer_.assign(begin);
}

void SourceReader::go_on_from(const Offsets& from) {
  positions_ = from;
  for (const auto& [partition, least] : consumer_.beginnings())
    positions_.emplace(partition, least);
  consumer_.assign(positions_);
}

void SourceReader::look_for_partitions() {
  if (steady_clock::now() - looked_ < kLookEvery) return;
  looked_ = steady_clock::now();
  bool more = false;
  for (const auto& partition : consumer_.partitions()) more |= !positions_.contains(partition);
  if (!more) return;
  for (const auto& [partition, least] : consumer_.beginnings())
    positions_.emplace(partition, least);
  consumer_.assign(positions_);
}

bool SourceReader::reached(const Offsets& ends) const {
  return std::ranges::all_of(ends, [&](const auto& end) {
    const auto at = positions_.find(end.first);
    return at != positions_.end() && at->second >= end.second;
  });
}

bool SourceReader::read(const BatchLimits& limits, engine::RowBuffer& rejected, BatchSource& into) {
  if (!into.rows) into.rows = buffers_.buffer(buffer_columns());
  bool at_end = false;
  const auto wanted = [&](const Message& message) {
    if (!limits.ends) return true;
    const auto end = limits.ends->find({std::string(message.topic), message.partition});
    return end != limits.ends->end() && message.offset < end->second;
  };
  for (;;) {
    if (limits.ends && reached(*limits.ends)) {
      at_end = true;
      break;
    }
    if (interrupted_ || into.messages >= limits.messages || into.rows->bytes() >= limits.bytes)
      break;
    const auto now = steady_clock::now();
    if (now >= limits.until && (!limits.ends || into.messages > 0)) break;
    const auto wait = std::chrono::duration_cast<milliseconds>(limits.until - now);
    const size_t most = std::min<uint64_t>(kAtOnce, limits.messages - into.messages);
    const size_t got =
        consumer_.poll(std::clamp(wait, milliseconds(1), kPoll), most, [&](const Message& message) {
          if (wanted(message)) take(message, rejected, into);
        });
    positions_ = consumer_.positions();
    if (!limits.ends && consumer_.at_end() && (into.messages > 0 || now >= limits.until)) {
      at_end = true;
      break;
    }
    if (got == 0 && now >= limits.until) break;
  }
  into.ends = positions_;
  if (limits.ends) {
    std::erase_if(into.ends, [&](const auto& one) { return !limits.ends->contains(one.first); });
    for (auto& [partition, offset] : into.ends)
      offset = std::min(offset, limits.ends->at(partition));
  }
  return at_end;
}

void SourceReader::take(const Message& message, engine::RowBuffer& rejected, BatchSource& into) {
  ++into.messages;
  auto& rows = *into.rows;
  if (!message.value) {  // a tombstone: a row for those who look at keys
    const bool keyed =
        std::ranges::any_of(with_, [](const auto& one) { return one.first == kKey; });
    if (!keyed) {
      ++into.skipped;
      return;
    }
    set_message_cells(message, rows);
    rows.end_row();
    return;
  }
  if (!decoder_->decode(*message.value, rows, 0, wrong_)) {
    rows.drop_row();
    reject(message, wrong_, rejected, into);
    return;
  }
  set_message_cells(message, rows);
  rows.end_row();
}

void SourceReader::set_message_cells(const Message& message, engine::RowBuffer& rows) {
  size_t at = columns_.size();
  for (const auto& [which, name] : with_) {
    switch (which) {
      case kTopic:
        rows.text(at, message.topic);
        break;
      case kPartition:
        must(rows.integer(at, message.partition));
        break;
      case kOffset:
        must(rows.integer(at, message.offset));
        break;
      case kTimestamp:
        if (message.timestamp_ms >= 0) must(rows.integer(at, message.timestamp_ms * 1000));
        break;
      case kKey:
        if (message.key) rows.text(at, *message.key);
        break;
      case kValue:
        if (message.value) rows.text(at, *message.value);
        break;
      default:
        rows.text(at, headers_json(message.headers));
    }
    ++at;
  }
}

void SourceReader::reject(const Message& message, const std::string& wrong,
                          engine::RowBuffer& rejected, BatchSource& into) {
  ++into.malformed;
  if (config_.malformed == SourceConfig::Malformed::kSkip) return;
  if (config_.malformed == SourceConfig::Malformed::kFail) {
    throw Error(Code::kGenericUserError,
                fmt::format("Message {} of partition {} of the topic '{}' cannot be read: {}",
                            message.offset, message.partition, message.topic, wrong))
        .with_hint("malformed: dead_letter puts such messages into a table and goes on");
  }
  rejected.text(0, config_.name);
  rejected.text(1, message.topic);
  must(rejected.integer(2, message.partition));
  must(rejected.integer(3, message.offset));
  if (message.timestamp_ms >= 0) must(rejected.integer(4, message.timestamp_ms * 1000));
  if (message.key) rejected.text(5, *message.key);
  rejected.text(6, *message.value);
  rejected.text(7, wrong);
  rejected.end_row();
}

}  // namespace meesh::streams
