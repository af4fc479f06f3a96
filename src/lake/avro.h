// Apache Avro, as far as Iceberg's manifests need it: object container files, schemas with
// Iceberg's field ids, and the binary encoding. Sources: the Avro specification 1.11 and the
// Iceberg table spec, appendix A.
//
// Pure functions over bytes. Whatever is wrong with them is Error(kIcebergInvalidMetadata) that
// does not know the file's name: callers prefix it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lake/types.h"

namespace meesh::lake {

// --- Schemas -------------------------------------------------------------------------------------

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion,
};

struct AvroField {
  std::string name;  // "iceberg-field-name" where a name had to be changed for Avro
  int id = -1;       // "field-id"; -1 without one
  int node = 0;
};

/// One type of a schema. Others are named by their index in AvroSchema::nodes, so that a type may
/// stand in many places, or inside itself.
struct AvroNode {
  AvroKind kind = AvroKind::kNull;
  size_t size = 0;                // kFixed: bytes
  std::string logical;            // "logicalType", e.g. "decimal"; "" without one
  std::vector<AvroField> fields;  // kRecord
  std::vector<int> children;      // kArray: items; kMap: values; kUnion: branches
};

struct AvroSchema {
  std::vector<AvroNode> nodes;
  int root = 0;

  const AvroNode& operator[](int node) const { return nodes[static_cast<size_t>(node)]; }
};

AvroSchema parse_avro_schema(std::string_view json);

/// The Avro schema of an Iceberg struct, as JSON with Iceberg's attributes: the outer record is
/// called `name`, inner ones "r<field id>"; optional is ["null", …] with default null; maps with
/// other keys than strings are arrays of key-value records.
std::string avro_schema_json(const std::vector<Field>& fields, std::string_view name);

/// A name as Avro allows it: [A-Za-z_][A-Za-z0-9_]*. As Java's Iceberg: a digit in front gets "_",
/// other characters become "_x" and their UTF-16 code in hex ("a b" is "a_x20b").
std::string avro_name(std::string_view name);

/// How many bytes the fixed of a decimal of this precision has.
int decimal_bytes(int precision);

// --- Values --------------------------------------------------------------------------------------

/// Reads the binary encoding; never past the end.
class AvroCursor {
 public:
  explicit AvroCursor(std::string_view bytes)
      : at_(reinterpret_cast<const uint8_t*>(bytes.data())),
        end_(at_ + bytes.size()),
        skips_(bytes.size() * 8 + 100'000) {}

  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  bool done() const { return at_ == end_; }
  const char* position() const { return reinterpret_cast<const char*>(at_); }

  /// int and long.
  int64_t read_long() {
    if (at_ != end_ && *at_ < 0x80) {
      const uint64_t byte = *at_++;
      return static_cast<int64_t>(byte >> 1) ^ -static_cast<int64_t>(byte & 1);
    }
    return read_long_slowly();
  }
  /// An error where it does not fit in 32 bits.
  int read_int();
  bool read_boolean();
  float read_float();
  double read_double();
  /// bytes and string; good as long as what is read from.
  std::string_view read_bytes();
  std::string_view read_fixed(size_t size);

  /// The number of items in an array's or map's next block, 0 at its end; never more than there
  /// are bytes left. The block's size, if it is given, is passed over.
  int64_t read_block();
  /// The branch of a union of `count`.
  int read_branch(size_t count);
  /// Passes over a value.
  void skip(const AvroSchema& schema, int node, int depth = 0);

 private:
  int64_t read_long_slowly();

  const uint8_t* at_;
  const uint8_t* end_;
  /// How many values may still be passed over: records of records of nothing would have no end.
  size_t skips_;
};

/// Appends the binary encoding to a string that outlives it.
class AvroEncoder {
 public:
  explicit AvroEncoder(std::string& out) : out_(&out) {}

  void put_long(int64_t value);
  void put_boolean(bool value) { out_->push_back(value ? '\1' : '\0'); }
  void put_float(float value);
  void put_double(double value);
  void put_bytes(std::string_view value);
  void put_fixed(std::string_view value) { out_->append(value); }
  /// Which branch of ["null", …] follows.
  void put_null() { out_->push_back('\0'); }
  void put_present() { out_->push_back('\2'); }

 private:
  std::string* out_;
};

// --- Object container files ----------------------------------------------------------------------

enum class AvroCodec { kNull, kDeflate, kSnappy, kZstandard };

struct AvroLimits {
  size_t unpacked = size_t{1} << 30;  // bytes of all blocks together
  size_t header = size_t{64} << 20;   // bytes of one key or value of the header
};

/// Keys and values of a header, in their order.
using AvroHeader = std::vector<std::pair<std::string, std::string>>;

/// Reads one file; the bytes must outlive it.
class AvroReader {
 public:
  explicit AvroReader(std::string_view file, AvroLimits limits = {});

  const AvroSchema& schema() const { return schema_; }
  const AvroHeader& header() const { return header_; }
  /// Null without that key.
  const std::string* find(std::string_view key) const;

  struct Block {
    int64_t records = 0;
    std::string_view bytes;  // good until the next call
  };
  /// False at the end of the file.
  bool next(Block& block);

 private:
  void unpack(std::string_view packed);

  std::string_view file_;
  size_t at_ = 0;
  AvroLimits limits_;
  AvroHeader header_;
  AvroSchema schema_;
  AvroCodec codec_ = AvroCodec::kNull;
  std::string_view sync_;
  std::string unpacked_;
  size_t unpacked_total_ = 0;
};

/// Writes one file: encode a record with encoder(), then end_record().
class AvroWriter {
 public:
  /// `schema` is Avro's JSON. `header` comes after avro.schema and avro.codec.
  AvroWriter(std::string_view schema, const AvroHeader& header,
             AvroCodec codec = AvroCodec::kDeflate);

  AvroEncoder encoder() { return AvroEncoder(block_); }
  void end_record();
  /// The whole file; nothing may follow.
  std::string finish();

 private:
  void end_block();

  AvroCodec codec_;
  std::array<char, 16> sync_;
  std::string file_;
  std::string block_;
  int64_t records_ = 0;
};

}  // namespace meesh::lake
