#include "serve/s3/object_headers.h"

#include <initializer_list>

#include "base/text.h"
#include "net/head.h"
#include "serve/s3/acl.h"
#include "serve/s3/expiration.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

constexpr std::string_view kMeta = "x-amz-meta-";
constexpr size_t kMaxMetadata = 2 << 10;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

[[noreturn]] void bad_argument(const char* name, std::string value, std::string message) {
  throw S3Error("InvalidArgument", 400, std::move(message),
                {{"ArgumentName", name}, {"ArgumentValue", std::move(value)}});
}

// "gzip, aws-chunked" is stored as "gzip": the framing is not the object's.
std::string content_encoding(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty() || net::equals_ignoring_case(item, "aws-chunked")) continue;
    out.append(out.empty() ? "" : ",").append(item);
  }
  return out;
}

std::map<std::string, std::string> read_metadata(const Call& call) {
  std::map<std::string, std::string> out;
  size_t size = 0;
  for (const auto& [name, value] : call.request.headers.items()) {
    std::string key = lower(name);
    if (!key.starts_with(kMeta)) continue;
    key.erase(0, kMeta.size());
    if (key.empty()) continue;
    auto [it, fresh] = out.emplace(std::move(key), value);
    if (!fresh) it->second.append(",").append(value);
    size += name.size() - kMeta.size() + value.size();
  }
  if (size > kMaxMetadata) {
    throw S3Error("MetadataTooLarge", 400,
                  "Your metadata headers exceed the maximum allowed metadata size",
                  {{"Size", std::to_string(size)}, {"MaxSizeAllowed", "2048"}});
  }
  return out;
}

std::string read_storage_class(const Call& call) {
  std::string name(call.header("x-amz-storage-class"));
  if (name.empty()) return "STANDARD";
  for (std::string_view known : {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
                                 "INTELLIGENT_TIERING", "GLACIER_IR"}) {
    if (name == known) return name;
  }
  throw S3Error("InvalidStorageClass", 400, "The storage class you specified is not valid");
}

void read_lock(Call& call, objects::Attributes& attributes) {
  std::string mode(call.header("x-amz-object-lock-mode"));
  std::string until(call.header("x-amz-object-lock-retain-until-date"));
  std::string hold(call.header("x-amz-object-lock-legal-hold"));
  if (mode.empty() && until.empty() && hold.empty()) return;
  if (!call.bucket_info().lock_enabled) {
    throw S3Error(Reason::kInvalidRequest, "Bucket is missing Object Lock Configuration");
  }
  if (mode.empty() != until.empty()) {
    throw S3Error(Reason::kInvalidArgument,
                  "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be "
                  "supplied");
  }
  if (!mode.empty()) {
    call.require("s3:PutObjectRetention");
    if (mode != "GOVERNANCE" && mode != "COMPLIANCE") {
      bad_argument("x-amz-object-lock-mode", mode, "Unknown wormMode directive.");
    }
    auto time = parse_iso_time(until);
    if (!time) {
      bad_argument("x-amz-object-lock-retain-until-date", until,
                   "The retain until date must be provided in ISO 8601 format");
    }
    if (*time <= now()) {
      bad_argument("x-amz-object-lock-retain-until-date", until,
                   "The retain until date must be in the future!");
    }
    attributes.retention = {
        mode == "COMPLIANCE" ? objects::LockMode::kCompliance : objects::LockMode::kGovernance,
        *time};
  }
  if (!hold.empty()) {
    call.require("s3:PutObjectLegalHold");
    if (hold != "ON" && hold != "OFF") {
      bad_argument("x-amz-object-lock-legal-hold", hold,
                   "Legal Hold must be either of 'ON' or 'OFF'");
    }
    attributes.legal_hold = hold == "ON";
  }
}

bool loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

bool has_default_encryption(Call& call) { return !call.document("encryption").empty(); }

void expect_checksum(objects::ChecksumKind kind, std::string_view value,
                     objects::WriteOptions& options) {
  auto raw = base::from_base64(value);
  size_t size = objects::Checksum::start(kind)->raw().size();
  if (!raw || raw->size() != size) {
    throw S3Error(Reason::kInvalidRequest,
                  fmt::format("Value for {} header is invalid.", objects::checksum_header(kind)));
  }
  if (!options.expected.empty()) {
    throw S3Error(Reason::kInvalidRequest,
                  "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                  "allowed.");
  }
  options.expected[kind] = value;
}

bool same_or_any(const std::string& wanted, const std::string& etag) {
  for (std::string_view rest = wanted; !rest.empty();) {
    size_t end = std::min(rest.find(','), rest.size());
    std::string one = plain_etag(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (one == "*" || one == etag) return true;
  }
  return false;
}

[[noreturn]] void precondition_failed(const char* header) {
  throw S3Error("PreconditionFailed", 412,
                "At least one of the pre-conditions you specified did not hold",
                {{"Condition", header}});
}

void set_if(Call& call, const char* name, const std::string& value) {
  if (!value.empty()) call.set(name, value);
}

}  // namespace

objects::Attributes read_attributes(Call& call) {
  objects::Attributes out;
  out.content_type = call.header("Content-Type");
  if (out.content_type.empty()) out.content_type = "binary/octet-stream";
  out.cache_control = call.header("Cache-Control");
  out.content_disposition = call.header("Content-Disposition");
  out.content_encoding = content_encoding(call.header("Content-Encoding"));
  out.content_language = call.header("Content-Language");
  out.expires = call.header("Expires");
  out.metadata = read_metadata(call);
  out.storage_class = read_storage_class(call);
  out.owner = call.owner();
  if (call.request.headers.get("x-amz-website-redirect-location")) {
    throw S3Error(Reason::kNotImplemented, "Website redirects are not implemented.");
  }
  if (auto tagging = call.request.headers.get("x-amz-tagging")) {
    out.tags = parse_tagging_header(*tagging);
    call.require("s3:PutObjectTagging");
  }
  if (auto acl = acl_header(call)) {
    check_acl_wanted(call.bucket_info(), *acl);
    if (*acl != "private") call.require("s3:PutObjectAcl");
    out.acl = *acl;
  }
  read_lock(call, out);
  return out;
}

bool has_lock_headers(const Call& call) {
  return call.request.headers.get("x-amz-object-lock-mode") ||
         call.request.headers.get("x-amz-object-lock-legal-hold");
}

void read_encryption(Call& call, objects::WriteOptions& options) {
  options.customer_key = read_customer_key(call);
  std::string_view wanted = call.header("x-amz-server-side-encryption");
  if (!options.customer_key.empty()) {
    if (!wanted.empty()) {
      throw S3Error(Reason::kInvalidArgument,
                    "Server Side Encryption with Customer provided key is incompatible with the "
                    "encryption method specified");
    }
    options.encryption = objects::Encryption::kCustomer;
  } else if (wanted == "AES256") {
    options.encryption = objects::Encryption::kS3;
  } else if (wanted.starts_with("aws:")) {
    throw S3Error(
        Reason::kNotImplemented,
        fmt::format("Server side encryption '{}' is not implemented, AES256 is.", wanted));
  } else if (!wanted.empty()) {
    throw S3Error("InvalidEncryptionAlgorithmError", 400,
                  "The encryption request you specified is not valid. The valid value is AES256.");
  } else if (has_default_encryption(call)) {
    options.encryption = objects::Encryption::kS3;
  }
}

objects::CustomerKey read_customer_key(const Call& call, std::string_view prefix) {
  auto field = [&](const char* name) {
    return call.request.headers.get(
        fmt::format("{}server-side-encryption-customer-{}", prefix, name));
  };
  auto algorithm = field("algorithm"), key = field("key"), key_md5 = field("key-MD5");
  if (!algorithm && !key && !key_md5) return {};
  if (!algorithm || !key || !key_md5) {
    throw S3Error(Reason::kInvalidArgument,
                  "Requests specifying Server Side Encryption with Customer provided keys must "
                  "provide the algorithm, an appropriate secret key and its MD5.");
  }
  if (*algorithm != "AES256") {
    throw S3Error("InvalidEncryptionAlgorithmError", 400,
                  "The encryption request you specified is not valid. The valid value is AES256.");
  }
  if (!call.request.tls && !loopback(call.request.remote_address)) {
    throw S3Error(Reason::kInvalidRequest,
                  "Requests specifying Server Side Encryption with Customer provided keys must be "
                  "made over a secure connection.");
  }
  auto raw = base::from_base64(*key);
  if (!raw || raw->size() != 32) {
    throw S3Error(Reason::kInvalidArgument,
                  "The secret key was invalid for the specified algorithm.");
  }
  if (base::to_base64(md5(*raw)) != *key_md5) {
    throw S3Error(Reason::kInvalidArgument,
                  "The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  return *raw;
}

void read_digests(const Call& call, objects::WriteOptions& options) {
  if (auto header = call.request.headers.get("Content-MD5")) {
    auto raw = base::from_base64(*header);
    if (!raw || raw->size() != 16) {
      throw S3Error("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    }
    options.md5 = *raw;
  }
  for (auto kind : objects::kChecksumKinds) {
    if (auto value = call.request.headers.get(objects::checksum_header(kind))) {
      expect_checksum(kind, *value, options);
    }
  }
  if (auto trailer = call.request.headers.get("x-amz-trailer")) {
    auto kind = objects::checksum_kind_of_header(*trailer);
    if (!kind) {
      throw S3Error(Reason::kInvalidRequest,
                    "The value specified in the x-amz-trailer header is not supported");
    }
    options.expected.emplace(*kind, "");
  }
  std::string_view announced = call.header("x-amz-sdk-checksum-algorithm");
  if (announced.empty()) return;
  auto kind = objects::checksum_kind(announced);
  if (!kind) {
    throw S3Error(Reason::kInvalidRequest,
                  "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  if (options.expected.empty()) {
    throw S3Error(
        Reason::kInvalidRequest,
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
        "x-amz-trailer headers were found.");
  }
  if (!options.expected.contains(*kind)) {
    throw S3Error(
        Reason::kInvalidRequest,
        "Value for x-amz-sdk-checksum-algorithm header does not match the checksum given.");
  }
}

objects::Checksums read_checksum_values(const Call& call) {
  objects::Checksums out;
  for (auto kind : objects::kChecksumKinds) {
    if (auto value = call.request.headers.get(objects::checksum_header(kind))) out[kind] = *value;
  }
  return out;
}

objects::WriteCondition read_write_condition(const Call& call) {
  objects::WriteCondition out;
  if (auto value = call.request.headers.get("If-Match")) out.if_match = plain_etag(*value);
  if (auto value = call.request.headers.get("If-None-Match")) {
    out.if_none_match = plain_etag(*value);
    if (*out.if_none_match != "*") {
      throw S3Error("NotImplemented", 501,
                    "A header you provided implies functionality that is not implemented",
                    {{"Header", "If-None-Match"}});
    }
  }
  return out;
}

void check_write_condition(Call& call, const objects::WriteCondition& condition) {
  if (!condition.if_match && !condition.if_none_match) return;
  std::optional<objects::Object> there;
  try {
    // Without the customer's key: only whether there is one and its ETag matter.
    there = call.store().head(call.bucket, call.key, {});
  } catch (const objects::ObjectError& e) {
    if (e.reason() == Reason::kNoSuchKey && condition.if_match) throw;
    if (e.reason() != Reason::kNoSuchKey) return;
  }
  if (condition.if_none_match && there) precondition_failed("If-None-Match");
  if (condition.if_match && there && *condition.if_match != "*" &&
      *condition.if_match != there->etag) {
    precondition_failed("If-Match");
  }
}

objects::ReadCondition read_read_condition(const Call& call, std::string_view prefix) {
  objects::ReadCondition out;
  auto field = [&](const char* name) {
    return call.request.headers.get(fmt::format("{}{}", prefix, name));
  };
  if (auto value = field("If-Match")) out.if_match = std::string(*value);
  if (auto value = field("If-None-Match")) out.if_none_match = std::string(*value);
  if (auto value = field("If-Modified-Since")) out.if_modified_since = parse_http_time(*value);
  if (auto value = field("If-Unmodified-Since")) out.if_unmodified_since = parse_http_time(*value);
  return out;
}

void check_read_condition(const objects::Object& object, const objects::ReadCondition& condition) {
  // HTTP's times are whole seconds.
  auto modified = std::chrono::floor<std::chrono::seconds>(object.modified);
  if (condition.if_match) {
    if (!same_or_any(*condition.if_match, object.etag)) precondition_failed("If-Match");
  } else if (condition.if_unmodified_since && modified > *condition.if_unmodified_since) {
    precondition_failed("If-Unmodified-Since");
  }
  bool unchanged = false;
  if (condition.if_none_match) {
    unchanged = same_or_any(*condition.if_none_match, object.etag);
  } else if (condition.if_modified_since) {
    unchanged = modified <= *condition.if_modified_since;
  }
  if (unchanged) throw S3Error(Reason::kNotModified, "Not Modified");
}

void set_version_header(Call& call, const objects::Object& object, net::Headers& to) {
  if (call.bucket_info().versioning != objects::Versioning::kNever) {
    to.set("x-amz-version-id", object.version);
  }
}

void set_encryption_headers(objects::Encryption encryption, const std::string& customer_key_md5,
                            net::Headers& to) {
  if (encryption == objects::Encryption::kS3) to.set("x-amz-server-side-encryption", "AES256");
  if (encryption == objects::Encryption::kCustomer) {
    to.set("x-amz-server-side-encryption-customer-algorithm", "AES256");
    to.set("x-amz-server-side-encryption-customer-key-MD5", customer_key_md5);
  }
}

void set_checksum_headers(Call& call, const objects::Checksums& checksums, bool composite) {
  for (const auto& [kind, value] : checksums) {
    call.set(std::string(objects::checksum_header(kind)), value);
  }
  if (!checksums.empty()) call.set("x-amz-checksum-type", std::string(checksum_type(composite)));
}

std::string_view checksum_type(bool composite) { return composite ? "COMPOSITE" : "FULL_OBJECT"; }

void set_object_headers(Call& call, const objects::Object& object) {
  const objects::Attributes& with = object.attributes;
  set_version_header(call, object, call.response.headers);
  call.set("ETag", quoted_etag(object.etag));
  call.set("Last-Modified", http_time(object.modified));
  set_if(call, "Content-Type", with.content_type);
  set_if(call, "Cache-Control", with.cache_control);
  set_if(call, "Content-Disposition", with.content_disposition);
  set_if(call, "Content-Encoding", with.content_encoding);
  set_if(call, "Content-Language", with.content_language);
  set_if(call, "Expires", with.expires);
  for (const auto& [name, value] : with.metadata) call.set(fmt::format("{}{}", kMeta, name), value);
  set_expiration_header(call, object, call.response.headers);
  if (!with.tags.empty()) call.set("x-amz-tagging-count", std::to_string(with.tags.size()));
  if (with.storage_class != "STANDARD") set_if(call, "x-amz-storage-class", with.storage_class);
  set_encryption_headers(object.encryption, object.customer_key_md5, call.response.headers);
  if (with.retention.mode != objects::LockMode::kNone) {
    call.set("x-amz-object-lock-mode",
             with.retention.mode == objects::LockMode::kCompliance ? "COMPLIANCE" : "GOVERNANCE");
    call.set("x-amz-object-lock-retain-until-date", iso_time(with.retention.until));
  }
  if (with.legal_hold) call.set("x-amz-object-lock-legal-hold", "ON");
}

}  // namespace meesh::serve::s3
