// The small languages inside S3's headers and parameters: times, tags, numbers, ETags, digests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/store.h"

namespace meesh::serve::s3 {

std::string iso_time(objects::Time time);   // "2026-11-21T14:00:00.000Z"
std::string http_time(objects::Time time);  // "Sat, 21 Nov 2026 14:00:00 GMT"
/// Nothing if it is none: HTTP says to ignore such headers.
std::optional<objects::Time> parse_http_time(std::string_view text);
/// "2026-11-21T14:00:00Z", with or without fraction. Nothing if it is none.
std::optional<objects::Time> parse_iso_time(std::string_view text);
objects::Time now();

/// Digits alone.
std::optional<uint64_t> parse_number(std::string_view text);

/// Without quotes and weakness.
std::string plain_etag(std::string_view text);
std::string quoted_etag(std::string_view etag);

/// Adds one; throws InvalidTag for what S3 does not allow (length, characters, twice, too many).
void add_tag(objects::Tags& tags, std::string key, std::string value, size_t limit);
inline constexpr size_t kMaxObjectTags = 10;
inline constexpr size_t kMaxBucketTags = 50;
/// "a=1&b=2" of x-amz-tagging.
objects::Tags parse_tagging_header(std::string_view text);

std::string md5(std::string_view data);         // 16 raw bytes
std::string sha256_hex(std::string_view data);  // lower case

/// Everything but unreserved characters and '/' as %XX: encoding-type=url.
std::string encode_key(std::string_view key);

/// Opaque tokens of listings: URL-safe base64 of what to begin behind.
std::string make_token(std::string_view after);
std::optional<std::string> read_token(std::string_view token);

/// One of S3's canned names; throws InvalidArgument.
void check_canned_acl(std::string_view name);

}  // namespace meesh::serve::s3
