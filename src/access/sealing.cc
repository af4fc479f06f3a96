#include "access/sealing.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace meesh::access {
namespace {

constexpr char kFormat = 1;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }

void must(bool done, const char* what) {
  if (!done) internal_error(fmt::format("OpenSSL cannot {}", what));
}

}  // namespace

Seal::Seal(std::string_view master, std::string_view purpose) {
  if (master.size() != kKeyBytes) {
    throw Error(Code::kInvalidArguments,
                fmt::format("the master key has {} bytes, not {}", master.size(), kKeyBytes));
  }
  key_ = hmac_sha256(master, purpose);
}

Seal::~Seal() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string Seal::seal(std::string_view content, std::string_view about) const {
  std::string out = kFormat + random_bytes(kNonceBytes);
  const size_t start = out.size();
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  must(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key_),
                                    bytes(out) + 1) == 1,
       "start AES-256-GCM");
  int length = 0;
  must(EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes(about),
                         static_cast<int>(about.size())) == 1,
       "authenticate");
  out.resize(start + content.size() + kTagBytes);
  must(EVP_EncryptUpdate(cipher.get(), bytes(out.data() + start), &length, bytes(content),
                         static_cast<int>(content.size())) == 1,
       "encrypt");
  must(EVP_EncryptFinal_ex(cipher.get(), bytes(out.data() + start + content.size()), &length) == 1,
       "end AES-256-GCM");
  must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                           out.data() + start + content.size()) == 1,
       "make the tag");
  return base::to_base64url(out);
}

std::optional<std::string> Seal::open(std::string_view sealed, std::string_view about) const {
  auto raw = base::from_base64url(sealed);
  if (!raw || raw->size() < 1 + kNonceBytes + kTagBytes || raw->front() != kFormat) {
    return std::nullopt;
  }
  const size_t start = 1 + kNonceBytes;
  std::string content(raw->size() - start - kTagBytes, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  must(cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key_),
                                    bytes(*raw) + 1) == 1,
       "start AES-256-GCM");
  int length = 0;
  must(EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes(about),
                         static_cast<int>(about.size())) == 1,
       "authenticate");
  must(EVP_DecryptUpdate(cipher.get(), bytes(content.data()), &length, bytes(*raw) + start,
                         static_cast<int>(content.size())) == 1,
       "decrypt");
  must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes,
                           raw->data() + start + content.size()) == 1,
       "set the tag");
  std::array<unsigned char, kTagBytes> rest{};
  if (EVP_DecryptFinal_ex(cipher.get(), rest.data(), &length) != 1) return std::nullopt;
  return content;
}

std::string Seal::fingerprint(std::string_view content) const {
  return base::to_base64url(hmac_sha256(key_, content));
}

std::string random_bytes(size_t count) {
  std::string out(count, '\0');
  must(RAND_bytes(bytes(out.data()), static_cast<int>(count)) == 1, "make random bytes");
  return out;
}

std::string random_key_id(std::string_view prefix) {
  std::string id(prefix);
  for (const char byte : random_bytes(16)) {
    id += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[static_cast<unsigned char>(byte) & 31];
  }
  return id;
}

std::string random_secret() {
  std::string secret = base::to_base64url(random_bytes(30));
  // Clients put secrets into URLs and files: only signs that need no escape but +.
  std::replace_if(secret.begin(), secret.end(), [](char c) { return c == '-' || c == '_'; }, '+');
  return secret;
}

std::string hmac_sha256(std::string_view key, std::string_view content) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(content), content.size(),
            bytes(out.data()), &length) != nullptr,
       "make an HMAC");
  out.resize(length);
  return out;
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace meesh::access
