// Every XML document a client may send, from any bytes: an S3Error or a value, nothing else.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "net/http.h"
#include "serve/s3/acl.h"
#include "serve/s3/cors.h"
#include "serve/s3/error.h"
#include "serve/s3/lifecycle.h"
#include "serve/s3/notifications.h"
#include "serve/s3/upload.h"
#include "serve/s3/values.h"
#include "serve/s3/xml.h"

namespace {

using namespace meesh::serve::s3;  // NOLINT(build/namespaces)

template <typename Read>
void read(Read function) {
  try {
    function();
  } catch (const S3Error& error) {
    if (error.status() != 400 && error.status() != 501) std::abort();
  }
}

void read_tags(std::string_view text) {
  XmlRequest xml(text, "Tagging");
  meesh::objects::Tags tags = read_tag_set(xml.root().child("TagSet"), kMaxBucketTags);
  XmlAnswer answer("Tagging");
  add_tag_set(answer.root(), tags);
  // What was accepted can be told again, and reads as the same.
  std::string again = answer.take_text();
  XmlRequest reread(again, "Tagging");
  if (read_tag_set(reread.root().child("TagSet"), kMaxBucketTags) != tags) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::set<std::string> targets = {"hook:webhook", "topic:kafka"};
  read([&] { parse_cors(text); });
  read([&] { check_lifecycle(text); });
  read([&] { parse_notification(text, targets); });
  read([&] { canned_of_document(text); });
  read([&] {
    auto parts = parse_completed_parts(text);
    for (size_t i = 1; i < parts.size(); ++i) {
      if (parts[i - 1].number >= parts[i].number) std::abort();
    }
  });
  read([&] { read_tags(text); });
  read([&] { parse_tagging_header(text); });
  parse_iso_time(text);
  parse_http_time(text);
  if (auto token = read_token(text); token && read_token(make_token(*token)) != token) std::abort();
  if (read_token(make_token(text)) != text) std::abort();
  if (meesh::base::valid_utf8(text) && meesh::net::percent_decode(encode_key(text), true) != text) {
    std::abort();
  }
  return 0;
}
