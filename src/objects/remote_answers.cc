#include "objects/remote_answers.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <sstream>

#include "base/text.h"
#include "net/aws_signature.h"
#include "objects/encryption.h"

namespace meesh::objects {
namespace {

// White space alone may be a tag's value.
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata_single;
constexpr std::string_view kMetadata = "x-amz-meta-";
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::optional<Reason> reason_of_name(std::string_view name) {
#define X(id, text, status, code) \
  if (name == text) return Reason::id;
  MEESH_OBJECT_REASONS(X)
#undef X
  return std::nullopt;
}

Reason reason_of_status(int status, bool of_bucket) {
  switch (status) {
    case 304:
      return Reason::kNotModified;
    case 401:
    case 403:
      return Reason::kAccessDenied;
    case 404:
      return of_bucket ? Reason::kNoSuchBucket : Reason::kNoSuchKey;
    case 405:
      return Reason::kMethodNotAllowed;
    case 409:
      return Reason::kConditionalRequestConflict;
    case 412:
      return Reason::kPreconditionFailed;
    case 416:
      return Reason::kInvalidRange;
    case 429:
      return Reason::kSlowDown;
    case 501:
      return Reason::kNotImplemented;
    case 503:
      return Reason::kServiceUnavailable;
    case 507:
      return Reason::kStorageFull;
    default:
      return status >= 500 ? Reason::kInternalError : Reason::kInvalidRequest;
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

uint64_t to_number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void add_header(net::Headers& headers, std::string name, const std::string& value) {
  if (value.empty()) return;
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) {
      throw ObjectError(Reason::kInvalidArgument,
                        fmt::format("The value of {} holds control characters.", name));
    }
  }
  headers.add(std::move(name), value);
}

// Conditions of several ETags come as the header had them.
std::string quoted(const std::string& etag) {
  bool ready = etag == "*" || etag.find('"') != std::string::npos;
  return ready ? etag : "\"" + etag + "\"";
}

LockMode lock_mode_of(std::string_view name) {
  if (name == "GOVERNANCE") return LockMode::kGovernance;
  return name == "COMPLIANCE" ? LockMode::kCompliance : LockMode::kNone;
}

}  // namespace

std::string remote_error_code(const net::ClientResponse& response) {
  pugi::xml_document document;
  if (!document.load_buffer(response.body.data(), response.body.size(), kParse)) return "";
  return text_of(document.document_element(), "Code");
}

ObjectError remote_error(const net::ClientResponse& response, bool of_bucket) {
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size(), kParse);
  pugi::xml_node root = document.document_element();
  std::string code = text_of(root, "Code");
  std::string message = text_of(root, "Message");
  if (message.empty()) message = fmt::format("The S3 behind this one answers {}.", response.status);
  auto reason = reason_of_name(code);
  // Other codes, like those about our own keys, are told in the message.
  if (!reason && !code.empty()) message = fmt::format("{} ({})", message, code);
  ObjectError error(reason.value_or(reason_of_status(response.status, of_bucket)), message);
  error.delete_marker = header_of(response.headers, "x-amz-delete-marker") == "true";
  error.version = header_of(response.headers, "x-amz-version-id");
  return error;
}

RemoteDocument::RemoteDocument(const net::ClientResponse& response) {
  auto parsed = document_.load_buffer(response.body.data(), response.body.size(), kParse);
  if (!parsed || !root()) {
    throw ObjectError(Reason::kInternalError, "The S3 behind this one answers with no XML.");
  }
  if (std::string_view(root().name()) == "Error") {
    net::ClientResponse failed = response;
    failed.status = 500;
    throw remote_error(failed, false);
  }
}

std::string text_of(pugi::xml_node node, const char* child) {
  return node.child(child).text().get();
}

std::string key_of(pugi::xml_node node, const char* child) {
  // Not every S3 does what encoding-type asks for; it says so if it does.
  pugi::xml_node top = node.root().first_child();
  if (text_of(top, "EncodingType") != "url") return text_of(node, child);
  auto decoded = net::percent_decode(text_of(node, child), true);
  if (!decoded) {
    throw ObjectError(Reason::kInternalError,
                      "The S3 behind this one answers with a key that does not decode.");
  }
  return *decoded;
}

uint64_t number_of(pugi::xml_node node, const char* child) {
  return to_number(node.child(child).text().get());
}

bool flag_of(pugi::xml_node node, const char* child) { return text_of(node, child) == "true"; }

Time time_of(pugi::xml_node node, const char* child) {
  return parse_iso_date(text_of(node, child)).value_or(Time{});
}

std::string etag_of(std::string_view quoted) {
  if (quoted.size() >= 2 && quoted.starts_with('"') && quoted.ends_with('"')) {
    quoted = quoted.substr(1, quoted.size() - 2);
  }
  return std::string(quoted);
}

RemoteXml::RemoteXml(const char* root) {
  document_.append_child(root).append_attribute("xmlns") =
      "http://s3.amazonaws.com/doc/2006-03-01/";
}

std::string RemoteXml::text() const {
  std::ostringstream out;
  document_.save(out, "", pugi::format_raw);
  return out.str();
}

pugi::xml_node add_text(pugi::xml_node parent, const char* name, std::string_view value) {
  pugi::xml_node child = parent.append_child(name);
  child.text().set(std::string(value).c_str());
  return child;
}

std::string header_of(const net::Headers& headers, std::string_view name) {
  return std::string(headers.get(name).value_or(""));
}

Checksums checksums_of(const net::Headers& headers) {
  Checksums out;
  for (ChecksumKind kind : kChecksumKinds) {
    if (auto value = headers.get(checksum_header(kind))) out[kind] = *value;
  }
  return out;
}

Object object_of(const std::string& key, const net::Headers& headers) {
  Object o;
  o.key = key;
  if (std::string version = header_of(headers, "x-amz-version-id"); !version.empty()) {
    o.version = version;
  }
  o.size = to_number(header_of(headers, "Content-Length"));
  o.etag = etag_of(header_of(headers, "ETag"));
  o.modified = parse_http_date(header_of(headers, "Last-Modified")).value_or(Time{});
  o.checksums = checksums_of(headers);
  o.composite = header_of(headers, "x-amz-checksum-type") == "COMPOSITE";
  Attributes& a = o.attributes;
  a.content_type = header_of(headers, "Content-Type");
  a.cache_control = header_of(headers, "Cache-Control");
  a.content_disposition = header_of(headers, "Content-Disposition");
  a.content_encoding = header_of(headers, "Content-Encoding");
  a.content_language = header_of(headers, "Content-Language");
  a.expires = header_of(headers, "Expires");
  for (const auto& [name, value] : headers.items()) {
    std::string small = lower(name);
    if (small.starts_with(kMetadata)) a.metadata[small.substr(kMetadata.size())] = value;
    o.composite =
        o.composite || (checksum_kind_of_header(small) && value.find('-') != std::string::npos);
  }
  if (auto value = header_of(headers, "x-amz-storage-class"); !value.empty()) {
    a.storage_class = value;
  }
  a.retention.mode = lock_mode_of(header_of(headers, "x-amz-object-lock-mode"));
  a.retention.until =
      parse_iso_date(header_of(headers, "x-amz-object-lock-retain-until-date")).value_or(Time{});
  a.legal_hold = header_of(headers, "x-amz-object-lock-legal-hold") == "ON";
  constexpr char kCustomer[] = "x-amz-server-side-encryption-customer-key-MD5";
  o.customer_key_md5 = header_of(headers, kCustomer);
  if (!o.customer_key_md5.empty()) {
    o.encryption = Encryption::kCustomer;
  } else if (headers.get("x-amz-server-side-encryption")) {
    o.encryption = Encryption::kS3;
  }
  return o;
}

Tags tags_of(pugi::xml_node tagging) {
  Tags out;
  for (pugi::xml_node tag : tagging.child("TagSet").children("Tag")) {
    out[text_of(tag, "Key")] = text_of(tag, "Value");
  }
  return out;
}

std::string tagging_document(const Tags& tags) {
  RemoteXml xml("Tagging");
  pugi::xml_node set = xml.root().append_child("TagSet");
  for (const auto& [key, value] : tags) {
    pugi::xml_node tag = set.append_child("Tag");
    add_text(tag, "Key", key);
    add_text(tag, "Value", value);
  }
  return xml.text();
}

std::optional<Time> parse_iso_date(std::string_view text) {
  // "2013-05-24T00:00:00.123Z": digits of the first 19, then a fraction.
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
  std::string compact;
  for (char c : text.substr(0, 19)) {
    if (c != '-' && c != ':') compact += c;
  }
  auto seconds = net::parse_amz_timestamp(compact + "Z");
  if (!seconds) return std::nullopt;
  int64_t milliseconds = 0;
  int64_t unit = 100;
  if (text[19] == '.') {
    for (size_t i = 20; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, unit /= 10) {
      milliseconds += (text[i] - '0') * unit;
    }
  }
  return Time(*seconds) + std::chrono::milliseconds(milliseconds);
}

std::string iso_date(Time time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  std::string t = net::amz_timestamp(seconds);
  return fmt::format("{}-{}-{}T{}:{}:{}.{:03}Z", t.substr(0, 4), t.substr(4, 2), t.substr(6, 2),
                     t.substr(9, 2), t.substr(11, 2), t.substr(13, 2), (time - seconds).count());
}

std::optional<Time> parse_http_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  auto seconds = net::parse_amz_timestamp(
      fmt::format("{}{:02}{}T{}{}{}Z", text.substr(12, 4), month - kMonths.begin() + 1,
                  text.substr(5, 2), text.substr(17, 2), text.substr(20, 2), text.substr(23, 2)));
  if (!seconds) return std::nullopt;
  return Time(*seconds);
}

std::string http_date(Time time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  std::string t = net::amz_timestamp(seconds);
  unsigned day = std::chrono::weekday(std::chrono::floor<std::chrono::days>(seconds)).c_encoding();
  return fmt::format("{}, {} {} {} {}:{}:{} GMT", kDays[day], t.substr(6, 2),
                     kMonths[to_number(t.substr(4, 2)) - 1], t.substr(0, 4), t.substr(9, 2),
                     t.substr(11, 2), t.substr(13, 2));
}

void add_attribute_headers(const Attributes& a, net::Headers& headers) {
  add_header(headers, "Content-Type", a.content_type);
  add_header(headers, "Cache-Control", a.cache_control);
  add_header(headers, "Content-Disposition", a.content_disposition);
  add_header(headers, "Content-Encoding", a.content_encoding);
  add_header(headers, "Content-Language", a.content_language);
  add_header(headers, "Expires", a.expires);
  for (const auto& [name, value] : a.metadata) {
    add_header(headers, std::string(kMetadata) + name, value);
  }
  if (!a.tags.empty()) {
    headers.add("x-amz-tagging", net::canonical_query({a.tags.begin(), a.tags.end()}));
  }
  if (a.storage_class != "STANDARD") add_header(headers, "x-amz-storage-class", a.storage_class);
  if (a.acl != "private") add_header(headers, "x-amz-acl", a.acl);
  if (a.retention.mode != LockMode::kNone) {
    headers.add("x-amz-object-lock-mode",
                a.retention.mode == LockMode::kGovernance ? "GOVERNANCE" : "COMPLIANCE");
    headers.add("x-amz-object-lock-retain-until-date", iso_date(a.retention.until));
  }
  if (a.legal_hold) headers.add("x-amz-object-lock-legal-hold", "ON");
}

void add_customer_key_headers(const CustomerKey& key, std::string_view prefix,
                              net::Headers& headers) {
  if (key.empty()) return;
  std::string stem = std::string(prefix) + "server-side-encryption-customer-";
  headers.add(stem + "algorithm", "AES256");
  headers.add(stem + "key", base::to_base64(key));
  headers.add(stem + "key-MD5", customer_key_md5(key));
}

void add_encryption_headers(Encryption encryption, const CustomerKey& key, net::Headers& headers) {
  if (encryption == Encryption::kS3) headers.add("x-amz-server-side-encryption", "AES256");
  if (encryption == Encryption::kCustomer) add_customer_key_headers(key, "x-amz-", headers);
}

void add_condition_headers(const WriteCondition& condition, net::Headers& headers) {
  if (condition.if_match) headers.add("If-Match", quoted(*condition.if_match));
  if (condition.if_none_match) headers.add("If-None-Match", quoted(*condition.if_none_match));
}

void add_condition_headers(const ReadCondition& condition, std::string_view prefix,
                           net::Headers& headers) {
  auto name = [&](const char* stem) { return std::string(prefix) + stem; };
  if (condition.if_match) headers.add(name("if-match"), quoted(*condition.if_match));
  if (condition.if_none_match) headers.add(name("if-none-match"), quoted(*condition.if_none_match));
  if (condition.if_modified_since) {
    headers.add(name("if-modified-since"), http_date(*condition.if_modified_since));
  }
  if (condition.if_unmodified_since) {
    headers.add(name("if-unmodified-since"), http_date(*condition.if_unmodified_since));
  }
}

}  // namespace meesh::objects
