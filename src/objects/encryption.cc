#include "objects/encryption.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "objects/checksum.h"
#include "objects/payload.h"

namespace meesh::objects {
namespace {

constexpr size_t kNonceBytes = 12;
using Nonce = std::array<unsigned char, kNonceBytes>;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[noreturn]] void broken() { internal_error("OpenSSL cannot do AES-256-GCM"); }

// One key's AES-256-GCM, sealing or opening many blocks.
class Gcm {
 public:
  enum class Direction { kSeal, kOpen };
  Gcm(std::string_view key, Direction direction) : context_(EVP_CIPHER_CTX_new()) {
    static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (key.size() != kKeyBytes) internal_error("a data key of the wrong size");
    if (!context_ || EVP_CipherInit_ex2(context_.get(), kCipher, bytes_of(key), nullptr,
                                        direction == Direction::kSeal ? 1 : 0, nullptr) != 1) {
      broken();
    }
  }

  /// Writes the sealed text and its tag.
  void seal(const Nonce& nonce, std::string_view associated, std::string_view plain, char* out) {
    begin(nonce, associated);
    run(plain, out);
    auto* tag = reinterpret_cast<unsigned char*>(out + plain.size());
    int size = 0;
    if (EVP_CipherFinal_ex(context_.get(), tag, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) != 1) {
      broken();
    }
  }

  /// False if it is not what was sealed; `out` must not be used then.
  bool open(const Nonce& nonce, std::string_view associated, std::string_view sealed, char* out) {
    if (sealed.size() < kTagBytes) return false;
    begin(nonce, associated);
    std::string_view text = sealed.substr(0, sealed.size() - kTagBytes);
    run(text, out);
    std::array<unsigned char, kTagBytes> tag;
    std::memcpy(tag.data(), sealed.data() + text.size(), kTagBytes);
    if (EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) != 1) {
      broken();
    }
    int size = 0;
    unsigned char nothing = 0;
    return EVP_CipherFinal_ex(context_.get(), &nothing, &size) == 1;
  }

 private:
  void begin(const Nonce& nonce, std::string_view associated) {
    int size = 0;
    if (EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce.data(), -1, nullptr) != 1 ||
        (!associated.empty() &&
         EVP_CipherUpdate(context_.get(), nullptr, &size, bytes_of(associated),
                          static_cast<int>(associated.size())) != 1)) {
      broken();
    }
  }

  void run(std::string_view in, char* out) {
    int size = 0;
    if (in.empty()) return;
    if (EVP_CipherUpdate(context_.get(), reinterpret_cast<unsigned char*>(out), &size, bytes_of(in),
                         static_cast<int>(in.size())) != 1) {
      broken();
    }
  }

  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context_;
};

Nonce block_nonce(uint64_t block) {
  Nonce nonce{};
  for (size_t i = kNonceBytes; block != 0; block >>= 8) {
    nonce[--i] = static_cast<unsigned char>(block & 0xFF);
  }
  return nonce;
}

std::string_view block_role(bool last) {
  return last ? std::string_view("\1", 1) : std::string_view("\0", 1);
}

std::string random_bytes(size_t size) {
  std::string out(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size)) != 1) {
    internal_error("the system gives no random bytes");
  }
  return out;
}

Nonce nonce_of(std::string_view bytes) {
  Nonce nonce;
  std::memcpy(nonce.data(), bytes.data(), kNonceBytes);
  return nonce;
}

std::string wrap_with(std::string_view data_key, std::string_view wrapping_key) {
  if (data_key.size() != kKeyBytes) internal_error("a data key of the wrong size");
  std::string out = random_bytes(kNonceBytes);
  out.resize(kNonceBytes + kKeyBytes + kTagBytes);
  Gcm(wrapping_key, Gcm::Direction::kSeal)
      .seal(nonce_of(out), {}, data_key, out.data() + kNonceBytes);
  return out;
}

std::optional<std::string> unwrap_with(std::string_view wrapped, std::string_view wrapping_key) {
  if (wrapped.size() != kNonceBytes + kKeyBytes + kTagBytes || wrapping_key.size() != kKeyBytes) {
    return std::nullopt;
  }
  std::string key(kKeyBytes, '\0');
  Gcm gcm(wrapping_key, Gcm::Direction::kOpen);
  if (!gcm.open(nonce_of(wrapped), {}, wrapped.substr(kNonceBytes), key.data())) {
    return std::nullopt;
  }
  return key;
}

}  // namespace

uint64_t sealed_size(uint64_t size) {
  return size + (size / kBlockBytes + (size % kBlockBytes != 0 ? 1 : 0)) * kTagBytes;
}

struct Sealer::State {
  explicit State(std::string_view key) : gcm(key, Gcm::Direction::kSeal) {}

  void seal(std::string_view content, bool last, std::string& sealed) {
    size_t at = sealed.size();
    sealed.resize(at + content.size() + kTagBytes);
    gcm.seal(block_nonce(block++), block_role(last), content, sealed.data() + at);
  }

  Gcm gcm;
  uint64_t block = 0;
  std::string pending;  // up to one block
};

Sealer::Sealer(std::string_view data_key) : state_(std::make_unique<State>(data_key)) {}
Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

void Sealer::update(std::string_view content, std::string& sealed) {
  State& s = *state_;
  if (!s.pending.empty()) {
    size_t take = std::min(content.size(), kBlockBytes - s.pending.size());
    s.pending.append(content.substr(0, take));
    content.remove_prefix(take);
    if (content.empty()) return;
    s.seal(s.pending, false, sealed);
    s.pending.clear();
  }
  while (content.size() > kBlockBytes) {
    s.seal(content.substr(0, kBlockBytes), false, sealed);
    content.remove_prefix(kBlockBytes);
  }
  s.pending.append(content);
}

void Sealer::finish(std::string& sealed) {
  if (state_->pending.empty()) return;
  state_->seal(state_->pending, true, sealed);
  state_->pending.clear();
}

Opener::Opener(std::string_view data_key, uint64_t size, Source source)
    : data_key_(data_key), size_(size), source_(std::move(source)) {}

size_t Opener::read(uint64_t offset, char* buffer, size_t size) const {
  if (offset >= size_) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, size_ - offset));
  if (size == 0) return 0;
  Gcm gcm(data_key_, Gcm::Direction::kOpen);
  std::string sealed, opened;
  for (size_t done = 0; done < size;) {
    uint64_t block = (offset + done) / kBlockBytes;
    auto skip = static_cast<size_t>((offset + done) % kBlockBytes);
    uint64_t left = size_ - block * kBlockBytes;
    auto length = static_cast<size_t>(std::min<uint64_t>(kBlockBytes, left));
    sealed.resize(length + kTagBytes);
    size_t got = source_(block * (kBlockBytes + kTagBytes), sealed.data(), sealed.size());
    size_t take = std::min(length - skip, size - done);
    bool whole = take == length;
    if (!whole) opened.resize(length);
    char* out = whole ? buffer + done : opened.data();
    if (got != sealed.size() ||
        !gcm.open(block_nonce(block), block_role(left <= kBlockBytes), sealed, out)) {
      throw ObjectError(Reason::kInternalError, "The stored content is damaged.");
    }
    if (!whole) std::memcpy(buffer + done, opened.data() + skip, take);
    done += take;
  }
  return size;
}

std::string new_data_key() { return random_bytes(kKeyBytes); }

std::string master_key_id(std::string_view master_key) {
  const auto hash = Checksum::start(ChecksumKind::kSha256);
  hash->update("meesh master key");
  hash->update(master_key);
  return base::to_hex(hash->raw()).substr(0, 16);
}

MasterKeys::MasterKeys(std::map<std::string, std::string> keys, std::string current)
    : keys_(std::move(keys)), current_(std::move(current)) {
  for (const auto& [id, key] : keys_) {
    if (id.empty()) throw Error(Code::kConfigInvalid, "a master key has no name");
    if (key.size() != kKeyBytes) {
      throw Error(Code::kConfigInvalid, fmt::format("the master key '{}' has {} bytes, not {}", id,
                                                    key.size(), kKeyBytes));
    }
  }
  if (!(keys_.empty() && current_.empty()) && !keys_.contains(current_)) {
    throw Error(Code::kConfigInvalid,
                fmt::format("the current master key '{}' is not among those given", current_));
  }
}

WrappedKey MasterKeys::wrap(std::string_view data_key) const {
  if (empty()) {
    throw ObjectError(Reason::kInvalidRequest,
                      "Server side encryption is not configured: there is no master key.");
  }
  return {current_, wrap_with(data_key, keys_.at(current_))};
}

std::string MasterKeys::unwrap(const WrappedKey& wrapped) const {
  const auto found = keys_.find(wrapped.master_key);
  if (found == keys_.end()) {
    for (const auto& [id, master_key] : keys_) {
      if (auto key = unwrap_with(wrapped.bytes, master_key)) return *key;
    }
    ObjectError unknown(
        Reason::kInternalError,
        fmt::format("The master key '{}' of this object is not configured.", wrapped.master_key));
    unknown.with_hint("add the key used before to storage.old_master_keys in meesh.yaml");
    throw unknown;
  }
  auto key = unwrap_with(wrapped.bytes, found->second);
  if (!key) {
    throw ObjectError(Reason::kInternalError,
                      fmt::format("The data key of this object is damaged, or '{}' is not the "
                                  "master key it was once.",
                                  wrapped.master_key));
  }
  return *key;
}

WrappedKey wrap_with_customer_key(std::string_view data_key, std::string_view customer_key) {
  if (customer_key.size() != kKeyBytes) {
    throw ObjectError(Reason::kInvalidArgument,
                      "The secret key was invalid for the specified algorithm.");
  }
  return {"", wrap_with(data_key, customer_key)};
}

std::string unwrap_with_customer_key(const WrappedKey& wrapped, std::string_view customer_key) {
  auto key = unwrap_with(wrapped.bytes, customer_key);
  if (!key) {
    throw ObjectError(Reason::kAccessDenied,
                      "The customer key given is not the one this object was encrypted with.");
  }
  return *key;
}

std::string customer_key_md5(std::string_view customer_key) {
  Md5 md5;
  md5.update(customer_key);
  return base::to_base64(md5.raw());
}

}  // namespace meesh::objects
