#include "access/passwords.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::access {
namespace {

TEST(Passwords, FitsAndDoesNot) {
  const std::string hash = hash_password("correct horse battery");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$")) << hash;
  EXPECT_TRUE(password_fits(hash, "correct horse battery"));
  EXPECT_FALSE(password_fits(hash, "correct horse batterz"));
  EXPECT_FALSE(password_fits(hash, "correct horse battery "));
  EXPECT_FALSE(password_fits(hash, ""));
  EXPECT_FALSE(password_fits(hash, std::string("correct horse battery\0", 22)));
}

TEST(Passwords, SaltedEachTime) {
  EXPECT_NE(hash_password("the same words"), hash_password("the same words"));
}

TEST(Passwords, WhatIsNoHashFitsNothing) {
  for (const char* hash : {"", "plain", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
                           "$argon2id$v=19$m=47104,t=1,p=1$$"})
    EXPECT_FALSE(password_fits(hash, "plain")) << hash;
  EXPECT_FALSE(password_fits(nobodys_hash(), ""));
}

TEST(Passwords, NewOnesAreChecked) {
  const auto refused = [](const std::string& user, const std::string& password) {
    try {
      check_new_password(user, password);
      return false;
    } catch (const Error& error) {
      return error.code() == Code::kInvalidArguments;
    }
  };
  EXPECT_FALSE(refused("ann", "12345678"));
  EXPECT_FALSE(refused("ann", "Ünïcödé"));  // more than eight bytes
  EXPECT_TRUE(refused("ann", "1234567"));
  EXPECT_TRUE(refused("ann", std::string(1025, 'x')));
  EXPECT_FALSE(refused("ann", std::string(1024, 'x')));
  EXPECT_TRUE(refused("ann", "tab\tinside"));
  EXPECT_TRUE(refused("ann", std::string("nul\0inside", 10)));
  EXPECT_TRUE(refused("ann", "not utf-8 \xFF"));
  EXPECT_TRUE(refused("ann.example", "ann.example"));
}

}  // namespace
}  // namespace meesh::access
