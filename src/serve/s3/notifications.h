// Event notifications: what buckets want told, and to which targets.
//
// Events wait in bounded queues in memory: those not delivered when the program ends, or that come
// while a queue is full, are lost (the log says how many). An event may come twice (KafkaTarget).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "objects/store.h"
#include "serve/s3/event_target.h"
#include "serve/s3/s3.h"

namespace meesh::serve::s3 {

struct NotificationRule {
  std::string id, arn, target;      // target: "NAME:webhook" of "arn:minio:sqs::NAME:webhook"
  std::vector<std::string> events;  // "s3:ObjectCreated:*"
  std::string prefix, suffix;
};
/// The "NAME:webhook" and "NAME:kafka" there are.
std::set<std::string> target_names(const Options& options);
/// Throws MalformedXML, InvalidArgument (an event or destination that there is not) and
/// NotImplemented (other kinds of targets).
std::vector<NotificationRule> parse_notification(std::string_view xml,
                                                 const std::set<std::string>& targets);
bool rule_fits(const NotificationRule& rule, std::string_view event, std::string_view key);
/// S3's event message, version 2.1, with MinIO's two fields at its top.
std::string event_json(const objects::Event& event, const NotificationRule& rule,
                       const std::string& region);

/// Thread-safe.
class Notifications {
 public:
  using Targets = std::map<std::string, std::unique_ptr<EventTarget>>;  // by their target_names()

  /// Reads the rules of the buckets there are.
  Notifications(objects::Store& store, Targets targets, std::string region);
  /// Waits for what waits, five seconds at most for all targets together, and then for webhooks'
  /// requests under way, which end within five seconds more.
  ~Notifications();
  /// A bucket's document changed; "" = it has none any more.
  void set(const std::string& bucket, const std::string& xml);
  void tell(const objects::Event& event);

 private:
  const Targets targets_;
  const std::set<std::string> names_;
  const std::string region_;
  mutable std::shared_mutex rules_mutex_;
  std::map<std::string, std::vector<NotificationRule>> rules_;
};
/// Throws CONFIG_INVALID.
Notifications::Targets make_targets(const Options& options);

}  // namespace meesh::serve::s3
