#include "serve/s3/values.h"

#include <openssl/evp.h>

#include <charconv>
#include <ctime>

#include "base/text.h"
#include "net/http.h"
#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

std::tm split(objects::Time time, int& milliseconds) {
  auto since = time.time_since_epoch().count();
  auto seconds = static_cast<std::time_t>(since >= 0 ? since / 1000 : (since - 999) / 1000);
  milliseconds = static_cast<int>(since - seconds * 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

objects::Time joined(std::tm parts, int milliseconds) {
  return objects::Time(std::chrono::seconds(timegm(&parts)) +
                       std::chrono::milliseconds(milliseconds));
}

std::string digest(const EVP_MD* kind, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr) != 1) {
    internal_error("a digest cannot be computed");
  }
  return {reinterpret_cast<char*>(out), size};
}

[[noreturn]] void bad_tag(const std::string& why) { throw S3Error(Reason::kInvalidTag, why); }

// Letters, digits and spaces of any script, and + - = . _ : / @.
bool tag_characters(std::string_view text) {
  constexpr std::string_view kMarks = "+-=._:/@ ";
  return base::valid_utf8(text) && std::all_of(text.begin(), text.end(), [&](char c) {
           return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
                  (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

}  // namespace

std::string iso_time(objects::Time time) {
  // By hand: a listing writes a thousand of them.
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string out = "0000-00-00T00:00:00.000Z";
  const auto put = [&](size_t end, auto number) {
    for (auto rest = static_cast<uint32_t>(number); rest > 0; rest /= 10) {
      out[--end] = static_cast<char>('0' + rest % 10);
    }
  };
  put(4, static_cast<int>(date.year()) % 10000);
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, clock.hours().count());
  put(16, clock.minutes().count());
  put(19, clock.seconds().count());
  put(23, clock.subseconds().count());
  return out;
}

std::string http_time(objects::Time time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int ms = 0;
  std::tm t = split(time, ms);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[t.tm_wday], t.tm_mday,
                     kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

std::optional<objects::Time> parse_http_time(std::string_view text) {
  std::string copy(text);
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(copy.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return joined(parts, 0);
  }
  return std::nullopt;
}

std::optional<objects::Time> parse_iso_time(std::string_view text) {
  std::string copy(text);
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = strptime(copy.c_str(), format, &parts);
    if (end == nullptr) continue;
    int ms = 0;
    if (*end == '.') {
      int scale = 100;
      for (++end; *end >= '0' && *end <= '9'; ++end) {
        ms += (*end - '0') * scale;
        scale /= 10;
      }
    }
    std::string_view zone(end);
    if (zone.empty() || zone == "Z" || zone == "+00:00") return joined(parts, ms);
  }
  return std::nullopt;
}

objects::Time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string plain_etag(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

std::string quoted_etag(std::string_view etag) {
  std::string quoted;
  quoted.reserve(etag.size() + 2);
  ((quoted += '"') += etag) += '"';
  return quoted;
}

void add_tag(objects::Tags& tags, std::string key, std::string value, size_t limit) {
  if (key.empty() || base::code_points(key) > 128 || !tag_characters(key)) {
    bad_tag("The TagKey you have provided is invalid");
  }
  if (base::code_points(value) > 256 || !tag_characters(value)) {
    bad_tag("The TagValue you have provided is invalid");
  }
  if (key.starts_with("aws:")) bad_tag("System tags cannot be added/updated by requester");
  if (!tags.emplace(std::move(key), std::move(value)).second) {
    bad_tag("Cannot provide multiple Tags with the same key");
  }
  if (tags.size() > limit) {
    throw S3Error("BadRequest", 400,
                  limit == kMaxObjectTags ? "Object tags cannot be greater than 10"
                                          : "Bucket tag count cannot be greater than 50");
  }
}

objects::Tags parse_tagging_header(std::string_view text) {
  auto pairs = net::parse_query(text);
  if (!pairs) {
    throw S3Error(Reason::kInvalidArgument,
                  "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
                  "parameters without tag name duplicates.");
  }
  objects::Tags tags;
  for (auto& [key, value] : *pairs) add_tag(tags, std::move(key), std::move(value), kMaxObjectTags);
  return tags;
}

std::string md5(std::string_view data) { return digest(EVP_md5(), data); }
std::string sha256_hex(std::string_view data) { return base::to_hex(digest(EVP_sha256(), data)); }

std::string encode_key(std::string_view key) {
  std::string out;
  for (;;) {
    size_t slash = key.find('/');
    out += net::percent_encode(key.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    out += '/';
    key.remove_prefix(slash + 1);
  }
}

std::string make_token(std::string_view after) {
  std::string token = base::to_base64(after);
  for (char& c : token) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (token.ends_with('=')) token.pop_back();
  return "1" + token;
}

std::optional<std::string> read_token(std::string_view token) {
  if (!token.starts_with('1')) return std::nullopt;
  std::string text(token.substr(1));
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return base::from_base64(text);
}

void check_canned_acl(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "private",       "public-read",       "public-read-write",         "authenticated-read",
      "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"};
  if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
    throw S3Error("InvalidArgument", 400, "The canned ACL is not one of S3's",
                  {{"ArgumentName", "x-amz-acl"}, {"ArgumentValue", std::string(name)}});
  }
}

}  // namespace meesh::serve::s3
