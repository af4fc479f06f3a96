// Avro schemas of messages: what lake/avro.h leaves out because manifests have no need of it
// (logical types with their attributes, symbols, defaults, aliases, types of other schemas).
// Source: the Avro specification 1.12.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lake/avro.h"
#include "streams/decode/schema_registry.h"

namespace meesh::streams {

enum class AvroLogical {
  kNone,
  kDecimal,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,  // "local-timestamp-millis" as well
  kTimestampMicros,
  kTimestampNanos,
  kUuid,
};

struct AvroMember {
  std::string name;
  std::vector<std::string> aliases;
  int node = 0;
  std::optional<boost::json::value> otherwise;  // its default
};

/// One type. Others are named by their index in AvroMessageSchema::nodes.
struct AvroType {
  lake::AvroKind kind = lake::AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  int precision = 0, scale = 0;      // kDecimal
  size_t size = 0;                   // kFixed: bytes
  std::vector<std::string> symbols;  // kEnum
  std::vector<AvroMember> fields;    // kRecord
  std::vector<int> children;         // kArray: items; kMap: values; kUnion: branches
};

struct AvroMessageSchema {
  std::vector<AvroType> nodes;
  int root = 0;
  const AvroType& operator[](int node) const { return nodes[static_cast<size_t>(node)]; }
};

/// Throws CONFIG_INVALID. Logical types that are unknown or do not fit count as none, as the
/// specification has it.
AvroMessageSchema parse_avro_messages(const RegisteredSchema& schema);

/// A default of a schema in the binary encoding; of a union, its first branch's. Throws
/// CONFIG_INVALID if it is not of that type.
std::string encode_default(const AvroMessageSchema& schema, int node,
                           const boost::json::value& value);

/// The columns of a record's fields. Throws CONFIG_INVALID for other schemas.
std::vector<ColumnConfig> columns_of_avro(const RegisteredSchema& schema);

}  // namespace meesh::streams
