// Protobuf schemas of messages, read when they are met: from .proto text, or from a registry, which
// may hold text or a FileDescriptorProto in base64.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/decode/schema_registry.h"

namespace meesh::streams {

/// One schema with all it imports. The descriptors live as long as it does. It may import
/// google/protobuf/*.proto, confluent/meta.proto and confluent/type/decimal.proto without having
/// them.
class ProtobufSchema {
 public:
  /// Throws CONFIG_INVALID with the line of a mistake.
  explicit ProtobufSchema(const RegisteredSchema& schema);

  const google::protobuf::FileDescriptor& file() const { return *file_; }
  /// By its full name; "" is the file's first. Throws CONFIG_INVALID that names those there are.
  const google::protobuf::Descriptor& message(const std::string& name) const;
  /// By Confluent's indexes: of the file, then of the messages inside. Null if there is none.
  const google::protobuf::Descriptor* message(const std::vector<int64_t>& indexes) const;
  /// An empty message; good as long as the schema.
  std::unique_ptr<google::protobuf::Message> make(const google::protobuf::Descriptor& type) const;

 private:
  google::protobuf::SimpleDescriptorDatabase own_;
  std::unique_ptr<google::protobuf::DescriptorDatabase> known_, all_;
  std::unique_ptr<google::protobuf::DescriptorPool::ErrorCollector> errors_;
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  std::unique_ptr<google::protobuf::DynamicMessageFactory> factory_;
  const google::protobuf::FileDescriptor* file_ = nullptr;
};

/// What a message type stands for, beside its fields.
enum class ProtobufMeaning {
  kMessage,
  kTimestamp,  // google.protobuf.Timestamp
  kWrapper,    // google.protobuf.StringValue, …: its field `value`, or null
  kDecimal,    // confluent.type.Decimal
  kDuration,   // google.protobuf.Duration
  kJson,       // google.protobuf.Struct, Value, ListValue, Any, FieldMask
};
ProtobufMeaning meaning_of(const google::protobuf::Descriptor& type);

/// Throws CONFIG_INVALID.
std::vector<ColumnConfig> columns_of_protobuf(const RegisteredSchema& schema,
                                              const std::string& message);

}  // namespace meesh::streams
