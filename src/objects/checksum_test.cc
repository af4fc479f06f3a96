#include "objects/checksum.h"

#include <gmock/gmock.h>

#include <random>

#include "base/text.h"
#include "objects/crc.h"

namespace meesh::objects {
namespace {

std::string checksum_of(ChecksumKind kind, std::string_view bytes) {
  auto running = Checksum::start(kind);
  running->update(bytes);
  return running->raw();
}

std::string random_bytes(size_t size, uint32_t seed) {
  std::mt19937 generator(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(generator());
  return out;
}

struct Known {
  ChecksumKind kind;
  const char* text;
  const char* hex;
};
// The check values of the catalogue of parametrised CRC algorithms, RFC 3720 (B.4) and FIPS 180.
const Known kKnown[] = {
    {ChecksumKind::kCrc32, "123456789", "cbf43926"},
    {ChecksumKind::kCrc32c, "123456789", "e3069283"},
    {ChecksumKind::kCrc64Nvme, "123456789", "ae8b14860a799888"},
    {ChecksumKind::kSha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {ChecksumKind::kSha256, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {ChecksumKind::kCrc32, "", "00000000"},
    {ChecksumKind::kCrc64Nvme, "", "0000000000000000"},
    {ChecksumKind::kSha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};

TEST(Checksum, KnownAnswers) {
  for (const Known& known : kKnown) {
    EXPECT_EQ(base::to_hex(checksum_of(known.kind, known.text)), known.hex) << known.text;
  }
  EXPECT_EQ(base::to_hex(checksum_of(ChecksumKind::kCrc32c, std::string(32, '\0'))), "8a9136aa");
  EXPECT_EQ(base::to_hex(checksum_of(ChecksumKind::kCrc32c, std::string(32, '\xFF'))), "62a8ab43");
  // NVM Express NVM Command Set 1.0, 5.2.1.3.5: 4 KiB of zeros and of ones.
  EXPECT_EQ(base::to_hex(checksum_of(ChecksumKind::kCrc64Nvme, std::string(4096, '\0'))),
            "6482d367eb22b64e");
  EXPECT_EQ(base::to_hex(checksum_of(ChecksumKind::kCrc64Nvme, std::string(4096, '\xFF'))),
            "c0ddba7302eca3ac");
}

// Against the plainest possible computation, one bit at a time.
uint64_t bit_by_bit(CrcKind kind, std::string_view bytes) {
  uint64_t polynomial = kind == CrcKind::kCrc32    ? 0xEDB88320
                        : kind == CrcKind::kCrc32c ? 0x82F63B78
                                                   : 0x9A6C9329AC4BC9B5;
  uint64_t ones = kind == CrcKind::kCrc64Nvme ? ~uint64_t{0} : 0xFFFFFFFF;
  uint64_t state = ones;
  for (char c : bytes) {
    state ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) state = (state >> 1) ^ ((state & 1) != 0 ? polynomial : 0);
  }
  return state ^ ones;
}

TEST(Crc, EveryLengthAndAlignmentAgrees) {
  const std::string bytes = random_bytes(2000, 1);
  for (CrcKind kind : {CrcKind::kCrc32, CrcKind::kCrc32c, CrcKind::kCrc64Nvme}) {
    for (size_t size : {0,   1,   7,   8,   9,   63,  64,  127, 128,  129,
                        143, 144, 191, 192, 193, 255, 256, 511, 1000, 1984}) {
      for (size_t from = 0; from < 16; ++from) {
        std::string_view piece = std::string_view(bytes).substr(from, size);
        uint64_t right = bit_by_bit(kind, piece);
        ASSERT_EQ(crc_update(kind, 0, piece), right) << size << " at " << from;
        ASSERT_EQ(crc_update_by_tables(kind, 0, piece), right) << size << " at " << from;
      }
    }
  }
}

TEST(Crc, ContinuesAtAnyPlace) {
  const std::string bytes = random_bytes(600, 2);
  for (CrcKind kind : {CrcKind::kCrc32, CrcKind::kCrc32c, CrcKind::kCrc64Nvme}) {
    uint64_t whole = crc_update(kind, 0, bytes);
    for (size_t at = 0; at <= bytes.size(); ++at) {
      uint64_t first = crc_update(kind, 0, std::string_view(bytes).substr(0, at));
      ASSERT_EQ(crc_update(kind, first, std::string_view(bytes).substr(at)), whole) << at;
    }
  }
}

TEST(Checksum, CombinesCrcsOfParts) {
  const std::string bytes = random_bytes(5000, 3);
  for (ChecksumKind kind :
       {ChecksumKind::kCrc32, ChecksumKind::kCrc32c, ChecksumKind::kCrc64Nvme}) {
    for (size_t at : {size_t{0}, size_t{1}, size_t{63}, size_t{2048}, bytes.size()}) {
      std::string a = checksum_of(kind, bytes.substr(0, at));
      std::string b = checksum_of(kind, bytes.substr(at));
      EXPECT_EQ(combine_crc(kind, a, b, bytes.size() - at), checksum_of(kind, bytes)) << at;
    }
  }
}

TEST(Checksum, CombinesOverLengthsNobodyCouldRead) {
  // Zeros are the same wherever they are cut: 2^40 of them in one step or in two.
  constexpr uint64_t kLength = uint64_t{1} << 40;
  for (CrcKind kind : {CrcKind::kCrc32, CrcKind::kCrc32c, CrcKind::kCrc64Nvme}) {
    uint64_t crc = crc_update(kind, 0, std::string(1, '\0'));
    for (int i = 0; i < 39; ++i) crc = crc_combine(kind, crc, crc, uint64_t{1} << i);
    uint64_t half = crc;
    uint64_t whole = crc_combine(kind, half, half, kLength / 2);
    uint64_t one_less = crc_combine(kind, half, half, kLength / 2 - 1);
    EXPECT_NE(whole, one_less);
    uint64_t text = crc_update(kind, 0, "text");
    EXPECT_EQ(crc_combine(kind, crc_combine(kind, text, half, kLength / 2), half, kLength / 2),
              crc_combine(kind, text, whole, kLength));
  }
}

TEST(Checksum, NamesAndHeaders) {
  for (ChecksumKind kind : kChecksumKinds) {
    EXPECT_EQ(checksum_kind(checksum_name(kind)), kind);
    EXPECT_EQ(checksum_kind_of_header(checksum_header(kind)), kind);
  }
  EXPECT_EQ(checksum_kind("crc64nvme"), ChecksumKind::kCrc64Nvme);
  EXPECT_EQ(checksum_kind_of_header("X-Amz-Checksum-SHA256"), ChecksumKind::kSha256);
  EXPECT_FALSE(checksum_kind("MD5"));
  EXPECT_FALSE(checksum_kind(""));
  EXPECT_FALSE(checksum_kind_of_header("x-amz-checksum-type"));
  EXPECT_TRUE(has_full_object_form(ChecksumKind::kCrc32c));
  EXPECT_FALSE(has_full_object_form(ChecksumKind::kSha256));
}

}  // namespace
}  // namespace meesh::objects
