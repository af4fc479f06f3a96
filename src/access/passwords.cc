#include "access/passwords.h"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <semaphore>

#include "access/sealing.h"
#include "base/error.h"
#include "base/text.h"

namespace meesh::access {
namespace {

// OWASP's first choice for Argon2id.
constexpr uint32_t kMemoryKib = 47104, kPasses = 1, kLanes = 1;
constexpr size_t kSaltBytes = 16, kHashBytes = 32;
constexpr size_t kShortest = 8, kLongest = 1024;

/// Each hash takes 46 MiB: a crowd at the door must not take all memory.
std::counting_semaphore<2> places(2);

class Place {
 public:
  Place() { places.acquire(); }
  ~Place() { places.release(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
};

}  // namespace

void check_new_password(const std::string& user, const std::string& password) {
  const auto refuse = [](const char* why) {
    throw Error(Code::kInvalidArguments, why)
        .with_hint("a password has 8 to 1,024 bytes; several words are better than one");
  };
  if (password.size() < kShortest) refuse("the password is too short");
  if (password.size() > kLongest) refuse("the password is too long");
  if (!base::valid_utf8(password)) refuse("the password is not UTF-8");
  if (std::any_of(password.begin(), password.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    refuse("the password has a control character");
  if (password == user) refuse("the password is the user's name");
}

std::string hash_password(const std::string& password) {
  const std::string salt = random_bytes(kSaltBytes);
  std::array<char, 256> encoded{};
  const Place place;
  const int failed =
      argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.data(), password.size(),
                            salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (failed != ARGON2_OK) {
    throw Error(Code::kGenericInsufficientResources,
                std::string("a password could not be hashed: ") + argon2_error_message(failed));
  }
  return encoded.data();
}

bool password_fits(const std::string& hash, const std::string& password) {
  const Place place;
  const int failed = argon2id_verify(hash.c_str(), password.data(), password.size());
  if (failed == ARGON2_MEMORY_ALLOCATION_ERROR) {
    throw Error(Code::kGenericInsufficientResources, "there is no memory to check a password");
  }
  return failed == ARGON2_OK;
}

const std::string& nobodys_hash() {
  static const std::string hash = hash_password(random_bytes(32));
  return hash;
}

}  // namespace meesh::access
