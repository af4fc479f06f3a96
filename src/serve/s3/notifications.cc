#include "serve/s3/notifications.h"

#include <boost/json.hpp>

#include "base/log.h"
#include "net/http.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;
namespace json = boost::json;

constexpr size_t kMostWaiting = 10000;
constexpr int kAttempts = 5;
constexpr size_t kMostRules = 100;

// The kinds that are told; those of S3's that never happen here may be asked for all the same.
constexpr std::string_view kEvents[] = {
    "s3:ObjectCreated:",       "s3:ObjectRemoved:",       "s3:ObjectAccessed:", "s3:ObjectTagging:",
    "s3:ObjectAcl:",           "s3:LifecycleExpiration:", "s3:ObjectRestore:",  "s3:Replication:",
    "s3:LifecycleTransition:", "s3:ObjectTransition:"};

void check_event(const std::string& event) {
  bool known = std::any_of(std::begin(kEvents), std::end(kEvents),
                           [&](std::string_view kind) { return event.starts_with(kind); });
  if (!known && event != "s3:LifecycleTransition" && event != "s3:IntelligentTiering") {
    throw S3Error("InvalidArgument", 400, "The event is not supported for notifications",
                  {{"ArgumentName", "Event"}, {"ArgumentValue", event}});
  }
}

std::string target_of(const std::string& arn, const std::map<std::string, std::string>& webhooks) {
  constexpr std::string_view kStart = "arn:minio:sqs:";
  size_t last = arn.rfind(':');
  size_t before =
      last == std::string::npos || last == 0 ? std::string::npos : arn.rfind(':', last - 1);
  if (arn.starts_with(kStart) && before != std::string::npos && before >= kStart.size() - 1) {
    std::string kind = arn.substr(last + 1);
    std::string name = arn.substr(before + 1, last - before - 1);
    if (kind == "webhook" && webhooks.contains(name)) return name;
    if (kind != "webhook") {
      throw S3Error(Reason::kNotImplemented,
                    fmt::format("Notifications to targets of the kind '{}' are not implemented, "
                                "webhooks are.",
                                kind));
    }
  }
  throw S3Error("InvalidArgument", 400,
                "Unable to validate the following destination configurations",
                {{"ArgumentName", arn}, {"ArgumentValue", "There is no such target"}});
}

void read_filter(pugi::xml_node node, NotificationRule& rule) {
  only_children(node, {"S3Key"});
  pugi::xml_node key = node.child("S3Key");
  only_children(key, {"FilterRule"});
  bool prefixed = false, suffixed = false;
  for (pugi::xml_node one : key.children("FilterRule")) {
    only_children(one, {"Name", "Value"});
    std::string name = needed_text(one, "Name");
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    bool prefix = name == "prefix";
    bool& seen = prefix ? prefixed : suffixed;
    if ((!prefix && name != "suffix") || seen) {
      throw S3Error(Reason::kInvalidArgument,
                    "filter rule name must be either prefix or suffix, each at most once");
    }
    seen = true;
    (prefix ? rule.prefix : rule.suffix) = needed_text(one, "Value");
  }
}

NotificationRule read_rule(pugi::xml_node node,
                           const std::map<std::string, std::string>& webhooks) {
  only_children(node, {"Id", "Queue", "Event", "Filter"});
  NotificationRule rule;
  rule.id = child_text(node, "Id").value_or("");
  rule.arn = needed_text(node, "Queue");
  rule.target = target_of(rule.arn, webhooks);
  for (pugi::xml_node event : node.children("Event")) {
    rule.events.emplace_back(event.text().get());
    check_event(rule.events.back());
  }
  if (rule.events.empty()) malformed_xml("<QueueConfiguration> lacks its <Event>");
  if (pugi::xml_node filter = node.child("Filter")) read_filter(filter, rule);
  return rule;
}

// Growing with each event of one key: here the time, in microseconds, in hex.
std::string sequencer() {
  auto at = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("{:018X}", std::chrono::duration_cast<std::chrono::microseconds>(at).count());
}

}  // namespace

std::vector<NotificationRule> parse_notification(
    std::string_view xml, const std::map<std::string, std::string>& webhooks) {
  XmlRequest document(xml, "NotificationConfiguration");
  pugi::xml_node root = document.root();
  only_children(root, {"QueueConfiguration", "TopicConfiguration", "CloudFunctionConfiguration",
                       "EventBridgeConfiguration"});
  if (root.child("TopicConfiguration") || root.child("CloudFunctionConfiguration") ||
      root.child("EventBridgeConfiguration")) {
    throw S3Error(Reason::kNotImplemented,
                  "Topics, functions and EventBridge are not implemented; use a "
                  "QueueConfiguration whose Queue is a webhook.");
  }
  std::vector<NotificationRule> rules;
  for (pugi::xml_node node : root.children("QueueConfiguration")) {
    if (rules.size() == kMostRules) malformed_xml("more than 100 configurations");
    rules.push_back(read_rule(node, webhooks));
  }
  return rules;
}

bool rule_fits(const NotificationRule& rule, std::string_view event, std::string_view key) {
  bool wanted = std::any_of(rule.events.begin(), rule.events.end(), [&](const std::string& one) {
    if (!one.ends_with('*')) return one == event;
    return event.starts_with(std::string_view(one).substr(0, one.size() - 1));
  });
  return wanted && key.starts_with(rule.prefix) && key.ends_with(rule.suffix);
}

std::string event_json(const objects::Event& event, const NotificationRule& rule,
                       const EventSource::Facts* source, const std::string& region) {
  const objects::Object& object = event.object;
  std::string name = event.name.starts_with("s3:") ? event.name.substr(3) : event.name;
  json::object of_object{
      {"key", encode_key(object.key)}, {"versionId", object.version}, {"sequencer", sequencer()}};
  if (event.name.starts_with("s3:ObjectCreated")) {
    of_object["size"] = object.size;
    of_object["eTag"] = object.etag;
    of_object["contentType"] = object.attributes.content_type;
  }
  std::string user = source != nullptr ? source->user : "internal";
  json::object record{
      {"eventVersion", "2.1"},
      {"eventSource", "meesh:s3"},
      {"awsRegion", region},
      {"eventTime", iso_time(now())},
      {"eventName", name},
      {"userIdentity", {{"principalId", user}}},
      {"requestParameters",
       {{"sourceIPAddress", source != nullptr ? source->address : ""}, {"region", region}}},
      {"responseElements", {{"x-amz-request-id", source != nullptr ? source->request_id : ""}}},
      {"s3",
       {{"s3SchemaVersion", "1.0"},
        {"configurationId", rule.id},
        {"bucket", {{"name", event.bucket}, {"arn", "arn:aws:s3:::" + event.bucket}}},
        {"object", std::move(of_object)}}}};
  json::object message{{"EventName", event.name},
                       {"Key", event.bucket + "/" + object.key},
                       {"Records", json::array{std::move(record)}}};
  return json::serialize(message);
}

Notifications::Notifications(objects::Store& store, std::map<std::string, std::string> webhooks,
                             std::string region)
    : webhooks_(std::move(webhooks)), region_(std::move(region)) {
  for (const objects::Bucket& bucket : store.buckets()) {
    auto it = bucket.documents.find("notification");
    if (it != bucket.documents.end()) set(bucket.name, it->second);
  }
  thread_ = std::thread([this] { deliver_loop(); });
}

Notifications::~Notifications() {
  stop_.request();
  thread_.join();
  if (!queue_.empty()) {
    log::warn("notifications were not delivered", {{"count", queue_.size()}});
  }
}

void Notifications::set(const std::string& bucket, const std::string& xml) {
  std::vector<NotificationRule> rules;
  try {
    if (!xml.empty()) rules = parse_notification(xml, webhooks_);
  } catch (const Error& e) {  // of earlier, with targets that are gone
    log::warn("the notifications of a bucket are off", {{"bucket", bucket}, {"error", e.what()}});
  }
  std::unique_lock lock(rules_mutex_);
  if (rules.empty()) {
    rules_.erase(bucket);
  } else {
    rules_[bucket] = std::move(rules);
  }
}

void Notifications::tell(const objects::Event& event, const EventSource::Facts* source) {
  std::vector<Message> messages;
  {
    std::shared_lock lock(rules_mutex_);
    auto it = rules_.find(event.bucket);
    if (it == rules_.end()) return;
    for (const NotificationRule& rule : it->second) {
      if (!rule_fits(rule, event.name, event.object.key)) continue;
      messages.push_back({webhooks_.at(rule.target), event_json(event, rule, source, region_), 0});
    }
  }
  if (messages.empty()) return;
  std::lock_guard lock(mutex_);
  for (Message& message : messages) {
    if (queue_.size() < kMostWaiting) {
      queue_.push_back(std::move(message));
    } else if (++lost_ % 1000 == 1) {
      log::warn("notifications are lost: their queue is full", {{"lost", lost_}});
    }
  }
  arrived_.notify_one();
}

// In order: one that cannot be delivered holds up the others until its attempts are over.
void Notifications::deliver_loop() {
  for (;;) {
    Message message;
    {
      std::unique_lock lock(mutex_);
      if (!stop_.wait(arrived_, lock, [&] { return !queue_.empty(); })) return;
      message = queue_.front();
    }
    bool done = deliver(message);
    for (; !done && message.attempt < kAttempts; done = deliver(message)) {
      if (stop_.sleep_for(std::chrono::milliseconds(200) * (1 << message.attempt))) return;
      ++message.attempt;
    }
    if (!done) log::warn("a notification could not be delivered", {{"target", message.url}});
    std::lock_guard lock(mutex_);
    queue_.pop_front();
  }
}

bool Notifications::deliver(const Message& message) {
  // "http://host:port" and what follows.
  size_t scheme = message.url.find("://");
  size_t path = message.url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  std::string target = path == std::string::npos ? "/" : message.url.substr(path);
  try {
    net::Client client(message.url.substr(0, path), std::chrono::seconds(10));
    net::Headers headers;
    headers.set("Content-Type", "application/json");
    auto answer = client.request("POST", target, headers, message.body);
    return answer.status >= 200 && answer.status < 300;
  } catch (const Error& e) {
    log::debug("a notification was not delivered", {{"error", e.what()}});
    return false;
  }
}

}  // namespace meesh::serve::s3
