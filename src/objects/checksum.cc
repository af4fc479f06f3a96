#include "objects/checksum.h"

#include <openssl/evp.h>

#include "base/error.h"
#include "objects/crc.h"

namespace meesh::objects {
namespace {

struct Entry {
  std::string_view name, header;
};

// In the order of ChecksumKind.
constexpr Entry kEntries[] = {{"CRC32", "x-amz-checksum-crc32"},
                              {"CRC32C", "x-amz-checksum-crc32c"},
                              {"CRC64NVME", "x-amz-checksum-crc64nvme"},
                              {"SHA1", "x-amz-checksum-sha1"},
                              {"SHA256", "x-amz-checksum-sha256"}};

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

CrcKind crc_kind(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kCrc32:
      return CrcKind::kCrc32;
    case ChecksumKind::kCrc32c:
      return CrcKind::kCrc32c;
    case ChecksumKind::kCrc64Nvme:
      return CrcKind::kCrc64Nvme;
    case ChecksumKind::kSha1:
    case ChecksumKind::kSha256:
      break;
  }
  internal_error("a SHA is no CRC");
}

size_t crc_bytes(ChecksumKind kind) { return kind == ChecksumKind::kCrc64Nvme ? 8 : 4; }

std::string big_endian(uint64_t value, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out;
}

uint64_t from_big_endian(const std::string& raw, size_t bytes) {
  if (raw.size() != bytes) internal_error("a CRC of the wrong size");
  uint64_t value = 0;
  for (char c : raw) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

class CrcChecksum : public Checksum {
 public:
  explicit CrcChecksum(ChecksumKind kind) : kind_(kind) {}
  void update(std::string_view bytes) override {
    value_ = crc_update(crc_kind(kind_), value_, bytes);
  }
  std::string raw() override { return big_endian(value_, crc_bytes(kind_)); }

 private:
  ChecksumKind kind_;
  uint64_t value_ = 0;
};

// Fetched once: a fetch takes locks and costs more than the hash of a small object.
const EVP_MD* sha(ChecksumKind kind) {
  static const EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kind == ChecksumKind::kSha1 ? kSha1 : kSha256;
}

class ShaChecksum : public Checksum {
 public:
  explicit ShaChecksum(ChecksumKind kind) : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex2(context_.get(), sha(kind), nullptr) != 1) {
      internal_error("OpenSSL has no SHA");
    }
  }
  void update(std::string_view bytes) override {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) {
      internal_error("OpenSSL cannot hash");
    }
  }
  std::string raw() override {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) {
      internal_error("OpenSSL cannot end a hash");
    }
    return {reinterpret_cast<char*>(digest), size};
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::string_view checksum_name(ChecksumKind kind) {
  return kEntries[static_cast<size_t>(kind)].name;
}

std::string_view checksum_header(ChecksumKind kind) {
  return kEntries[static_cast<size_t>(kind)].header;
}

std::optional<ChecksumKind> checksum_kind(std::string_view name) {
  for (ChecksumKind kind : kChecksumKinds) {
    if (equals_ignoring_case(name, checksum_name(kind))) return kind;
  }
  return std::nullopt;
}

std::optional<ChecksumKind> checksum_kind_of_header(std::string_view header) {
  for (ChecksumKind kind : kChecksumKinds) {
    if (equals_ignoring_case(header, checksum_header(kind))) return kind;
  }
  return std::nullopt;
}

bool has_full_object_form(ChecksumKind kind) {
  return kind != ChecksumKind::kSha1 && kind != ChecksumKind::kSha256;
}

std::unique_ptr<Checksum> Checksum::start(ChecksumKind kind) {
  if (has_full_object_form(kind)) return std::make_unique<CrcChecksum>(kind);
  return std::make_unique<ShaChecksum>(kind);
}

std::string combine_crc(ChecksumKind kind, const std::string& a, const std::string& b,
                        uint64_t length_of_b) {
  size_t bytes = crc_bytes(kind);
  uint64_t value = crc_combine(crc_kind(kind), from_big_endian(a, bytes), from_big_endian(b, bytes),
                               length_of_b);
  return big_endian(value, bytes);
}

}  // namespace meesh::objects
