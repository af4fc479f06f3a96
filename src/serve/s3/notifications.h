// Event notifications: what buckets want told, and the webhooks that are told.
//
// Events wait in a bounded queue in memory: those not delivered when the program ends, or that come
// while the queue is full, are lost (the log says how many).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/shutdown.h"
#include "objects/store.h"
#include "serve/s3/call.h"

namespace meesh::serve::s3 {

struct NotificationRule {
  std::string id, arn, target;      // target: NAME of "arn:minio:sqs::NAME:webhook"
  std::vector<std::string> events;  // "s3:ObjectCreated:*"
  std::string prefix, suffix;
};
/// Throws MalformedXML, InvalidArgument (an event or destination that there is not) and
/// NotImplemented (Kafka and other kinds of targets).
std::vector<NotificationRule> parse_notification(
    std::string_view xml, const std::map<std::string, std::string>& webhooks);
bool rule_fits(const NotificationRule& rule, std::string_view event, std::string_view key);
/// S3's event message, version 2.1, with MinIO's two fields at its top.
std::string event_json(const objects::Event& event, const NotificationRule& rule,
                       const EventSource::Facts* source, const std::string& region);

/// Thread-safe.
class Notifications {
 public:
  /// Reads the rules of the buckets there are.
  Notifications(objects::Store& store, std::map<std::string, std::string> webhooks,
                std::string region);
  ~Notifications();  // what waits is lost
  /// A bucket's document changed; "" = it has none any more.
  void set(const std::string& bucket, const std::string& xml);
  void tell(const objects::Event& event, const EventSource::Facts* source);

 private:
  struct Message {
    std::string url, body;
    int attempt = 0;
  };
  void deliver_loop();
  bool deliver(const Message& message);

  const std::map<std::string, std::string> webhooks_;
  const std::string region_;
  mutable std::shared_mutex rules_mutex_;
  std::map<std::string, std::vector<NotificationRule>> rules_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Message> queue_;
  uint64_t lost_ = 0;
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::serve::s3
