#include <algorithm>

#include "base/text.h"
#include "objects/store.h"

namespace meesh::objects {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool looks_like_ipv4(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

/// "Bucket naming rules" of Amazon's S3 user guide, general purpose buckets.
bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
  for (const char c : name) {
    if (!is_letter_or_digit(c) && c != '.' && c != '-') return false;
  }
  if (name.find("..") != name.npos || looks_like_ipv4(name)) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return false;
  }
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3"}) {
    if (name.ends_with(suffix)) return false;
  }
  return true;
}

}  // namespace

void check_bucket_name(std::string_view name) {
  if (!is_bucket_name(name)) {
    throw ObjectError(Reason::kInvalidBucketName, "The specified bucket is not valid.");
  }
}

void check_key(std::string_view key) {
  if (key.size() > 1024) throw ObjectError(Reason::kKeyTooLong, "Your key is too long.");
  if (key.empty()) throw ObjectError(Reason::kInvalidArgument, "A key has at least one byte.");
  if (!base::valid_utf8(key)) throw ObjectError(Reason::kInvalidArgument, "A key is UTF-8.");
  if (key.find('\0') != key.npos) {
    throw ObjectError(Reason::kInvalidArgument, "A key has no zero bytes.");
  }
}

}  // namespace meesh::objects
