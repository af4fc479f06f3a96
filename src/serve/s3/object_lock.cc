#include "net/head.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::LockMode;
using objects::Reason;

constexpr int64_t kMostDays = 36500;
constexpr int64_t kMostYears = 100;

std::string_view mode_name(LockMode mode) {
  return mode == LockMode::kCompliance ? "COMPLIANCE" : "GOVERNANCE";
}

LockMode read_mode(pugi::xml_node node) {
  std::string text = needed_text(node, "Mode");
  if (text == "COMPLIANCE") return LockMode::kCompliance;
  if (text == "GOVERNANCE") return LockMode::kGovernance;
  malformed_xml("<Mode> is GOVERNANCE or COMPLIANCE");
}

void need_lock(Call& call) {
  if (!call.bucket_info().lock_enabled) {
    throw S3Error(Reason::kInvalidRequest, "Bucket is missing Object Lock Configuration");
  }
}

objects::DefaultRetention read_default(pugi::xml_node node) {
  only_children(node, {"Mode", "Days", "Years"});
  objects::DefaultRetention out;
  out.mode = read_mode(node);
  auto days = child_number(node, "Days"), years = child_number(node, "Years");
  if (days.has_value() == years.has_value()) malformed_xml("one of <Days> and <Years> is needed");
  if ((days && *days < 1) || (years && *years < 1)) {
    throw S3Error(Reason::kInvalidArgument,
                  "Default retention period must be a positive integer value.");
  }
  if ((days && *days > kMostDays) || (years && *years > kMostYears)) {
    throw S3Error(Reason::kInvalidArgument,
                  "Default retention period is too long; the most are 36500 days or 100 years.");
  }
  out.days = static_cast<int>(days.value_or(0));
  out.years = static_cast<int>(years.value_or(0));
  return out;
}

}  // namespace

void get_object_lock(Call& call) {
  const objects::Bucket& bucket = call.bucket_info();
  if (!bucket.lock_enabled) {
    throw S3Error("ObjectLockConfigurationNotFoundError", 404,
                  "Object Lock configuration does not exist for this bucket");
  }
  XmlAnswer xml("ObjectLockConfiguration");
  add(xml.root(), "ObjectLockEnabled", std::string_view("Enabled"));
  const auto& retention = bucket.default_retention;
  if (retention.mode != LockMode::kNone) {
    pugi::xml_node node = add(add(xml.root(), "Rule"), "DefaultRetention");
    add(node, "Mode", mode_name(retention.mode));
    if (retention.days > 0) add(node, "Days", static_cast<uint64_t>(retention.days));
    if (retention.years > 0) add(node, "Years", static_cast<uint64_t>(retention.years));
  }
  call.answer(xml);
}

void put_object_lock(Call& call) {
  std::string body = call.body();
  XmlRequest xml(body, "ObjectLockConfiguration");
  only_children(xml.root(), {"ObjectLockEnabled", "Rule"});
  if (needed_text(xml.root(), "ObjectLockEnabled") != "Enabled") {
    malformed_xml("<ObjectLockEnabled> is Enabled");
  }
  objects::DefaultRetention retention;
  if (pugi::xml_node rule = xml.root().child("Rule")) {
    only_children(rule, {"DefaultRetention"});
    pugi::xml_node node = rule.child("DefaultRetention");
    if (!node) malformed_xml("<Rule> lacks its <DefaultRetention>");
    retention = read_default(node);
  }
  call.store().edit_bucket(call.bucket, [&](objects::Bucket& bucket) {
    if (bucket.versioning != objects::Versioning::kEnabled) {
      throw objects::ObjectError(
          Reason::kInvalidBucketState,
          "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
    }
    bucket.lock_enabled = true;
    bucket.default_retention = retention;
  });
  call.answer(200);
}

void get_retention(Call& call) {
  need_lock(call);
  auto object = call.store().head(call.bucket, call.key,
                                  {.version = call.version(), .without_content = true});
  const auto& retention = object.attributes.retention;
  if (retention.mode == LockMode::kNone) {
    throw S3Error("NoSuchObjectLockConfiguration", 404,
                  "The specified object does not have a ObjectLock configuration");
  }
  XmlAnswer xml("Retention");
  add(xml.root(), "Mode", mode_name(retention.mode));
  add(xml.root(), "RetainUntilDate", iso_time(retention.until));
  call.answer(xml);
}

void put_retention(Call& call) {
  need_lock(call);
  std::string body = call.body();
  XmlRequest xml(body, "Retention");
  only_children(xml.root(), {"Mode", "RetainUntilDate"});
  objects::Retention retention;
  if (xml.root().child("Mode") || xml.root().child("RetainUntilDate")) {
    retention.mode = read_mode(xml.root());
    auto until = parse_iso_time(needed_text(xml.root(), "RetainUntilDate"));
    if (!until) malformed_xml("<RetainUntilDate> is a time in ISO 8601");
    if (*until <= now()) {
      throw S3Error(Reason::kInvalidArgument, "The retain until date must be in the future!");
    }
    retention.until = *until;
  }
  bool bypass = net::equals_ignoring_case(call.header("x-amz-bypass-governance-retention"), "true");
  if (bypass) call.require("s3:BypassGovernanceRetention");
  call.store().set_retention(call.bucket, call.key, call.version(), retention, bypass);
  call.answer(200);
}

void get_legal_hold(Call& call) {
  need_lock(call);
  auto object = call.store().head(call.bucket, call.key,
                                  {.version = call.version(), .without_content = true});
  XmlAnswer xml("LegalHold");
  add(xml.root(), "Status", std::string_view(object.attributes.legal_hold ? "ON" : "OFF"));
  call.answer(xml);
}

void put_legal_hold(Call& call) {
  need_lock(call);
  std::string body = call.body();
  XmlRequest xml(body, "LegalHold");
  only_children(xml.root(), {"Status"});
  std::string status = needed_text(xml.root(), "Status");
  if (status != "ON" && status != "OFF") malformed_xml("<Status> is ON or OFF");
  call.store().set_legal_hold(call.bucket, call.key, call.version(), status == "ON");
  call.answer(200);
}

}  // namespace meesh::serve::s3
