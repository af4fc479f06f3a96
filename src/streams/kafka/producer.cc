#include "streams/kafka/producer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "streams/kafka/kafka_conf.h"
#include "streams/kafka/topic_metadata.h"

namespace meesh::streams {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Freed<&rd_kafka_NewTopic_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Freed<&rd_kafka_AdminOptions_destroy>>;
using GroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                      Freed<&rd_kafka_consumer_group_metadata_destroy>>;

constexpr milliseconds kAskTime{15'000};          // what the cluster is asked is answered by then
constexpr milliseconds kTransactionTime{60'000};  // for each step of a transaction
constexpr milliseconds kAbortTime{5'000};         // of a transaction that nobody waits for any more
constexpr milliseconds kPause{100};
constexpr int kPollEvery = 4096;  // messages
constexpr size_t kReasonSize = 512;

KafkaProperties defaults() {
  return {{"compression.codec", "lz4"},
          {"linger.ms", "20"},
          {"queue.buffering.max.messages", "1000000"},
          {"queue.buffering.max.kbytes", "262144"},
          // As Java's clients choose the partition of a key.
          {"partitioner", "murmur2_random"},
          {"transaction.timeout.ms", "120000"}};
}

KafkaProperties fixed_of(const ProducerOptions& options) {
  KafkaProperties all = {
      {"enable.idempotence", "true"}, {"acks", "all"}, {"delivery.report.only.error", "true"}};
  if (!options.transactional_id.empty()) {
    all.emplace_back("transactional.id", options.transactional_id);
  }
  return all;
}

std::optional<int64_t> number_in(const void* metadata, size_t size) {
  const auto* text = static_cast<const char*>(metadata);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text, text + size, number);
  if (!text || error != std::errc() || end != text + size) return std::nullopt;
  return number;
}

// Never null, which would be a null key or value. librdkafka does not write into it.
void* data_of(std::string_view bytes) {
  return const_cast<char*>(bytes.data() ? bytes.data() : "");
}

rd_kafka_vu_t bytes(rd_kafka_vtype_t what, const std::optional<std::string_view>& given) {
  rd_kafka_vu_t field{};
  field.vtype = what;
  field.u.mem.ptr = given ? data_of(*given) : nullptr;
  field.u.mem.size = given ? given->size() : 0;
  return field;
}

// A message as librdkafka wants it.
std::array<rd_kafka_vu_t, 5> fields_of(rd_kafka_topic_t* topic,
                                       const std::optional<std::string_view>& key,
                                       const std::optional<std::string_view>& value,
                                       int64_t timestamp_ms) {
  std::array<rd_kafka_vu_t, 5> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic;
  fields[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[1].u.i = RD_KAFKA_MSG_F_COPY;
  fields[2] = bytes(RD_KAFKA_VTYPE_KEY, key);
  fields[3] = bytes(RD_KAFKA_VTYPE_VALUE, value);
  fields[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[4].u.i64 = timestamp_ms;
  return fields;
}

bool is_fenced(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

void set_time(rd_kafka_AdminOptions_t* options) {
  std::array<char, kReasonSize> ignored{};
  rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(kAskTime.count()),
                                            ignored.data(), ignored.size());
}

}  // namespace

struct KafkaProducer::Impl {
  struct Opaque final : ClientTrouble {
    // Messages that were not delivered since they were asked for, and why the first was not; used
    // by the one thread, which serves librdkafka's calls too.
    uint64_t undelivered = 0;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string topic;
  };

  const KafkaSettings settings;
  const ProducerOptions options;
  Opaque trouble;
  KafkaHandle client;
  std::map<std::string, KafkaTopic, std::less<>> topics;
  const std::string* last_name = nullptr;  // most messages go where the one before went
  rd_kafka_topic_t* last_topic = nullptr;
  int until_poll = kPollEvery;

  std::set<std::string> numbered;  // topics that create_topic() was called for
  bool in_transaction = false;
  bool broken = false;               // the client can go on no more
  bool unsure = false;               // how the last transaction ended, until last_number() is asked
  std::optional<int64_t> committed;  // nothing: not known, or none

  Impl(const KafkaSettings& the_settings, ProducerOptions the_options)
      : settings(the_settings), options(std::move(the_options)) {
    open();
  }
  ~Impl() { close(); }

  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    // The calls of ClientTrouble get the same pointer.
    auto& trouble = *static_cast<Opaque*>(static_cast<ClientTrouble*>(opaque));
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (trouble.undelivered++ > 0) return;
    trouble.error = message->err;
    trouble.topic = rd_kafka_topic_name(message->rkt);
  }

  Error failure(std::string_view topic, rd_kafka_resp_err_t error,
                std::string_view detail = {}) const {
    return kafka_error(settings, topic, error, trouble, detail);
  }

  void open();
  void close();
  void mend();
  void check_undelivered();
  void check_fatal();
  rd_kafka_topic_t* handle_of(const std::string& topic);
  template <typename Step>
  void transact(std::string_view topic, Step step);
  Error transaction_error(std::string_view topic, const KafkaFailure& failed) const;
  KafkaEvent ask(rd_kafka_event_type_t type, const std::function<void(rd_kafka_queue_t*)>& call);
  std::optional<Error> ask_for_topic(const std::string& topic, int partitions);
  std::optional<int64_t> ask_number();
};

void KafkaProducer::Impl::open() {
  KafkaConf conf = kafka_conf(settings, defaults(), fixed_of(options), trouble);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Impl::delivered);
  client = new_client(RD_KAFKA_PRODUCER, std::move(conf), settings);
  if (options.transactional_id.empty()) return;
  transact("", [&] {
    return rd_kafka_init_transactions(client.get(), static_cast<int>(kAskTime.count()));
  });
}

void KafkaProducer::Impl::close() {
  if (!client) return;
  if (in_transaction && !broken) {
    const KafkaFailure ignored(
        rd_kafka_abort_transaction(client.get(), static_cast<int>(kAbortTime.count())));
  }
  rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client.get(), 1000);
  last_name = nullptr;
  topics.clear();
  client.reset();
  in_transaction = false;
}

// A new client of the same id is told how the last transaction ended before it may begin one.
void KafkaProducer::Impl::mend() {
  if (!broken) return;
  close();
  trouble.undelivered = 0;
  trouble.take_refusal();
  committed.reset();
  open();
  broken = false;
}

Error KafkaProducer::Impl::transaction_error(std::string_view topic,
                                             const KafkaFailure& failed) const {
  const auto code = rd_kafka_error_code(failed.get());
  Error error = failure(topic, code, rd_kafka_error_string(failed.get()));
  error.prefixed(fmt::format("transactions of '{}'", options.transactional_id));
  if (is_fenced(code)) {
    error.with_hint(
        "another producer has taken this transactional id over, or the transaction took too long");
  }
  return error;
}

// One step of a transaction, again as long as librdkafka says that it may still come true. What
// cannot be saved is aborted here, so that the next begin() is possible.
template <typename Step>
void KafkaProducer::Impl::transact(std::string_view topic, Step step) {
  const auto end = Clock::now() + kTransactionTime;
  while (true) {
    const KafkaFailure failed(step());
    if (!failed) return;
    rd_kafka_poll(client.get(), 0);
    const bool again = rd_kafka_error_is_retriable(failed.get()) != 0;
    const std::string refusal = trouble.take_refusal();
    if (again && Clock::now() < end && refusal.empty()) continue;
    const Error error = refusal.empty()
                            ? transaction_error(topic, failed)
                            : failure(topic, RD_KAFKA_RESP_ERR__AUTHENTICATION, refusal);
    if (rd_kafka_error_txn_requires_abort(failed.get()) == 0) {
      broken = unsure = true;
    } else {
      const KafkaFailure late(
          rd_kafka_abort_transaction(client.get(), static_cast<int>(kAbortTime.count())));
      broken = late != nullptr;
      in_transaction = false;
      trouble.undelivered = 0;
    }
    throw error;
  }
}

void KafkaProducer::Impl::check_fatal() {
  std::array<char, kReasonSize> why{};
  const auto error = rd_kafka_fatal_error(client.get(), why.data(), why.size());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  broken = true;
  unsure = in_transaction;
  throw failure("", error, why.data());
}

void KafkaProducer::Impl::check_undelivered() {
  if (trouble.undelivered == 0) return;
  const uint64_t lost = std::exchange(trouble.undelivered, 0);
  throw failure(trouble.topic, trouble.error).prefixed(fmt::format("{} messages not sent", lost));
}

rd_kafka_topic_t* KafkaProducer::Impl::handle_of(const std::string& topic) {
  if (last_name && *last_name == topic) return last_topic;
  auto found = topics.find(topic);
  if (found == topics.end()) {
    KafkaTopic made(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
    if (!made) throw failure(topic, rd_kafka_last_error());
    found = topics.emplace(topic, std::move(made)).first;
  }
  last_name = &found->first;
  return last_topic = found->second.get();
}

// The answer to an admin request, an event of that type; ends early if the brokers refuse us.
KafkaEvent KafkaProducer::Impl::ask(rd_kafka_event_type_t type,
                                    const std::function<void(rd_kafka_queue_t*)>& call) {
  const KafkaQueue queue(rd_kafka_queue_new(client.get()));
  call(queue.get());
  const auto end = Clock::now() + 2 * kAskTime;  // librdkafka gives up before
  while (Clock::now() < end) {
    KafkaEvent event(rd_kafka_queue_poll(queue.get(), static_cast<int>(kPause.count())));
    rd_kafka_poll(client.get(), 0);
    if (event && rd_kafka_event_type(event.get()) == type) return event;
    if (const auto why = trouble.take_refusal(); !why.empty()) {
      throw failure("", RD_KAFKA_RESP_ERR__AUTHENTICATION, why);
    }
  }
  throw failure("", RD_KAFKA_RESP_ERR__TIMED_OUT);
}

KafkaProducer::KafkaProducer(const KafkaSettings& settings, ProducerOptions options)
    : impl_(std::make_unique<Impl>(settings, std::move(options))) {}

KafkaProducer::~KafkaProducer() = default;

// Why the topic was not made, unless it is there.
std::optional<Error> KafkaProducer::Impl::ask_for_topic(const std::string& topic, int partitions) {
  std::array<char, kReasonSize> why{};
  // -1: as many replicas as the cluster gives by default.
  const NewTopic wanted(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, why.data(), why.size()));
  if (!wanted) {
    return failure(topic, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, why.data());
  }
  const AdminOptions request(
      rd_kafka_AdminOptions_new(client.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  set_time(request.get());
  const KafkaEvent event = ask(RD_KAFKA_EVENT_CREATETOPICS_RESULT, [&](rd_kafka_queue_t* queue) {
    rd_kafka_NewTopic_t* one = wanted.get();
    rd_kafka_CreateTopics(client.get(), &one, 1, request.get(), queue);
  });
  auto error = rd_kafka_event_error(event.get());
  std::string text = rd_kafka_event_error_string(event.get());
  size_t count = 0;
  const auto** made = error ? nullptr
                            : rd_kafka_CreateTopics_result_topics(
                                  rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count == 1) {
    error = rd_kafka_topic_result_error(made[0]);
    const char* said = rd_kafka_topic_result_error_string(made[0]);
    text = said ? said : "";
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    return std::nullopt;
  }
  return failure(topic, error, text);
}

void KafkaProducer::create_topic(const std::string& topic, int partitions) {
  impl_->mend();
  const auto refused = impl_->ask_for_topic(topic, partitions);
  if (refused && refused->code() == Code::kUnavailable) throw *refused;
  const auto end = Clock::now() + kAskTime;
  while (partition_count(impl_->client.get(), impl_->settings, topic, Leaders::kAll, kAskTime,
                         impl_->trouble) == 0) {
    if (refused) throw *refused;  // but who may not create topics may write to one that is there
    // Brokers learn of it one after the other.
    if (Clock::now() > end) throw impl_->failure(topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    std::this_thread::sleep_for(kPause);
  }
  impl_->numbered.insert(topic);
}

// A consumer asks, as one of the group: the admin request of librdkafka 2.0.2 for it crashes while
// the group has no coordinator.
std::optional<int64_t> KafkaProducer::Impl::ask_number() {
  const KafkaHandle reader = new_client(
      RD_KAFKA_CONSUMER,
      kafka_conf(settings, {},
                 {{"group.id", options.transactional_id},
                  {"enable.auto.commit", "false"},
                  {"isolation.level", "read_committed"}},  // waits for a commit under way
                 trouble),
      settings);
  const KafkaPartitions places(
      rd_kafka_topic_partition_list_new(static_cast<int>(numbered.size())));
  for (const auto& topic : numbered) {
    rd_kafka_topic_partition_list_add(places.get(), topic.c_str(), 0);
  }
  const auto end = Clock::now() + kAskTime;
  while (true) {
    auto error = rd_kafka_committed(reader.get(), places.get(), static_cast<int>(kAskTime.count()));
    std::optional<int64_t> number;
    for (int i = 0; i < places->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      const auto& one = places->elems[i];
      error = one.err;
      const auto told = number_in(one.metadata, one.metadata_size);
      if (told && (!number || *told > *number)) number = told;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return number;
    rd_kafka_poll(reader.get(), 0);
    if (!passes(error) || Clock::now() > end) throw failure("", error);
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<int64_t> KafkaProducer::last_number() {
  impl_->mend();
  if (!impl_->committed && !impl_->numbered.empty()) impl_->committed = impl_->ask_number();
  impl_->unsure = false;
  return impl_->committed;
}

void KafkaProducer::begin() {
  if (impl_->unsure) internal_error("begin() after a transaction whose end is not known");
  impl_->mend();
  impl_->trouble.undelivered = 0;
  impl_->transact("", [&] { return rd_kafka_begin_transaction(impl_->client.get()); });
  impl_->in_transaction = true;
}

void KafkaProducer::send(const std::string& topic, std::optional<std::string_view> key,
                         std::optional<std::string_view> value, int64_t timestamp_ms) {
  if (!impl_->in_transaction) impl_->mend();
  rd_kafka_t* client = impl_->client.get();
  rd_kafka_topic_t* handle = impl_->handle_of(topic);
  if (--impl_->until_poll <= 0) {
    impl_->until_poll = kPollEvery;
    rd_kafka_poll(client, 0);
    impl_->check_undelivered();
  }
  const auto message = fields_of(handle, key, value, timestamp_ms);
  while (true) {
    const KafkaFailure failed(rd_kafka_produceva(client, message.data(), message.size()));
    if (!failed) return;
    const auto error = rd_kafka_error_code(failed.get());
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      impl_->check_fatal();
      throw impl_->failure(topic, error);
    }
    rd_kafka_poll(client, static_cast<int>(kPause.count()));
    impl_->check_undelivered();
    impl_->check_fatal();
  }
}

void KafkaProducer::commit(int64_t number, const std::string& topic) {
  const KafkaPartitions offsets(rd_kafka_topic_partition_list_new(1));
  auto* offset = rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), 0);
  offset->offset = 0;
  const std::string text = std::to_string(number);
  offset->metadata = ::strdup(text.c_str());  // the list frees it
  offset->metadata_size = text.size();
  const GroupMetadata group(
      rd_kafka_consumer_group_metadata_new(impl_->options.transactional_id.c_str()));
  impl_->transact(topic, [&] {
    return rd_kafka_send_offsets_to_transaction(impl_->client.get(), offsets.get(), group.get(),
                                                static_cast<int>(kAskTime.count()));
  });
  impl_->transact(topic, [&] { return rd_kafka_commit_transaction(impl_->client.get(), -1); });
  impl_->in_transaction = false;
  impl_->committed = number;
}

void KafkaProducer::abort() {
  if (!impl_->in_transaction || impl_->broken) return;  // a broken one's is ended by the next
  impl_->transact("", [&] { return rd_kafka_abort_transaction(impl_->client.get(), -1); });
  impl_->in_transaction = false;
  impl_->trouble.undelivered = 0;
}

uint64_t KafkaProducer::unconfirmed() {
  rd_kafka_poll(impl_->client.get(), 0);
  impl_->check_undelivered();
  impl_->check_fatal();
  return static_cast<uint64_t>(rd_kafka_outq_len(impl_->client.get()));
}

void KafkaProducer::flush(milliseconds at_most) {
  impl_->mend();
  const auto error = rd_kafka_flush(impl_->client.get(), static_cast<int>(at_most.count()));
  impl_->check_undelivered();
  impl_->check_fatal();
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  throw impl_->failure("", error).prefixed(
      fmt::format("{} messages not confirmed", rd_kafka_outq_len(impl_->client.get())));
}

}  // namespace meesh::streams
