#include "objects/payload.h"

#include <openssl/evp.h>

#include <array>
#include <boost/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "objects/crc.h"

namespace meesh::objects {
namespace {

namespace json = boost::json;

void put_u32(std::string& out, uint32_t value) {
  for (int i = 0; i < 4; ++i, value >>= 8) out += static_cast<char>(value & 0xFF);
}

uint32_t get_u32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint32_t crc_of(std::string_view text) {
  return static_cast<uint32_t>(crc_update(CrcKind::kCrc32c, 0, text));
}

// Names of enumerators as they are written; the position is the value.
constexpr std::array<std::string_view, 3> kKinds = {"object", "part", "manifest"};
constexpr std::array<std::string_view, 3> kEncryptions = {"none", "s3", "customer"};
constexpr std::array<std::string_view, 3> kLockModes = {"none", "governance", "compliance"};

template <typename Enum>
Enum by_name(const std::array<std::string_view, 3>& names, std::string_view name) {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) internal_error("an unknown word");
  return static_cast<Enum>(found - names.begin());
}

template <typename Enum>
std::string_view name_of(const std::array<std::string_view, 3>& names, Enum value) {
  return names[static_cast<size_t>(value)];
}

void put_text(json::object& out, std::string_view name, std::string_view value,
              std::string_view usual = "") {
  if (value != usual) out[name] = value;
}

json::object from_map(const std::map<std::string, std::string>& values) {
  json::object out;
  for (const auto& [name, value] : values) out[name] = value;
  return out;
}

json::object from_checksums(const Checksums& checksums) {
  json::object out;
  for (const auto& [kind, value] : checksums) out[checksum_name(kind)] = value;
  return out;
}

json::object from_attributes(const Attributes& a) {
  json::object out;
  put_text(out, "content_type", a.content_type);
  put_text(out, "cache_control", a.cache_control);
  put_text(out, "content_disposition", a.content_disposition);
  put_text(out, "content_encoding", a.content_encoding);
  put_text(out, "content_language", a.content_language);
  put_text(out, "expires", a.expires);
  if (!a.metadata.empty()) out["metadata"] = from_map(a.metadata);
  if (!a.tags.empty()) out["tags"] = from_map(a.tags);
  put_text(out, "storage_class", a.storage_class, "STANDARD");
  put_text(out, "acl", a.acl, "private");
  put_text(out, "owner", a.owner);
  if (a.retention.mode != LockMode::kNone) {
    out["lock_mode"] = name_of(kLockModes, a.retention.mode);
    out["lock_until"] = a.retention.until.time_since_epoch().count();
  }
  if (a.legal_hold) out["legal_hold"] = true;
  return out;
}

json::object from_object(const Object& o) {
  json::object out;
  out["key"] = o.key;
  out["version"] = o.version;
  out["size"] = o.size;
  out["etag"] = o.etag;
  out["modified"] = o.modified.time_since_epoch().count();
  out["checksums"] = from_checksums(o.checksums);
  out["composite"] = o.composite;
  out["attributes"] = from_attributes(o.attributes);
  out["encryption"] = name_of(kEncryptions, o.encryption);
  put_text(out, "customer_key_md5", o.customer_key_md5);
  return out;
}

json::object from_part(const PayloadPart& p) {
  return {{"payload", p.payload},
          {"number", p.part.number},
          {"size", p.part.size},
          {"etag", p.part.etag},
          {"checksums", from_checksums(p.part.checksums)},
          {"modified", p.part.modified.time_since_epoch().count()}};
}

// Readers throw on anything unexpected; parse_payload_footer catches.

std::string text(const json::value& value) { return json::value_to<std::string>(value); }

std::string text(const json::object& in, std::string_view name, std::string_view usual = "") {
  const json::value* found = in.if_contains(name);
  return found != nullptr ? text(*found) : std::string(usual);
}

template <typename Number>
Number number(const json::object& in, std::string_view name) {
  return in.at(name).to_number<Number>();
}

Time time(const json::object& in, std::string_view name) {
  return Time(std::chrono::milliseconds(number<int64_t>(in, name)));
}

std::map<std::string, std::string> to_map(const json::object& in, std::string_view name) {
  std::map<std::string, std::string> out;
  if (const json::value* found = in.if_contains(name)) {
    for (const auto& [key, value] : found->as_object()) out[std::string(key)] = text(value);
  }
  return out;
}

Checksums to_checksums(const json::object& in) {
  Checksums out;
  for (const auto& [name, value] : in.at("checksums").as_object()) {
    auto kind = checksum_kind(name);
    if (!kind) internal_error("an unknown checksum");
    out[*kind] = text(value);
  }
  return out;
}

Attributes to_attributes(const json::object& in) {
  Attributes a;
  a.content_type = text(in, "content_type");
  a.cache_control = text(in, "cache_control");
  a.content_disposition = text(in, "content_disposition");
  a.content_encoding = text(in, "content_encoding");
  a.content_language = text(in, "content_language");
  a.expires = text(in, "expires");
  a.metadata = to_map(in, "metadata");
  a.tags = to_map(in, "tags");
  a.storage_class = text(in, "storage_class", "STANDARD");
  a.acl = text(in, "acl", "private");
  a.owner = text(in, "owner");
  if (in.contains("lock_mode")) {
    a.retention.mode = by_name<LockMode>(kLockModes, text(in, "lock_mode"));
    a.retention.until = time(in, "lock_until");
  }
  if (const json::value* hold = in.if_contains("legal_hold")) a.legal_hold = hold->as_bool();
  return a;
}

Object to_object(const json::object& in) {
  Object o;
  o.key = text(in.at("key"));
  o.version = text(in.at("version"));
  o.size = number<uint64_t>(in, "size");
  o.etag = text(in.at("etag"));
  o.modified = time(in, "modified");
  o.checksums = to_checksums(in);
  o.composite = in.at("composite").as_bool();
  o.attributes = to_attributes(in.at("attributes").as_object());
  o.encryption = by_name<Encryption>(kEncryptions, text(in.at("encryption")));
  o.customer_key_md5 = text(in, "customer_key_md5");
  return o;
}

PayloadPart to_part(const json::object& in) {
  PayloadPart p;
  p.payload = number<uint64_t>(in, "payload");
  p.part.number = number<int>(in, "number");
  p.part.size = number<uint64_t>(in, "size");
  p.part.etag = text(in.at("etag"));
  p.part.checksums = to_checksums(in);
  p.part.modified = time(in, "modified");
  return p;
}

PayloadDescription to_description(const json::object& in) {
  PayloadDescription d;
  d.kind = by_name<PayloadKind>(kKinds, text(in.at("kind")));
  d.payload = number<uint64_t>(in, "payload");
  d.bucket = text(in.at("bucket"));
  d.object = to_object(in.at("object").as_object());
  d.stored = number<uint64_t>(in, "stored");
  if (const json::value* key = in.if_contains("data_key")) {
    d.data_key.master_key = text(key->as_object(), "master_key");
    auto bytes = base::from_base64(text(key->as_object().at("bytes")));
    if (!bytes) internal_error("a data key that is no base64");
    d.data_key.bytes = std::move(*bytes);
  }
  d.upload = text(in, "upload");
  if (in.contains("part_number")) d.part_number = number<int>(in, "part_number");
  if (const json::value* parts = in.if_contains("parts")) {
    for (const json::value& part : parts->as_array()) d.parts.push_back(to_part(part.as_object()));
  }
  return d;
}

}  // namespace

std::string payload_footer(const PayloadDescription& d) {
  json::object out;
  out["kind"] = name_of(kKinds, d.kind);
  out["payload"] = d.payload;
  out["bucket"] = d.bucket;
  out["object"] = from_object(d.object);
  out["stored"] = d.stored;
  if (!d.data_key.bytes.empty()) {
    out["data_key"] = {{"master_key", d.data_key.master_key},
                       {"bytes", base::to_base64(d.data_key.bytes)}};
  }
  put_text(out, "upload", d.upload);
  if (d.part_number != 0) out["part_number"] = d.part_number;
  if (!d.parts.empty()) {
    json::array parts;
    for (const PayloadPart& part : d.parts) parts.push_back(from_part(part));
    out["parts"] = std::move(parts);
  }
  std::string footer = json::serialize(out);
  uint32_t crc = crc_of(footer);
  put_u32(footer, static_cast<uint32_t>(footer.size()));
  put_u32(footer, crc);
  footer += kPayloadMagic;
  return footer;
}

std::optional<uint64_t> payload_footer_size(std::string_view trailer) {
  if (trailer.size() != kPayloadTrailerBytes || !trailer.ends_with(kPayloadMagic)) {
    return std::nullopt;
  }
  return uint64_t{get_u32(trailer)} + kPayloadTrailerBytes;
}

std::optional<PayloadDescription> parse_payload_footer(std::string_view footer) {
  if (footer.size() < kPayloadTrailerBytes) return std::nullopt;
  std::string_view trailer = footer.substr(footer.size() - kPayloadTrailerBytes);
  std::string_view description = footer.substr(0, footer.size() - kPayloadTrailerBytes);
  if (payload_footer_size(trailer) != footer.size() ||
      get_u32(trailer.substr(4)) != crc_of(description)) {
    return std::nullopt;
  }
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // metadata holds whatever bytes a client sent
  try {
    return to_description(json::parse(description, {}, options).as_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

struct Md5::State {
  struct Free {
    void operator()(EVP_MD_CTX* held) const { EVP_MD_CTX_free(held); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Md5::Md5() : state_(std::make_unique<State>()) {
  static const EVP_MD* const kMd5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  if (!state_->context || EVP_DigestInit_ex2(state_->context.get(), kMd5, nullptr) != 1) {
    internal_error("OpenSSL has no MD5");
  }
}
Md5::~Md5() = default;
Md5::Md5(Md5&&) noexcept = default;
Md5& Md5::operator=(Md5&&) noexcept = default;

void Md5::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
    internal_error("OpenSSL cannot hash");
  }
}

std::string Md5::raw() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1) {
    internal_error("OpenSSL cannot end a hash");
  }
  return {reinterpret_cast<char*>(digest.data()), size};
}

}  // namespace meesh::objects
