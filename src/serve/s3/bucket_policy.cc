#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"

namespace meesh::serve::s3 {
namespace {

constexpr size_t kMaxPolicy = 20 << 10;

access::Policy parse(const std::string& json) {
  try {
    return access::Policy::parse(json, access::Policy::Kind::kResource);
  } catch (const Error& e) {
    throw S3Error("MalformedPolicy", 400, e.what());
  }
}

}  // namespace

void get_policy(Call& call) {
  std::string text = call.document("policy");
  if (text.empty()) {
    throw S3Error("NoSuchBucketPolicy", 404, "The bucket policy does not exist",
                  {{"BucketName", call.bucket}});
  }
  call.set("Content-Type", "application/json");
  call.begun = true;
  call.response.write(text);
}

void put_policy(Call& call) {
  std::string text = call.body(kMaxPolicy);
  if (text.empty()) throw S3Error("MalformedPolicy", 400, "Policies must be valid JSON.");
  access::Policy policy = parse(text);
  if (!policy.only_about(call.bucket)) {
    throw S3Error("MalformedPolicy", 400, "Policy has invalid resource");
  }
  if (policy.is_public() && blocks_public(call.bucket_info(), "BlockPublicPolicy")) {
    throw S3Error(objects::Reason::kAccessDenied,
                  "Access Denied: the bucket's BlockPublicPolicy refuses public policies.");
  }
  call.store().edit_bucket(call.bucket,
                           [&](objects::Bucket& bucket) { bucket.documents["policy"] = text; });
  call.answer(204);
}

void delete_policy(Call& call) {
  call.store().edit_bucket(call.bucket,
                           [](objects::Bucket& bucket) { bucket.documents.erase("policy"); });
  call.answer(204);
}

void get_policy_status(Call& call) {
  std::string text = call.document("policy");
  if (text.empty()) {
    throw S3Error("NoSuchBucketPolicy", 404, "The bucket policy does not exist",
                  {{"BucketName", call.bucket}});
  }
  XmlAnswer xml("PolicyStatus");
  add_flag(xml.root(), "IsPublic", parse(text).is_public());
  call.answer(xml);
}

}  // namespace meesh::serve::s3
