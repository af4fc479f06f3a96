#include "serve/api/objects_rights.h"

#include <fmt/format.h>

#include "base/error.h"
#include "serve/s3/acl.h"

namespace meesh::serve::api {
namespace {

std::string resource(const std::string& bucket, const std::string& key) {
  return "arn:aws:s3:::" + bucket + (key.empty() ? "" : "/" + key);
}

/// Those that the gate admits and no directory has: everybody of an open mesh, the administrator of
/// the configuration, the mesh's own programs.
bool trusted(const std::string& user) {
  return user.empty() || user == "local" || user == "root" || user == "meesh";
}

/// A user who is deleted between the gate and here may do nothing.
std::optional<access::Identity> identity_of(const access::Access& access, const std::string& user) {
  if (trusted(user)) return std::nullopt;
  if (auto found = access.identity(user)) return found;
  access::Identity nobody;
  nobody.user = user;
  return nobody;
}

}  // namespace

ObjectsAsker::ObjectsAsker(objects::Store& store, access::Access& access,
                           const net::Request& request)
    : store_(store),
      access_(access),
      user_(request.user),
      address_(request.remote_address),
      request_id_(request.id),
      identity_(identity_of(access, request.user)) {
  context_["aws:sourceip"] = {address_};
  context_["aws:securetransport"] = {request.tls ? "true" : "false"};
  if (const auto agent = request.headers.get("User-Agent"))
    context_["aws:useragent"] = {std::string(*agent)};
}

const ObjectsAsker::Known* ObjectsAsker::known(const std::string& bucket) {
  const auto found = buckets_.find(bucket);
  if (found != buckets_.end()) return found->second.get();
  auto& made = buckets_[bucket];
  try {
    auto read = std::make_unique<Known>();
    read->bucket = store_.bucket(bucket);
    const auto text = read->bucket.documents.find("policy");
    if (text != read->bucket.documents.end())
      read->policy = access::Policy::parse(text->second, access::Policy::Kind::kResource);
    made = std::move(read);
  } catch (const objects::ObjectError& error) {
    if (objects::reason_status(error.reason()) != 404 &&
        error.reason() != objects::Reason::kInvalidBucketName)
      throw;
  }
  return made.get();
}

access::Decision ObjectsAsker::decide(std::string_view action, const std::string& bucket,
                                      const std::string& key, const objects::Object* about,
                                      Context context) {
  access::Question question;
  question.identity = &*identity_;
  question.action = std::string(action);
  question.resource = resource(bucket, key);
  question.context = std::move(context);
  if (about) {
    for (const auto& [name, value] : about->attributes.tags)
      question.context["s3:existingobjecttag/" + name] = {value};
  }
  if (const auto* there = known(bucket)) {
    if (there->policy) question.resource_policy = &*there->policy;
    question.resource_public = s3::acl_allows(
        there->bucket, about ? about->attributes.acl : "private", action, /*known=*/true);
  }
  return access_.decide(question);
}

bool ObjectsAsker::may(std::string_view action, const std::string& bucket, const std::string& key,
                       const objects::Object* about) {
  return !identity_ || decide(action, bucket, key, about, context_).allowed;
}

void ObjectsAsker::deny(std::string_view action, const std::string& bucket, const std::string& key,
                        const std::string& reason) {
  access::AuditEvent event;
  event.request_id = request_id_;
  event.user = user_;
  event.remote_address = address_;
  event.action = std::string(action);
  event.resource = resource(bucket, key);
  event.outcome = "denied";
  event.status = 403;
  event.reason = reason;
  access_.audit(std::move(event));
  throw Error(Code::kPermissionDenied, fmt::format("Access Denied: '{}' may not {} on s3://{}/{}",
                                                   user_, action, bucket, key))
      .with_hint("an administrator can attach a policy that allows it");
}

void ObjectsAsker::require(std::string_view action, const std::string& bucket,
                           const std::string& key, const objects::Object* about) {
  if (!identity_) return;
  const auto decision = decide(action, bucket, key, about, context_);
  if (!decision.allowed) deny(action, bucket, key, decision.reason);
}

bool ObjectsAsker::may_list(const std::string& bucket, const std::string& prefix) {
  if (!identity_) return true;
  Context context = context_;
  context["s3:prefix"] = {prefix};
  return decide("s3:ListBucket", bucket, "", nullptr, std::move(context)).allowed;
}

void ObjectsAsker::require_list(const std::string& bucket, const std::string& prefix) {
  if (!may_list(bucket, prefix)) deny("s3:ListBucket", bucket, prefix, "no policy allows it");
}

void ObjectsAsker::wrote(std::string_view action, const std::string& bucket, const std::string& key,
                         int status) {
  access::AuditEvent event;
  event.request_id = request_id_;
  event.user = user_;
  event.remote_address = address_;
  event.action = std::string(action);
  event.resource = resource(bucket, key);
  event.outcome = "allowed";
  event.status = status;
  event.reason = "console";
  access_.audit(std::move(event));
}

const objects::Bucket& ObjectsAsker::bucket(const std::string& name) {
  if (const auto* there = known(name)) return there->bucket;
  throw objects::ObjectError(objects::Reason::kNoSuchBucket,
                             fmt::format("there is no bucket '{}'", name));
}

std::string ObjectsAsker::owner() const {
  if (!identity_) return "root";
  return identity_->domain.empty() ? identity_->user : identity_->domain;
}

}  // namespace meesh::serve::api
