#include "streams/kafka/consumer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "streams/kafka/kafka_conf.h"
#include "streams/kafka/topic_metadata.h"

namespace meesh::streams {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Received = std::unique_ptr<rd_kafka_message_t, Freed<&rd_kafka_message_destroy>>;

constexpr milliseconds kAskTime{15'000};    // what the cluster is asked is answered by then
constexpr milliseconds kLongestWait{1000};  // until it is seen whether brokers refuse us
constexpr size_t kBatch = 10'000;           // messages taken out of librdkafka's queue at once
constexpr const char* kNoGroup = "meesh";   // librdkafka wants a name; it is told nothing
// As ListOffsets has them in place of a time.
constexpr int64_t kEnd = -1, kBeginning = -2;

KafkaProperties defaults_of(const ConsumerOptions& options) {
  const uint64_t kilobytes = std::max<uint64_t>(options.queued_bytes >> 10, 1024);
  return {{"queued.max.messages.kbytes", std::to_string(kilobytes)},
          // Only the bytes limit what waits.
          {"queued.min.messages", "2000000"},
          {"max.partition.fetch.bytes", std::to_string(4 << 20)},
          {"fetch.wait.max.ms", "100"},       // after which an end of a partition is seen
          {"fetch.error.backoff.ms", "100"},  // also how long a full queue is left alone
          {"topic.metadata.refresh.interval.ms", "60000"}};
}

KafkaProperties fixed_of(const ConsumerOptions& options) {
  return {{"group.id", options.group.empty() ? kNoGroup : options.group},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"enable.partition.eof", "true"},
          {"isolation.level", "read_committed"},
          {"allow.auto.create.topics", "false"},
          {"auto.offset.reset", "error"}};
}

KafkaPartitions list_of(const Offsets& offsets) {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [place, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), place.topic.c_str(), place.partition)->offset =
        offset;
  }
  return list;
}

bool is_data_loss(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
         error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

// Of the group, which is only told: what is read does not depend on it.
bool is_of_group(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
}

void read_headers(const rd_kafka_message_t* message, std::vector<Header>& into) {
  into.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    auto& added = into.emplace_back(name, std::nullopt);
    if (value) added.second.emplace(static_cast<const char*>(value), size);
  }
}

std::optional<std::string_view> bytes(const void* data, size_t size) {
  if (!data) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

struct KafkaConsumer::Impl {
  const KafkaSettings settings;
  const ConsumerOptions options;
  ClientTrouble trouble;
  KafkaHandle client;
  KafkaQueue queue;

  Offsets positions;
  struct Place {
    Offsets::iterator position;
    bool ended = false;
  };
  std::map<TopicPartition, Place> assigned;  // one for each of `positions`
  size_t open = 0;                           // of `assigned`, not ended

  // What was taken out of librdkafka's queue and not handed over yet: from `next` on.
  std::vector<rd_kafka_message_t*> batch;
  size_t next = 0;
  // The last message's: most come in runs of one partition. Good for one batch.
  const rd_kafka_topic_t* run_topic = nullptr;
  int32_t run_partition = -1;
  Place* run = nullptr;
  std::vector<Header> headers;

  Impl(const KafkaSettings& the_settings, ConsumerOptions the_options)
      : settings(the_settings), options(std::move(the_options)) {
    client = new_client(RD_KAFKA_CONSUMER,
                        kafka_conf(settings, defaults_of(options), fixed_of(options), trouble),
                        settings);
    queue.reset(rd_kafka_queue_get_consumer(client.get()));
  }
  ~Impl() { drop_batch(); }

  Error failure(std::string_view topic, rd_kafka_resp_err_t error,
                std::string_view detail = {}) const {
    return kafka_error(settings, topic, error, trouble, detail);
  }
  std::string all_topics() const { return fmt::format("{}", fmt::join(options.topics, "', '")); }

  std::vector<TopicPartition> partitions();
  Offsets offsets_at(int64_t time);
  void assign(const Offsets& from);
  void change(const Offsets& gone, const Offsets& added);

  bool fetch(milliseconds at_most, size_t most);
  bool hand_over(rd_kafka_message_t& message, const std::function<void(const Message&)>& take);
  void event(const rd_kafka_message_t& message);
  Place* place_of(const rd_kafka_message_t& message);
  void drop_batch();
};

std::vector<TopicPartition> KafkaConsumer::Impl::partitions() {
  std::vector<TopicPartition> all;
  for (const auto& topic : options.topics) {
    const int count =
        partition_count(client.get(), settings, topic, Leaders::kAny, kAskTime, trouble);
    if (count == 0) {
      throw Error(Code::kNotFound, kafka_place(settings, topic) + " does not exist");
    }
    for (int i = 0; i < count; ++i) all.push_back({topic, i});
  }
  return all;
}

// One request to each leader; what an election delays is asked again.
Offsets KafkaConsumer::Impl::offsets_at(int64_t time) {
  Offsets asked, found;
  for (auto& place : partitions()) asked.emplace(std::move(place), time);
  const auto end = Clock::now() + kAskTime;
  while (!asked.empty()) {
    const auto list = list_of(asked);
    auto error =
        rd_kafka_offsets_for_times(client.get(), list.get(), static_cast<int>(kAskTime.count()));
    std::string topic = all_topics();
    for (int i = 0; i < list->cnt; ++i) {
      const auto& one = list->elems[i];
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR && one.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        asked.erase(
            found.emplace(TopicPartition{one.topic, one.partition}, one.offset).first->first);
      }
    }
    for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      error = list->elems[i].err;
      topic = list->elems[i].topic;
    }
    if (asked.empty()) break;
    rd_kafka_poll(client.get(), 0);
    if (!passes(error) || Clock::now() > end) throw failure(topic, error);
  }
  return found;
}

void KafkaConsumer::Impl::change(const Offsets& gone, const Offsets& added) {
  const auto check = [&](rd_kafka_error_t* error) {
    const KafkaFailure failed(error);
    if (failed) {
      throw failure(all_topics(), rd_kafka_error_code(error), rd_kafka_error_string(error));
    }
  };
  if (!gone.empty()) check(rd_kafka_incremental_unassign(client.get(), list_of(gone).get()));
  if (!added.empty()) check(rd_kafka_incremental_assign(client.get(), list_of(added).get()));
}

// Partitions that go on where they are keep what was fetched of them.
void KafkaConsumer::Impl::assign(const Offsets& from) {
  Offsets gone, added;
  for (const auto& [place, offset] : positions) {
    const auto wanted = from.find(place);
    if (wanted == from.end() || wanted->second != offset) gone.emplace(place, offset);
  }
  for (const auto& [place, offset] : from) {
    const auto old = positions.find(place);
    if (old == positions.end() || old->second != offset) added.emplace(place, offset);
  }
  std::vector<rd_kafka_message_t*> kept;
  for (size_t i = next; i < batch.size(); ++i) {
    const TopicPartition place{batch[i]->rkt ? rd_kafka_topic_name(batch[i]->rkt) : "",
                               batch[i]->partition};
    if (gone.contains(place)) {
      rd_kafka_message_destroy(batch[i]);
    } else {
      kept.push_back(batch[i]);
    }
  }
  batch = std::move(kept);
  next = 0;
  run = nullptr;
  change(gone, added);
  for (const auto& [place, offset] : gone) {
    open -= assigned.at(place).ended ? 0 : 1;
    assigned.erase(place);
    positions.erase(place);
  }
  for (const auto& [place, offset] : added) {
    assigned[place] = {positions.emplace(place, offset).first, false};
    ++open;
  }
}

void KafkaConsumer::Impl::drop_batch() {
  for (; next < batch.size(); ++next) rd_kafka_message_destroy(batch[next]);
  batch.clear();
  next = 0;
}

// Fills the empty batch; waits for its first. False if nothing came in time, or after interrupt().
bool KafkaConsumer::Impl::fetch(milliseconds at_most, size_t most) {
  const auto end = Clock::now() + at_most;
  batch.assign(std::min(most, kBatch), nullptr);
  next = 0;
  run = nullptr;
  // With a time it would wait until the batch is full.
  ssize_t count = rd_kafka_consume_batch_queue(queue.get(), 0, batch.data(), batch.size());
  while (count <= 0) {
    rd_kafka_poll(client.get(), 0);
    if (const auto why = trouble.take_refusal(); !why.empty()) {
      batch.clear();
      throw failure(all_topics(), RD_KAFKA_RESP_ERR__AUTHENTICATION, why);
    }
    const auto now = Clock::now();
    const auto wait = std::min(std::chrono::ceil<milliseconds>(end - now), kLongestWait);
    if (wait.count() <= 0) break;
    batch[0] = rd_kafka_consume_queue(queue.get(), static_cast<int>(wait.count()));
    if (!batch[0] && Clock::now() - now < wait) break;  // interrupted
    if (!batch[0]) continue;
    count = 1;
    if (batch.size() == 1) break;
    count += std::max<ssize_t>(
        0, rd_kafka_consume_batch_queue(queue.get(), 0, batch.data() + 1, batch.size() - 1));
  }
  batch.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return !batch.empty();
}

KafkaConsumer::Impl::Place* KafkaConsumer::Impl::place_of(const rd_kafka_message_t& message) {
  if (run && message.rkt == run_topic && message.partition == run_partition) return run;
  if (!message.rkt) return nullptr;
  const auto found = assigned.find({rd_kafka_topic_name(message.rkt), message.partition});
  if (found == assigned.end()) return nullptr;
  run_topic = message.rkt;
  run_partition = message.partition;
  return run = &found->second;
}

// An end of a partition, or an error.
void KafkaConsumer::Impl::event(const rd_kafka_message_t& message) {
  Place* place = place_of(message);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (!place) return;
    open -= place->ended ? 0 : 1;
    place->ended = true;
    place->position->second = std::max(place->position->second, message.offset);
    return;
  }
  const std::string topic = message.rkt ? rd_kafka_topic_name(message.rkt) : all_topics();
  const char* text = rd_kafka_message_errstr(&message);
  if (passes(message.err) || is_of_group(message.err)) {
    log::debug("Kafka", {{"topic", topic}, {"error", text ? text : ""}});
    return;
  }
  if (message.rkt && !place) return;  // of a partition that is not read any more
  if (is_data_loss(message.err)) {
    throw DataLoss(Code::kGenericExternal,
                   fmt::format("{}: partition {} does not have offset {} (any more)",
                               kafka_place(settings, topic), message.partition,
                               place ? place->position->second : message.offset));
  }
  throw failure(topic, message.err, text ? text : "");
}

// Whether it was a message.
bool KafkaConsumer::Impl::hand_over(rd_kafka_message_t& message,
                                    const std::function<void(const Message&)>& take) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    event(message);
    return false;
  }
  Place* place = place_of(message);
  if (!place) return false;
  rd_kafka_timestamp_type_t kind{};
  const int64_t time = rd_kafka_message_timestamp(&message, &kind);
  Message out{place->position->first.topic,
              message.partition,
              message.offset,
              kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : time,
              bytes(message.key, message.key_len),
              bytes(message.payload, message.len)};
  if (options.headers) {
    read_headers(&message, headers);
    out.headers = &headers;
  }
  take(out);
  place->position->second = message.offset + 1;
  if (place->ended) {
    place->ended = false;
    ++open;
  }
  return true;
}

KafkaConsumer::KafkaConsumer(const KafkaSettings& settings, ConsumerOptions options)
    : impl_(std::make_unique<Impl>(settings, std::move(options))) {}

KafkaConsumer::~KafkaConsumer() = default;

std::vector<TopicPartition> KafkaConsumer::partitions() { return impl_->partitions(); }

Offsets KafkaConsumer::beginnings() { return impl_->offsets_at(kBeginning); }

Offsets KafkaConsumer::ends() { return impl_->offsets_at(kEnd); }

Offsets KafkaConsumer::at_time(int64_t ms) {
  Offsets found = impl_->offsets_at(std::max<int64_t>(ms, 0));
  const auto behind = [](const auto& one) { return one.second < 0; };
  if (std::ranges::none_of(found, behind)) return found;
  const Offsets last = ends();
  for (auto& [place, offset] : found) {
    if (const auto end = last.find(place); offset < 0 && end != last.end()) offset = end->second;
  }
  return found;
}

void KafkaConsumer::assign(const Offsets& from) { impl_->assign(from); }

size_t KafkaConsumer::poll(milliseconds at_most, size_t most,
                           const std::function<void(const Message&)>& take) {
  const auto end = Clock::now() + at_most;
  size_t given = 0;
  rd_kafka_poll(impl_->client.get(), 0);
  while (given < most) {
    if (impl_->next == impl_->batch.size()) {
      const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
      if (!impl_->fetch(given ? milliseconds(0) : left, most - given)) break;
    }
    const auto error = impl_->batch[impl_->next]->err;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      given += impl_->hand_over(*impl_->batch[impl_->next], take) ? 1 : 0;
      rd_kafka_message_destroy(impl_->batch[impl_->next++]);  // one that `take` refused stays
      continue;
    }
    // What came before an error is told first; the next call meets it.
    if (error != RD_KAFKA_RESP_ERR__PARTITION_EOF && given > 0) break;
    const Received event(impl_->batch[impl_->next++]);
    impl_->event(*event);
    if (given == 0 && at_end() && impl_->next == impl_->batch.size()) break;
  }
  return given;
}

const Offsets& KafkaConsumer::positions() const { return impl_->positions; }

bool KafkaConsumer::at_end() const { return impl_->open == 0; }

void KafkaConsumer::tell_group(const Offsets& offsets) {
  if (impl_->options.group.empty() || offsets.empty()) return;
  rd_kafka_commit(impl_->client.get(), list_of(offsets).get(), 1);
}

void KafkaConsumer::interrupt() { rd_kafka_queue_yield(impl_->queue.get()); }

}  // namespace meesh::streams
