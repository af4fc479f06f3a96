// POST policies of any bytes: parsed or refused, and a form that is accepted was covered.
#include <cstdint>
#include <cstdlib>

#include "net/aws_signature.h"
#include "serve/s3/error.h"
#include "serve/s3/post_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;             // NOLINT(build/namespaces)
  using namespace meesh::serve::s3;  // NOLINT(build/namespaces)
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::map<std::string, std::string> fields = {{"key", "user/a"},
                                                     {"content-type", "image/png,image/gif"}};
  try {
    FormPolicy policy = FormPolicy::parse(text);
    if (policy.size() && policy.size()->first > policy.size()->second) std::abort();
    policy.check(fields, "bucket", *net::parse_amz_timestamp("20130524T000000Z"));
    // Every field must have been named.
    if (text.size() < std::string_view("bucketkeycontent-type").size()) std::abort();
  } catch (const S3Error& e) {
    if (e.name() != "InvalidPolicyDocument" && e.name() != "AccessDenied") std::abort();
  }
  return 0;
}
