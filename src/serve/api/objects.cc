#include "serve/api/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "objects/lifecycle.h"
#include "serve/api/caller.h"
#include "serve/api/objects_handlers.h"
#include "serve/s3/error.h"
#include "serve/s3/lifecycle.h"

namespace meesh::serve::api {

namespace json = boost::json;
using net::Request;
using net::Response;

namespace {

constexpr uint64_t kMostUpload = uint64_t{5} << 40;  // bytes, as S3 takes them

/// Runs with S3's reasons told as the HTTP statuses they have there.
net::Handler objects_handler(const ObjectsOptions& options, void (*run)(ObjectsCall&)) {
  return guarded([options, run](Request& request, Response& response) {
    try {
      ObjectsCall call(options, request, response);
      const objects::ActingFor acting(call.caller());
      run(call);
    } catch (const objects::ObjectError& error) {
      if (error.reason() == objects::Reason::kMethodNotAllowed)
        throw Error(Code::kNotFound, "this version says that the object was deleted")
            .with_hint("an older version can be restored");
      net::HttpError told(objects::reason_status(error.reason()), error.message(), error.code());
      told.with_hint(error.hint());
      throw told;
    } catch (const s3::S3Error& error) {
      throw net::HttpError(error.status(), error.message(), error.code());
    }
  });
}

void add_usage(ObjectsCall& call, json::object& told, const std::string& bucket) {
  const auto usage = call.store.usage(bucket);
  told["objects"] = usage.objects;
  told["versions"] = usage.versions;
  told["bytes"] = usage.bytes;
}

objects::Versioning versioning_of(const std::string& name) {
  if (name == "enabled") return objects::Versioning::kEnabled;
  if (name == "suspended") return objects::Versioning::kSuspended;
  throw Error(Code::kBadRequest, fmt::format("'versioning' is '{}'", name))
      .with_hint("enabled or suspended");
}

/// Nothing if the body does not name it.
std::optional<uint64_t> quota_of(const json::object& body) {
  const auto* value = body.if_contains("quota");
  if (!value || value->is_null()) return std::nullopt;
  if (!value->is_int64() || value->get_int64() < 0)
    throw Error(Code::kBadRequest, "'quota' is no number of bytes").with_hint("0: no quota");
  return static_cast<uint64_t>(value->get_int64());
}

}  // namespace

std::string ObjectsCall::key() const {
  const auto given = request.query_param("key");
  if (!given) throw Error(Code::kBadRequest, "'key' is missing");
  objects::check_key(*given);
  return std::string(*given);
}

objects::ReadOptions known_of(const std::string& version) {
  objects::ReadOptions options;
  options.version = version;
  options.without_content = true;
  return options;
}

objects::WriteOptions write_options(const objects::Bucket& bucket) {
  objects::WriteOptions options;
  if (bucket.documents.contains("encryption")) options.encryption = objects::Encryption::kS3;
  options.expected[objects::ChecksumKind::kCrc64Nvme] = "";
  return options;
}

void list_buckets(ObjectsCall& call) {
  const auto most = query_number(call.request, "limit", 1000, 1, 10'000);
  const auto after = query_text(call.request, "cursor");
  auto all = call.store.buckets();
  std::ranges::sort(all, {}, &objects::Bucket::name);
  json::array buckets;
  json::object told;
  for (const auto& bucket : all) {
    if (bucket.name <= after || !call.asker.may_list(bucket.name, "")) continue;
    if (buckets.size() == most) {
      told["next"] = buckets.back().at("name");
      break;
    }
    auto one = bucket_json(bucket);
    if (call.options.tell_usage) add_usage(call, one, bucket.name);
    buckets.push_back(std::move(one));
  }
  told["buckets"] = std::move(buckets);
  answer(call.response, told);
}

void create_bucket(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  objects::Bucket bucket;
  bucket.name = needed_text(asked, "name");
  objects::check_bucket_name(bucket.name);
  call.asker.require("s3:CreateBucket", bucket.name);
  bucket.owner = call.asker.owner();
  bucket.region = call.options.region;
  bucket.created = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  bucket.quota = quota_of(asked).value_or(0);
  if (const auto versioning = text(asked, "versioning", "never"); versioning != "never")
    bucket.versioning = versioning_of(versioning);
  call.store.create_bucket(bucket);
  call.asker.wrote("s3:CreateBucket", bucket.name, "", 201);
  call.response.status = 201;
  answer(call.response, bucket_json(call.store.bucket(bucket.name)));
}

void tell_bucket(ObjectsCall& call) {
  call.asker.require_list(call.bucket, "");
  const auto& bucket = call.asker.bucket(call.bucket);
  auto told = bucket_json(bucket);
  if (call.options.tell_usage) add_usage(call, told, call.bucket);
  const auto document = [&](const char* name) {
    const auto found = bucket.documents.find(name);
    return found == bucket.documents.end() ? std::string() : found->second;
  };
  if (call.asker.may("s3:GetLifecycleConfiguration", call.bucket))
    told["lifecycle"] = lifecycle_json(document("lifecycle"));
  if (call.asker.may("s3:GetBucketNotification", call.bucket))
    told["notifications_xml"] = readable(document("notification"));
  if (call.asker.may("s3:GetBucketPolicy", call.bucket))
    told["policy"] = readable(document("policy"));
  told["may_write"] =
      role_of(call.request) >= Role::kEditor && call.asker.may("s3:PutObject", call.bucket, "*");
  told["may_share"] = !call.options.s3_address().empty();
  answer(call.response, told);
}

void change_bucket(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  const auto versioning = text(asked, "versioning");
  const auto quota = quota_of(asked);
  if (versioning.empty() && !quota)
    throw Error(Code::kBadRequest, "nothing to change").with_hint("'versioning' or 'quota'");
  std::optional<objects::Versioning> wanted;
  if (!versioning.empty()) wanted = versioning_of(versioning);
  if (wanted) call.asker.require("s3:PutBucketVersioning", call.bucket);
  if (quota) need(call.request, Role::kAdministrator);
  call.asker.bucket(call.bucket);
  call.store.edit_bucket(call.bucket, [&](objects::Bucket& bucket) {
    if (bucket.lock_enabled && wanted == objects::Versioning::kSuspended) {
      throw objects::ObjectError(objects::Reason::kInvalidBucketState,
                                 "objects of this bucket may be locked, so that it keeps versions");
    }
    if (wanted) bucket.versioning = *wanted;
    if (quota) bucket.quota = *quota;
  });
  if (wanted) call.asker.wrote("s3:PutBucketVersioning", call.bucket, "", 200);
  answer(call.response, bucket_json(call.store.bucket(call.bucket)));
}

void delete_bucket(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  call.asker.require("s3:DeleteBucket", call.bucket);
  try {
    call.store.delete_bucket(call.bucket);
  } catch (objects::ObjectError& error) {
    if (error.reason() == objects::Reason::kBucketNotEmpty)
      error.with_hint("delete its objects first, with all their versions, and unfinished uploads");
    throw;
  }
  call.asker.wrote("s3:DeleteBucket", call.bucket, "", 204);
  call.response.empty(204);
}

void put_lifecycle(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto xml = needed_text(body_of(call.request), "xml");
  call.asker.require("s3:PutLifecycleConfiguration", call.bucket);
  call.asker.bucket(call.bucket);
  if (!xml.empty()) {
    s3::check_lifecycle(xml);
    objects::parse_lifecycle(xml);  // what runs it must understand it as well
  }
  call.store.edit_bucket(call.bucket, [&](objects::Bucket& bucket) {
    if (xml.empty()) {
      bucket.documents.erase("lifecycle");
    } else {
      bucket.documents["lifecycle"] = xml;
    }
  });
  call.asker.wrote("s3:PutLifecycleConfiguration", call.bucket, "", 200);
  answer(call.response, lifecycle_json(xml));
}

void register_objects(net::Server& server, const ObjectsOptions& options) {
  const std::string buckets = "/api/v1/buckets", one = buckets + "/{bucket}";
  const net::RouteOptions small{.max_body_bytes = kMostBody, .compress = true};
  const auto add = [&](const char* method, const std::string& pattern, void (*run)(ObjectsCall&),
                       const net::RouteOptions& how) {
    server.route(method, pattern, objects_handler(options, run), how);
  };
  add("GET", buckets, list_buckets, small);
  add("POST", buckets, create_bucket, small);
  add("GET", one, tell_bucket, small);
  add("PUT", one, change_bucket, small);
  add("DELETE", one, delete_bucket, small);
  add("PUT", one + "/lifecycle", put_lifecycle, small);
  add("GET", one + "/objects", list_objects, small);
  add("GET", one + "/object", tell_object, small);
  add("GET", one + "/versions", list_versions, small);
  add("GET", one + "/content", download, {.max_body_bytes = 0, .compress = false});
  add("PUT", one + "/content", upload, {.max_body_bytes = kMostUpload, .compress = false});
  add("GET", one + "/preview", preview, small);
  add("POST", one + "/delete", delete_objects, {.max_body_bytes = kMostBody, .compress = false});
  add("POST", one + "/copy", copy_object, small);
  add("POST", one + "/restore", restore_version, small);
  add("PUT", one + "/tags", put_tags, small);
  add("POST", one + "/share", share, small);
}

}  // namespace meesh::serve::api
