#include "lake/avro.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace meesh::lake {
namespace {

constexpr int kMaxDepth = 64;

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, std::move(message));
}

[[noreturn]] void cut_short() { fail("the Avro data is cut short"); }

// Avro is little-endian, and so is every machine this is built for.
static_assert(std::endian::native == std::endian::little);

}  // namespace

int64_t AvroCursor::read_long_slowly() {
  uint64_t bits = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) cut_short();
    const uint64_t byte = *at_++;
    // The tenth byte has room for one bit.
    if (shift == 63 && (byte & 0x7F) > 1) break;
    bits |= (byte & 0x7F) << shift;
    if (byte < 0x80) return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
  }
  fail("an Avro number has more than 64 bits");
}

int AvroCursor::read_int() {
  const int64_t value = read_long();
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    fail(fmt::format("{} does not fit in an Avro int", value));
  }
  return static_cast<int>(value);
}

bool AvroCursor::read_boolean() {
  if (at_ == end_) cut_short();
  const uint8_t byte = *at_++;
  if (byte > 1) fail(fmt::format("{} is no Avro boolean", byte));
  return byte == 1;
}

float AvroCursor::read_float() {
  float value = 0;
  std::memcpy(&value, read_fixed(sizeof value).data(), sizeof value);
  return value;
}

double AvroCursor::read_double() {
  double value = 0;
  std::memcpy(&value, read_fixed(sizeof value).data(), sizeof value);
  return value;
}

std::string_view AvroCursor::read_bytes() {
  const int64_t size = read_long();
  if (size < 0) fail(fmt::format("{} is no length of Avro bytes", size));
  return read_fixed(static_cast<size_t>(size));
}

std::string_view AvroCursor::read_fixed(size_t size) {
  if (size > remaining()) cut_short();
  const std::string_view bytes(position(), size);
  at_ += size;
  return bytes;
}

int64_t AvroCursor::read_block() {
  int64_t count = read_long();
  if (count < 0) {
    if (count == std::numeric_limits<int64_t>::min()) fail("an Avro block has too many items");
    count = -count;
    const int64_t size = read_long();
    if (size < 0 || static_cast<uint64_t>(size) > remaining()) cut_short();
  }
  // Items of no bytes (null) would allow any number; Iceberg has none.
  if (static_cast<uint64_t>(count) > remaining()) {
    fail(fmt::format("an Avro block of {} items has only {} bytes", count, remaining()));
  }
  return count;
}

int AvroCursor::read_branch(size_t count) {
  const int64_t branch = read_long();
  if (branch < 0 || static_cast<uint64_t>(branch) >= count) {
    fail(fmt::format("branch {} of an Avro union of {}", branch, count));
  }
  return static_cast<int>(branch);
}

void AvroCursor::skip(const AvroSchema& schema, int node, int depth) {
  if (depth > kMaxDepth) fail("the Avro data is nested too deeply");
  if (skips_ == 0) fail("the Avro data has too many values without bytes");
  --skips_;
  const AvroNode& type = schema[node];
  switch (type.kind) {
    case AvroKind::kNull:
      return;
    case AvroKind::kBoolean:
      read_fixed(1);
      return;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      read_long();
      return;
    case AvroKind::kFloat:
      read_fixed(4);
      return;
    case AvroKind::kDouble:
      read_fixed(8);
      return;
    case AvroKind::kBytes:
    case AvroKind::kString:
      read_bytes();
      return;
    case AvroKind::kFixed:
      read_fixed(type.size);
      return;
    case AvroKind::kRecord:
      for (const AvroField& field : type.fields) skip(schema, field.node, depth + 1);
      return;
    case AvroKind::kArray:
    case AvroKind::kMap:
      while (const int64_t count = read_block()) {
        for (int64_t i = 0; i < count; ++i) {
          // Each step must eat a byte, else a small file could keep us busy for long.
          const size_t before = remaining();
          if (type.kind == AvroKind::kMap) read_bytes();
          skip(schema, type.children[0], depth + 1);
          if (remaining() == before) fail("an Avro array's items have no bytes");
        }
      }
      return;
    case AvroKind::kUnion:
      skip(schema, type.children[static_cast<size_t>(read_branch(type.children.size()))],
           depth + 1);
      return;
  }
}

void AvroEncoder::put_long(int64_t value) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; bits >= 0x80; bits >>= 7) out_->push_back(static_cast<char>((bits & 0x7F) | 0x80));
  out_->push_back(static_cast<char>(bits));
}

void AvroEncoder::put_float(float value) {
  std::array<char, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  out_->append(bytes.data(), bytes.size());
}

void AvroEncoder::put_double(double value) {
  std::array<char, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  out_->append(bytes.data(), bytes.size());
}

void AvroEncoder::put_bytes(std::string_view value) {
  put_long(static_cast<int64_t>(value.size()));
  out_->append(value);
}

}  // namespace meesh::lake
