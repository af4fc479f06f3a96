// Avro's object container files: header, packed blocks, sync markers.
#include <fmt/format.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <random>

#include "base/error.h"
#include "lake/avro.h"

namespace meesh::lake {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kSyncSize = 16;
constexpr size_t kBlockSize = 64000;  // bytes before packing, as Java's writer
constexpr size_t kMaxHeaderKeys = 1000;

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, std::move(message));
}

std::string_view codec_name(AvroCodec codec) {
  switch (codec) {
    case AvroCodec::kNull:
      return "null";
    case AvroCodec::kDeflate:
      return "deflate";
    case AvroCodec::kSnappy:
      return "snappy";
    case AvroCodec::kZstandard:
      return "zstandard";
  }
  internal_error("an Avro codec without a name");
}

AvroCodec codec_by_name(std::string_view name) {
  for (AvroCodec codec :
       {AvroCodec::kNull, AvroCodec::kDeflate, AvroCodec::kSnappy, AvroCodec::kZstandard}) {
    if (codec_name(codec) == name) return codec;
  }
  throw Error(Code::kNotSupported, fmt::format("Avro codec '{}' cannot be read", name))
      .with_hint("write it with null, deflate, snappy or zstandard");
}

Bytef* zlib_bytes(const char* bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes));  // NOLINT: zlib's old signature
}

/// Bytes of room for output that is not known beforehand; never more than the limit allows.
void grow(std::string& out, size_t limit) {
  if (out.size() >= limit) fail(fmt::format("unpacked, it has more than {} bytes", limit));
  out.resize(std::min(limit, std::max<size_t>(out.size() * 2, 1 << 16)));
}

void inflate_raw(std::string_view packed, std::string& out, size_t limit) {
  if (packed.size() > std::numeric_limits<uInt>::max()) fail("an Avro block is too long");
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) internal_error("inflateInit2");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = zlib_bytes(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  out.resize(std::min(limit, std::max(out.capacity(), packed.size() * 4)));
  size_t filled = 0;
  for (;;) {
    if (filled == out.size()) grow(out, limit);
    const size_t room = std::min<size_t>(out.size() - filled, std::numeric_limits<uInt>::max());
    stream.next_out = zlib_bytes(out.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    filled += room - stream.avail_out;
    if (result == Z_STREAM_END) break;
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      fail("an Avro block is no good deflate data");
    }
  }
  out.resize(filled);
}

void unpack_zstandard(std::string_view packed, std::string& out, size_t limit) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   ZSTD_freeDCtx);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  out.resize(std::min(limit, std::max(out.capacity(), packed.size() * 4)));
  size_t filled = 0;
  size_t left = 1;
  while (in.pos < in.size || left != 0) {
    if (filled == out.size()) grow(out, limit);
    ZSTD_outBuffer piece{out.data() + filled, out.size() - filled, 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &piece, &in);
    if (ZSTD_isError(left) != 0) {
      fail(fmt::format("an Avro block is no good zstd data: {}", ZSTD_getErrorName(left)));
    }
    filled += piece.pos;
    if (left == 0 && in.pos == in.size) break;
    if (piece.pos == 0 && in.pos == before) fail("an Avro block's zstd data is cut short");
  }
  out.resize(filled);
}

/// Snappy's raw form, then the big-endian CRC-32 of what was packed.
void unpack_snappy(std::string_view packed, std::string& out, size_t limit) {
  constexpr size_t kCrcSize = 4;
  size_t size = 0;
  if (packed.size() < kCrcSize ||
      !snappy::GetUncompressedLength(packed.data(), packed.size() - kCrcSize, &size)) {
    fail("an Avro block is no good snappy data");
  }
  if (size > limit) fail(fmt::format("unpacked, it has more than {} bytes", limit));
  out.resize(size);
  if (!snappy::RawUncompress(packed.data(), packed.size() - kCrcSize, out.data())) {
    fail("an Avro block is no good snappy data");
  }
  uint32_t wanted = 0;
  for (const char byte : packed.substr(packed.size() - kCrcSize)) {
    wanted = wanted << 8 | static_cast<uint8_t>(byte);
  }
  if (crc32_z(0, zlib_bytes(out.data()), out.size()) != wanted) {
    fail("an Avro block has another checksum than its bytes");
  }
}

std::string deflate_raw(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    internal_error("deflateInit2");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = zlib_bytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = zlib_bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) internal_error("deflate");
  out.resize(stream.total_out);
  return out;
}

std::string pack_snappy(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  const auto crc = static_cast<uint32_t>(crc32_z(0, zlib_bytes(bytes.data()), bytes.size()));
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift));
  return out;
}

std::string pack_zstandard(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  if (ZSTD_isError(size) != 0) internal_error(ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace

AvroReader::AvroReader(std::string_view file, AvroLimits limits) : file_(file), limits_(limits) {
  if (!file.starts_with(kMagic))
    fail("it is no Avro file: the first four bytes are not \"Obj\\1\"");
  AvroCursor cursor(file.substr(kMagic.size()));
  while (const int64_t count = cursor.read_block()) {
    for (int64_t i = 0; i < count; ++i) {
      const std::string_view key = cursor.read_bytes();
      const std::string_view value = cursor.read_bytes();
      if (header_.size() >= kMaxHeaderKeys || key.size() > limits.header ||
          value.size() > limits.header) {
        fail("its Avro header is too long");
      }
      header_.emplace_back(key, value);
    }
  }
  sync_ = cursor.read_fixed(kSyncSize);
  at_ = file.size() - cursor.remaining();
  const std::string* schema = find("avro.schema");
  if (schema == nullptr) fail("its Avro header has no avro.schema");
  schema_ = parse_avro_schema(*schema);
  if (const std::string* codec = find("avro.codec")) codec_ = codec_by_name(*codec);
}

const std::string* AvroReader::find(std::string_view key) const {
  for (const auto& [name, value] : header_) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool AvroReader::next(Block& block) {
  AvroCursor cursor(file_.substr(at_));
  if (cursor.done()) return false;
  block.records = cursor.read_long();
  const std::string_view packed = cursor.read_bytes();
  if (cursor.read_fixed(kSyncSize) != sync_) {
    fail(fmt::format("the sync marker after the Avro block at byte {} is wrong", at_));
  }
  at_ = file_.size() - cursor.remaining();
  if (codec_ == AvroCodec::kNull) {
    block.bytes = packed;
  } else {
    unpack(packed);
    block.bytes = unpacked_;
  }
  unpacked_total_ += block.bytes.size();
  // A record has at least one byte: what we read has required fields.
  if (block.records < 0 || static_cast<uint64_t>(block.records) > block.bytes.size()) {
    fail(
        fmt::format("an Avro block of {} records has {} bytes", block.records, block.bytes.size()));
  }
  return true;
}

void AvroReader::unpack(std::string_view packed) {
  const size_t limit = limits_.unpacked - std::min(limits_.unpacked, unpacked_total_);
  if (codec_ == AvroCodec::kDeflate) return inflate_raw(packed, unpacked_, limit);
  if (codec_ == AvroCodec::kSnappy) return unpack_snappy(packed, unpacked_, limit);
  unpack_zstandard(packed, unpacked_, limit);
}

AvroWriter::AvroWriter(std::string_view schema, const AvroHeader& header, AvroCodec codec)
    : codec_(codec), file_(kMagic) {
  std::random_device random;
  for (char& byte : sync_) byte = static_cast<char>(random());
  AvroEncoder out(file_);
  out.put_long(static_cast<int64_t>(header.size()) + 2);
  out.put_bytes("avro.schema");
  out.put_bytes(schema);
  out.put_bytes("avro.codec");
  out.put_bytes(codec_name(codec));
  for (const auto& [key, value] : header) {
    out.put_bytes(key);
    out.put_bytes(value);
  }
  out.put_long(0);
  file_.append(sync_.data(), sync_.size());
}

void AvroWriter::end_record() {
  ++records_;
  if (block_.size() >= kBlockSize) end_block();
}

void AvroWriter::end_block() {
  if (records_ == 0) return;
  AvroEncoder out(file_);
  out.put_long(records_);
  switch (codec_) {
    case AvroCodec::kNull:
      out.put_bytes(block_);
      break;
    case AvroCodec::kDeflate:
      out.put_bytes(deflate_raw(block_));
      break;
    case AvroCodec::kSnappy:
      out.put_bytes(pack_snappy(block_));
      break;
    case AvroCodec::kZstandard:
      out.put_bytes(pack_zstandard(block_));
      break;
  }
  file_.append(sync_.data(), sync_.size());
  block_.clear();
  records_ = 0;
}

std::string AvroWriter::finish() {
  end_block();
  return std::move(file_);
}

}  // namespace meesh::lake
