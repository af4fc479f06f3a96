#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

// From the header or the body, one of them.
std::string wanted_acl(Call& call) {
  std::string body = call.body();
  auto header = acl_header(call);
  if (header && !body.empty()) {
    throw S3Error("UnexpectedContent", 400, "This request does not support content");
  }
  if (!header && body.empty()) {
    throw S3Error("MissingSecurityHeader", 400, "Your request was missing a required header",
                  {{"MissingHeaderName", "x-amz-acl"}});
  }
  std::string acl = header ? *header : canned_of_document(body);
  check_acl_wanted(call.bucket_info(), acl);
  return acl;
}

}  // namespace

void get_bucket_acl(Call& call) {
  const objects::Bucket& bucket = call.bucket_info();
  call.answer(acl_document(bucket.owner, bucket_acl(bucket)));
}

void put_bucket_acl(Call& call) {
  std::string acl = wanted_acl(call);
  call.store().edit_bucket(call.bucket,
                           [&](objects::Bucket& bucket) { bucket.documents["acl"] = acl; });
  call.answer(200);
}

void get_object_acl(Call& call) {
  auto object = call.store().head(call.bucket, call.key,
                                  {.version = call.version(), .without_content = true});
  std::string owner = object.attributes.owner;
  if (owner.empty()) owner = call.bucket_info().owner;
  call.answer(acl_document(owner, object.attributes.acl));
}

void put_object_acl(Call& call) {
  std::string acl = wanted_acl(call);
  call.store().set_acl(call.bucket, call.key, call.version(), acl);
  call.answer(200);
}

}  // namespace meesh::serve::s3
