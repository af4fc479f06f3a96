#include "objects/encryption.h"

#include <gmock/gmock.h>

#include <cstring>
#include <thread>

#include "base/text.h"
#include "objects/checksum.h"

namespace meesh::objects {
namespace {

using testing::HasSubstr;

const std::string kKey(kKeyBytes, 'k');

std::string content_of(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 7 + i / 251) & 0xFF);
  return out;
}

std::string seal(const std::string& key, std::string_view content, size_t piece) {
  Sealer sealer(key);
  std::string sealed;
  for (size_t at = 0; at < content.size(); at += piece) {
    sealer.update(content.substr(at, piece), sealed);
  }
  sealer.finish(sealed);
  return sealed;
}

Opener opener(const std::string& key, const std::string& sealed, uint64_t size) {
  return Opener(key, size, [&sealed](uint64_t offset, char* buffer, size_t wanted) -> size_t {
    if (offset >= sealed.size()) return 0;
    size_t count = std::min(wanted, sealed.size() - static_cast<size_t>(offset));
    std::memcpy(buffer, sealed.data() + offset, count);
    return count;
  });
}

std::string read(const Opener& from, uint64_t offset, size_t size) {
  std::string out(size, '\0');
  out.resize(from.read(offset, out.data(), size));
  return out;
}

Reason reason_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ObjectError& e) {
    return e.reason();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Reason::kNotModified;
}

constexpr size_t kSizes[] = {0,
                             1,
                             100,
                             kBlockBytes - 1,
                             kBlockBytes,
                             kBlockBytes + 1,
                             2 * kBlockBytes,
                             3 * kBlockBytes + 17};

TEST(Sealer, GivesBackWhatItSealedHoweverItCame) {
  for (size_t size : kSizes) {
    const std::string content = content_of(size);
    const std::string sealed = seal(kKey, content, size + 1);
    EXPECT_EQ(sealed.size(), sealed_size(size));
    for (size_t piece : {size_t{1000}, kBlockBytes, kBlockBytes + 1}) {
      EXPECT_EQ(seal(kKey, content, piece), sealed) << size << " in pieces of " << piece;
    }
    EXPECT_EQ(read(opener(kKey, sealed, size), 0, size + 10), content) << size;
    if (size >= 100) EXPECT_EQ(sealed.find(content.substr(0, 20)), std::string::npos);
  }
}

// Content at rest stays readable: what another implementation of AES-GCM makes of the format.
TEST(Sealer, TheFormatIsFrozen) {
  EXPECT_EQ(base::to_hex(seal(kKey, "hello", 5)), "880b9cc5a890fafc7f9fc5af2232402a6c3cbcb13f");
  const std::string content = content_of(kBlockBytes + 1);
  auto sha256 = Checksum::start(ChecksumKind::kSha256);
  sha256->update(seal(kKey, content, content.size()));
  EXPECT_EQ(base::to_hex(sha256->raw()),
            "b02876b015f90aaa7e937715a8c7ece28ad820f211f4e47fd596bbe54a5869c2");
}

TEST(Opener, ReadsRangesOverBlockBorders) {
  const std::string content = content_of(3 * kBlockBytes + 17);
  const std::string sealed = seal(kKey, content, content.size());
  Opener from = opener(kKey, sealed, content.size());
  for (size_t border : {size_t{0}, kBlockBytes, 2 * kBlockBytes, 3 * kBlockBytes, content.size()}) {
    for (size_t before : {0, 1, 16, 17, 5000}) {
      for (size_t length : {size_t{1}, size_t{2}, size_t{40}, kBlockBytes, 2 * kBlockBytes + 3}) {
        size_t offset = border - std::min<size_t>(border, before);
        std::string right = offset < content.size() ? content.substr(offset, length) : "";
        ASSERT_EQ(read(from, offset, length), right) << offset << "+" << length;
      }
    }
  }
  EXPECT_EQ(read(from, UINT64_MAX, 5), "");
  EXPECT_EQ(read(from, 5, 0), "");
}

TEST(Opener, ReadsOnlyTheBlocksItNeeds) {
  const std::string content = content_of(4 * kBlockBytes);
  const std::string sealed = seal(kKey, content, content.size());
  std::vector<uint64_t> offsets;
  Opener from(kKey, content.size(), [&](uint64_t offset, char* buffer, size_t size) -> size_t {
    offsets.push_back(offset);
    std::memcpy(buffer, sealed.data() + offset, size);
    return size;
  });
  read(from, 2 * kBlockBytes - 1, 2);
  EXPECT_THAT(offsets,
              testing::ElementsAre(kBlockBytes + kTagBytes, 2 * (kBlockBytes + kTagBytes)));
}

TEST(Opener, RefusesEveryChange) {
  const std::string content = content_of(2 * kBlockBytes + 30);
  const std::string sealed = seal(kKey, content, content.size());
  auto refused = [&](const std::string& bytes, uint64_t size, const std::string& key) {
    return reason_of([&] { read(opener(key, bytes, size), 0, static_cast<size_t>(size)); }) ==
           Reason::kInternalError;
  };
  for (size_t at : {size_t{0}, size_t{1}, kBlockBytes - 1, kBlockBytes, kBlockBytes + kTagBytes - 1,
                    kBlockBytes + kTagBytes, sealed.size() - 20, sealed.size() - 1}) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_TRUE(refused(changed, content.size(), kKey)) << at;
  }
  std::string other_key = kKey;
  other_key[31] = 'K';
  EXPECT_TRUE(refused(sealed, content.size(), other_key));
  // Blocks changed about, cut at a block's end, cut inside, and a size that is not the stream's.
  constexpr size_t kSealed = kBlockBytes + kTagBytes;
  EXPECT_TRUE(refused(
      sealed.substr(kSealed, kSealed) + sealed.substr(0, kSealed) + sealed.substr(2 * kSealed),
      content.size(), kKey));
  EXPECT_TRUE(refused(sealed.substr(0, 2 * kSealed), 2 * kBlockBytes, kKey));
  EXPECT_TRUE(refused(sealed.substr(0, sealed.size() - 1), content.size(), kKey));
  EXPECT_TRUE(refused(sealed, content.size() - 1, kKey));
  EXPECT_TRUE(refused(sealed, content.size() + 1, kKey));
}

TEST(Opener, AHealthyBlockIsReadBesideADamagedOne) {
  const std::string content = content_of(3 * kBlockBytes);
  std::string sealed = seal(kKey, content, content.size());
  sealed[5] = static_cast<char>(sealed[5] ^ 4);
  EXPECT_EQ(read(opener(kKey, sealed, content.size()), kBlockBytes, 100),
            content.substr(kBlockBytes, 100));
}

TEST(Opener, ServesSeveralThreads) {
  const std::string content = content_of(3 * kBlockBytes + 5);
  const std::string sealed = seal(kKey, content, content.size());
  Opener from = opener(kKey, sealed, content.size());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 20; ++i) {
        size_t offset = (t * 7919 + i * 9973) % content.size();
        if (read(from, offset, 70000) == content.substr(offset, 70000)) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

TEST(MasterKeys, WrapsWithTheCurrentAndUnwrapsWithAnyKnown) {
  const std::string old_key(kKeyBytes, '1'), new_key(kKeyBytes, '2');
  std::string data = new_data_key();
  EXPECT_EQ(data.size(), kKeyBytes);
  EXPECT_NE(data, new_data_key());
  WrappedKey before = MasterKeys({{"2025", old_key}}, "2025").wrap(data);
  EXPECT_EQ(before.master_key, "2025");
  MasterKeys rotated({{"2025", old_key}, {"2026", new_key}}, "2026");
  EXPECT_EQ(rotated.unwrap(before), data);
  WrappedKey after = rotated.wrap(data);
  EXPECT_EQ(after.master_key, "2026");
  EXPECT_NE(after.bytes, rotated.wrap(data).bytes);
  EXPECT_EQ(rotated.unwrap(after), data);

  MasterKeys forgotten({{"2026", new_key}}, "2026");
  EXPECT_EQ(reason_of([&] { forgotten.unwrap(before); }), Reason::kInternalError);
  MasterKeys other({{"2025", new_key}}, "2025");
  EXPECT_EQ(reason_of([&] { other.unwrap(before); }), Reason::kInternalError);
  for (size_t at = 0; at < before.bytes.size(); ++at) {
    WrappedKey damaged = before;
    damaged.bytes[at] = static_cast<char>(damaged.bytes[at] ^ 0x80);
    EXPECT_EQ(reason_of([&] { rotated.unwrap(damaged); }), Reason::kInternalError) << at;
  }
  before.bytes.pop_back();
  EXPECT_EQ(reason_of([&] { rotated.unwrap(before); }), Reason::kInternalError);
}

TEST(MasterKeys, FindsTheKeyOfAnotherName) {
  const std::string old_key(kKeyBytes, '1'), new_key(kKeyBytes, '2');
  const std::string data = new_data_key();
  const WrappedKey by_hand = MasterKeys({{"1", old_key}}, "1").wrap(data);
  const MasterKeys keys({{master_key_id(old_key), old_key}, {master_key_id(new_key), new_key}},
                        master_key_id(new_key));
  EXPECT_EQ(keys.unwrap(by_hand), data);
  EXPECT_TRUE(keys.outdated(by_hand));
  const WrappedKey anew = keys.rewrap(by_hand);
  EXPECT_EQ(anew.master_key, master_key_id(new_key));
  EXPECT_FALSE(keys.outdated(anew));
  EXPECT_FALSE(keys.outdated(wrap_with_customer_key(data, old_key)));
  EXPECT_EQ(MasterKeys({{"x", new_key}}, "x").unwrap(anew), data);
}

TEST(MasterKeys, RefusesKeysThatCannotWork) {
  EXPECT_TRUE(MasterKeys().empty());
  EXPECT_EQ(reason_of([] { MasterKeys().wrap(new_data_key()); }), Reason::kInvalidRequest);
  auto problem = [](std::map<std::string, std::string> keys, const std::string& current) {
    try {
      MasterKeys made(std::move(keys), current);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kConfigInvalid);
      return e.message();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(problem({}, ""), "accepted");
  EXPECT_THAT(problem({{"a", "short secret"}}, "a"), HasSubstr("'a' has 12 bytes"));
  EXPECT_THAT(problem({{"a", "short secret"}}, "a"), testing::Not(HasSubstr("secret")));
  EXPECT_THAT(problem({{"a", kKey}}, "b"), HasSubstr("'b' is not among"));
  EXPECT_THAT(problem({{"a", kKey}}, ""), HasSubstr("'' is not among"));
  EXPECT_THAT(problem({{"", kKey}}, ""), HasSubstr("no name"));
}

TEST(CustomerKey, OpensOnlyWhatItWrapped) {
  std::string data = new_data_key();
  WrappedKey wrapped = wrap_with_customer_key(data, kKey);
  EXPECT_EQ(wrapped.master_key, "");
  EXPECT_EQ(unwrap_with_customer_key(wrapped, kKey), data);
  for (size_t at = 0; at < kKeyBytes; ++at) {
    std::string wrong = kKey;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_EQ(reason_of([&] { unwrap_with_customer_key(wrapped, wrong); }), Reason::kAccessDenied);
  }
  EXPECT_EQ(reason_of([&] { unwrap_with_customer_key(wrapped, ""); }), Reason::kAccessDenied);
  EXPECT_EQ(reason_of([&] { wrap_with_customer_key(data, "short"); }), Reason::kInvalidArgument);
  EXPECT_EQ(customer_key_md5("12345678901234567890123456789012"), "dnF5x6K/8ZZRzpfSlMMM+w==");
}

}  // namespace
}  // namespace meesh::objects
