#include "net/head.h"
#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/notifications.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::ObjectError;
using objects::Reason;

constexpr uint64_t kMostBuckets = 10000;

bool visible(Call& call, const objects::Bucket& bucket) {
  std::string resource = "arn:aws:s3:::" + bucket.name;
  return call.may("s3:ListBucket", resource, &bucket) ||
         call.may("s3:GetBucketLocation", resource, &bucket);
}

uint64_t max_buckets(const Call& call) {
  if (!call.has("max-buckets")) return kMostBuckets;
  auto number = parse_number(call.query("max-buckets"));
  if (!number || *number < 1 || *number > kMostBuckets) {
    throw S3Error("InvalidArgument", 400,
                  "Argument max-buckets must be an integer between 1 and 10000",
                  {{"ArgumentName", "max-buckets"}, {"ArgumentValue", call.query("max-buckets")}});
  }
  return *number;
}

// The region a CreateBucketConfiguration names, "" for none.
std::string wanted_region(Call& call) {
  std::string body = call.body();
  if (body.empty()) return "";
  XmlRequest xml(body, "CreateBucketConfiguration");
  only_children(xml.root(), {"LocationConstraint", "Location", "Bucket", "Tags"});
  if (xml.root().child("Location") || xml.root().child("Bucket")) {
    throw S3Error(Reason::kNotImplemented, "Directory buckets are not implemented.");
  }
  return child_text(xml.root(), "LocationConstraint").value_or("");
}

}  // namespace

void list_buckets(Call& call) {
  if (call.anonymous()) call.require("s3:ListAllMyBuckets", "arn:aws:s3:::*");
  std::string prefix = call.query("prefix");
  std::string after;
  if (call.has("continuation-token")) {
    auto token = read_token(call.query("continuation-token"));
    if (!token) {
      throw S3Error(Reason::kInvalidArgument, "The continuation token provided is incorrect");
    }
    after = *token;
  }
  uint64_t most = max_buckets(call);
  auto all = call.store().buckets();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  XmlAnswer xml("ListAllMyBucketsResult");
  add_owner(xml.root(), "Owner", call.owner());
  pugi::xml_node list = add(xml.root(), "Buckets");
  uint64_t told = 0;
  std::string last;
  bool more = false;
  for (const objects::Bucket& bucket : all) {
    if (!bucket.name.starts_with(prefix) || bucket.name <= after || !visible(call, bucket)) {
      continue;
    }
    if (told == most) {
      more = true;
      break;
    }
    pugi::xml_node node = add(list, "Bucket");
    add(node, "Name", bucket.name);
    add(node, "CreationDate", iso_time(bucket.created));
    last = bucket.name;
    ++told;
  }
  // Who sees no bucket and may not ask either is told so.
  if (told == 0 && after.empty()) call.require("s3:ListAllMyBuckets", "arn:aws:s3:::*");
  if (call.has("prefix")) add(xml.root(), "Prefix", prefix);
  if (more) add(xml.root(), "ContinuationToken", make_token(last));
  call.answer(xml);
}

void create_bucket(Call& call) {
  objects::check_bucket_name(call.bucket);
  std::string region = wanted_region(call);
  const std::string& here = call.service.options.region;
  if (!region.empty() && region != here) {
    throw S3Error("IllegalLocationConstraintException", 400,
                  fmt::format("The {} location constraint is incompatible for the region specific "
                              "endpoint this request was sent to.",
                              region));
  }
  objects::Bucket bucket;
  bucket.name = call.bucket;
  bucket.owner = call.owner();
  bucket.region = here;
  bucket.created = now();
  if (net::equals_ignoring_case(call.header("x-amz-bucket-object-lock-enabled"), "true")) {
    bucket.lock_enabled = true;
    bucket.versioning = objects::Versioning::kEnabled;
  }
  if (auto acl = acl_header(call); acl && *acl != "private") {
    call.require("s3:PutBucketAcl");
    bucket.documents["acl"] = *acl;
  }
  try {
    call.store().create_bucket(bucket);
  } catch (const ObjectError& e) {
    if (e.reason() != Reason::kBucketAlreadyExists &&
        e.reason() != Reason::kBucketAlreadyOwnedByYou) {
      throw;
    }
    bool mine = call.store().bucket(call.bucket).owner == bucket.owner;
    throw S3Error(mine ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", 409,
                  mine ? "Your previous request to create the named bucket succeeded and you "
                         "already own it."
                       : "The requested bucket name is not available. The bucket namespace is "
                         "shared by all users of the system. Please select a different name and "
                         "try again.",
                  {{"BucketName", call.bucket}});
  }
  call.set("Location", "/" + call.bucket);
  call.answer(200);
}

void head_bucket(Call& call) {
  call.set("x-amz-bucket-region", call.bucket_info().region);
  call.set("x-amz-access-point-alias", "false");
  call.answer(200);
}

void delete_bucket(Call& call) {
  call.store().delete_bucket(call.bucket);
  if (call.service.notifications) call.service.notifications->set(call.bucket, "");
  call.answer(204);
}

void get_bucket_location(Call& call) {
  XmlAnswer xml("LocationConstraint");
  const std::string& region = call.bucket_info().region;
  if (region != "us-east-1") xml.root().text().set(region.c_str());
  call.answer(xml);
}

void get_bucket_versioning(Call& call) {
  XmlAnswer xml("VersioningConfiguration");
  auto state = call.bucket_info().versioning;
  if (state != objects::Versioning::kNever) {
    add(xml.root(), "Status",
        std::string_view(state == objects::Versioning::kEnabled ? "Enabled" : "Suspended"));
  }
  call.answer(xml);
}

void put_bucket_versioning(Call& call) {
  std::string body = call.body();
  XmlRequest xml(body, "VersioningConfiguration");
  only_children(xml.root(), {"Status", "MfaDelete"});
  if (child_text(xml.root(), "MfaDelete").value_or("Disabled") != "Disabled") {
    throw S3Error(Reason::kNotImplemented, "MFA delete is not implemented.");
  }
  std::string status = needed_text(xml.root(), "Status");
  if (status != "Enabled" && status != "Suspended") {
    throw S3Error("IllegalVersioningConfigurationException", 400,
                  "The Versioning element must be specified as Enabled or Suspended");
  }
  auto state =
      status == "Enabled" ? objects::Versioning::kEnabled : objects::Versioning::kSuspended;
  call.store().edit_bucket(call.bucket, [&](objects::Bucket& bucket) {
    if (bucket.lock_enabled && state == objects::Versioning::kSuspended) {
      throw ObjectError(Reason::kInvalidBucketState,
                        "An Object Lock configuration is present on this bucket, so the versioning "
                        "state cannot be changed.");
    }
    bucket.versioning = state;
  });
  call.answer(200);
}

}  // namespace meesh::serve::s3
