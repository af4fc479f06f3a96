#include "serve/s3/notifications.h"

#include <boost/json.hpp>

#include "base/log.h"
#include "objects/caller.h"
#include "serve/s3/error.h"
#include "serve/s3/kafka_target.h"
#include "serve/s3/values.h"
#include "serve/s3/webhook_target.h"
#include "serve/s3/xml.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;
namespace json = boost::json;

constexpr std::string_view kArn = "arn:minio:sqs:";
constexpr size_t kMostRules = 100;
constexpr std::chrono::seconds kFlush{5};

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

// "arn:minio:sqs:REGION:NAME:KIND", of any region.
std::string target_of(const std::string& arn, const std::set<std::string>& targets) {
  size_t region_end = arn.starts_with(kArn) ? arn.find(':', kArn.size()) : std::string::npos;
  if (region_end != std::string::npos) {
    std::string target = arn.substr(region_end + 1);
    if (targets.contains(target)) return target;
    std::string kind = target.substr(target.rfind(':') + 1);
    if (kind != "webhook" && kind != "kafka") {
      throw S3Error(Reason::kNotImplemented,
                    fmt::format("Notifications to targets of the kind '{}' are not implemented, "
                                "webhook and kafka are.",
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

NotificationRule read_rule(pugi::xml_node node, const std::set<std::string>& targets) {
  only_children(node, {"Id", "Queue", "Event", "Filter"});
  NotificationRule rule;
  rule.id = child_text(node, "Id").value_or("");
  rule.arn = needed_text(node, "Queue");
  rule.target = target_of(rule.arn, targets);
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

std::set<std::string> target_names(const Options& options) {
  std::set<std::string> names;
  for (const auto& [name, url] : options.webhooks) names.insert(name + ":webhook");
  for (const auto& [name, settings] : options.kafka) names.insert(name + ":kafka");
  return names;
}

std::vector<NotificationRule> parse_notification(std::string_view xml,
                                                 const std::set<std::string>& targets) {
  XmlRequest document(xml, "NotificationConfiguration");
  pugi::xml_node root = document.root();
  only_children(root, {"QueueConfiguration", "TopicConfiguration", "CloudFunctionConfiguration",
                       "EventBridgeConfiguration"});
  if (root.child("TopicConfiguration") || root.child("CloudFunctionConfiguration") ||
      root.child("EventBridgeConfiguration")) {
    throw S3Error(Reason::kNotImplemented,
                  "Topics, functions and EventBridge are not implemented; use a "
                  "QueueConfiguration whose Queue is a webhook or a Kafka topic.");
  }
  std::vector<NotificationRule> rules;
  for (pugi::xml_node node : root.children("QueueConfiguration")) {
    if (rules.size() == kMostRules) malformed_xml("more than 100 configurations");
    rules.push_back(read_rule(node, targets));
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
                       const std::string& region) {
  const objects::Object& object = event.object;
  std::string name = event.name.starts_with("s3:") ? event.name.substr(3) : event.name;
  json::object of_object{
      {"key", encode_key(object.key)}, {"versionId", object.version}, {"sequencer", sequencer()}};
  if (event.name.starts_with("s3:ObjectCreated")) {
    of_object["size"] = object.size;
    of_object["eTag"] = object.etag;
    of_object["contentType"] = object.attributes.content_type;
  }
  const objects::Caller nobody{.user = "internal", .address = "", .request_id = ""};
  const objects::Caller& caller = event.caller ? *event.caller : nobody;
  json::object record{
      {"eventVersion", "2.1"},
      {"eventSource", "meesh:s3"},
      {"awsRegion", region},
      {"eventTime", iso_time(now())},
      {"eventName", name},
      {"userIdentity", {{"principalId", caller.user}}},
      {"requestParameters", {{"sourceIPAddress", caller.address}, {"region", region}}},
      {"responseElements", {{"x-amz-request-id", caller.request_id}}},
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

Notifications::Targets make_targets(const Options& options) {
  Notifications::Targets targets;
  for (const auto& [name, url] : options.webhooks) {
    std::string target = name + ":webhook";
    targets[target] = std::make_unique<WebhookTarget>(fmt::format("{}:{}", kArn, target), url);
  }
  for (const auto& [name, settings] : options.kafka) {
    std::string target = name + ":kafka";
    targets[target] = std::make_unique<KafkaTarget>(fmt::format("{}:{}", kArn, target), settings);
  }
  return targets;
}

namespace {

std::set<std::string> names_of(const Notifications::Targets& targets) {
  std::set<std::string> names;
  for (const auto& [name, target] : targets) names.insert(name);
  return names;
}

}  // namespace

Notifications::Notifications(objects::Store& store, Targets targets, std::string region)
    : targets_(std::move(targets)), names_(names_of(targets_)), region_(std::move(region)) {
  for (const objects::Bucket& bucket : store.buckets()) {
    auto it = bucket.documents.find("notification");
    if (it != bucket.documents.end()) set(bucket.name, it->second);
  }
}

// All targets deliver while one of them is waited for, and all end together what is under way.
Notifications::~Notifications() {
  auto until = std::chrono::steady_clock::now() + kFlush;
  for (const auto& [name, target] : targets_) target->drain(until);
  for (const auto& [name, target] : targets_) target->stop();
  for (const auto& [name, target] : targets_) {
    target->close();
    if (target->lost() > 0) {
      log::warn("events were lost", {{"target", name}, {"lost", target->lost()}});
    }
  }
}

void Notifications::set(const std::string& bucket, const std::string& xml) {
  std::vector<NotificationRule> rules;
  try {
    if (!xml.empty()) rules = parse_notification(xml, names_);
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

void Notifications::tell(const objects::Event& event) {
  std::shared_lock lock(rules_mutex_);
  auto it = rules_.find(event.bucket);
  if (it == rules_.end()) return;
  for (const NotificationRule& rule : it->second) {
    if (!rule_fits(rule, event.name, event.object.key)) continue;
    targets_.at(rule.target)
        ->send({event.bucket + "/" + event.object.key, event_json(event, rule, region_)});
  }
}

}  // namespace meesh::serve::s3
