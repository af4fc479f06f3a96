#include "streams/decode/protobuf_schema.h"

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <mutex>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "streams/decode/member_tree.h"

namespace meesh::streams {
namespace {

namespace pb = google::protobuf;

constexpr const char* kMainFile = "message.proto";

// What Confluent's serializers know without being told; from its documentation.
constexpr std::pair<const char*, const char*> kConfluentFiles[] = {
    {"confluent/meta.proto",
     R"(syntax = "proto3"; package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; })"},
    {"confluent/type/decimal.proto",
     R"(syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; })"},
};

[[noreturn]] void fail(const std::string& message) {
  throw Error(Code::kConfigInvalid, "the Protobuf schema is wrong: " + message);
}

/// Keeps the first mistake.
class Mistakes : public pb::io::ErrorCollector, public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    keep(fmt::format("line {}:{}: {}", line + 1, column + 1, message));
  }
  void AddError(const std::string& file, const std::string& element, const pb::Message*,
                ErrorLocation, const std::string& message) override {
    keep(fmt::format("{}: {}: {}", file, element, message));
  }
  void AddWarning(int, int, const std::string&) override {}
  void AddWarning(const std::string&, const std::string&, const pb::Message*, ErrorLocation,
                  const std::string&) override {}
  const std::string& first() const { return first_; }

 private:
  void keep(std::string text) {
    if (first_.empty()) first_ = std::move(text);
  }
  std::string first_;
};

bool parse_text(const std::string& text, pb::FileDescriptorProto& out, Mistakes& mistakes) {
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokenizer(&stream, &mistakes);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&mistakes);
  return parser.Parse(&tokenizer, &out) && mistakes.first().empty();
}

/// A file of a schema from its text, or from its descriptor in base64, as the registries of some
/// clients hold it.
pb::FileDescriptorProto read_file(const std::string& name, const std::string& text) {
  pb::FileDescriptorProto file;
  if (const auto bytes = base::from_base64(text);
      bytes && !text.empty() && file.ParseFromString(*bytes) && file.message_type_size() > 0) {
    file.set_name(name);
    return file;
  }
  file.Clear();
  Mistakes mistakes;
  if (!parse_text(text, file, mistakes))
    fail((name == kMainFile ? "" : name + ": ") + mistakes.first());
  file.set_name(name);
  return file;
}

/// The library writes to stderr what we tell in `wrong`.
void quiet() {
  static std::once_flag once;
  std::call_once(once, [] { pb::SetLogHandler(nullptr); });
}

void collect_names(const pb::Descriptor& type, std::vector<std::string>& names) {
  if (type.options().map_entry()) return;
  names.push_back(type.full_name());
  for (int i = 0; i < type.nested_type_count(); ++i) collect_names(*type.nested_type(i), names);
}

/// Serializers that go by descriptors (Python, Go) count the types of map entries along with nested
/// messages, those that go by the .proto (Java) do not. An entry is never what is meant.
const pb::Descriptor* nested_at(const pb::Descriptor& type, int64_t index) {
  if (index < 0 || index >= type.nested_type_count()) return nullptr;
  const auto* found = type.nested_type(static_cast<int>(index));
  if (!found->options().map_entry()) return found;
  for (int i = 0; i < type.nested_type_count(); ++i) {
    if (type.nested_type(i)->options().map_entry()) continue;
    if (index-- == 0) return type.nested_type(i);
  }
  return nullptr;
}

/// SQL's type of a field; messages inside themselves are json.
class TypeReader {
 public:
  sql::Type of(const pb::FieldDescriptor& field) {
    if (field.is_map()) {
      const auto& entry = *field.message_type();
      return sql::Type::map(of_one(*entry.map_key()), of_one(*entry.map_value()));
    }
    sql::Type one = of_one(field);
    return field.is_repeated() ? sql::Type::array(std::move(one)) : one;
  }

 private:
  sql::Type of_one(const pb::FieldDescriptor& field) {
    using sql::Type, sql::TypeKind;
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_INT32:
        return Type::of(TypeKind::kInteger);
      case pb::FieldDescriptor::CPPTYPE_INT64:
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        return Type::of(TypeKind::kBigint);
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        return Type::decimal(20, 0);
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        return Type::of(TypeKind::kDouble);
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        return Type::of(TypeKind::kReal);
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return Type::of(TypeKind::kBoolean);
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        return Type::varchar();
      case pb::FieldDescriptor::CPPTYPE_STRING:
        return field.type() == pb::FieldDescriptor::TYPE_BYTES ? Type::of(TypeKind::kVarbinary)
                                                               : Type::varchar();
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return of_message(*field.message_type());
    }
    return Type::varchar();
  }

  sql::Type of_message(const pb::Descriptor& type) {
    using sql::Type, sql::TypeKind;
    switch (meaning_of(type)) {
      case ProtobufMeaning::kTimestamp:
        return Type::of(TypeKind::kTimestamp, 6);
      case ProtobufMeaning::kWrapper:
        return of_one(*type.field(0));
      case ProtobufMeaning::kDecimal:  // the scale stands in each message
      case ProtobufMeaning::kDuration:
        return Type::varchar();
      case ProtobufMeaning::kJson:
        return Type::of(TypeKind::kJson);
      case ProtobufMeaning::kMessage:
        break;
    }
    if (type.field_count() == 0 || !inside_.insert(&type).second) return Type::of(TypeKind::kJson);
    std::vector<std::string> names;
    std::vector<Type> types;
    for (int i = 0; i < type.field_count(); ++i) {
      names.push_back(type.field(i)->name());
      types.push_back(of(*type.field(i)));
    }
    inside_.erase(&type);
    return Type::row(std::move(names), std::move(types));
  }

  std::set<const pb::Descriptor*> inside_;
};

}  // namespace

ProtobufSchema::ProtobufSchema(const RegisteredSchema& schema) {
  quiet();
  if (schema.type != "PROTOBUF")
    throw Error(Code::kConfigInvalid, fmt::format("the schema is {}, not Protobuf", schema.type));
  for (const auto& [name, text] : schema.references) own_.Add(read_file(name, text));
  for (const auto& [name, text] : kConfluentFiles) {
    pb::FileDescriptorProto ignored;
    if (!own_.FindFileByName(name, &ignored)) own_.Add(read_file(name, text));
  }
  own_.Add(read_file(kMainFile, schema.text));
  // The files of the well-known types are in the library only if something of them is used.
  for (const auto* type :
       {pb::Timestamp::descriptor(), pb::Duration::descriptor(), pb::Struct::descriptor(),
        pb::Any::descriptor(), pb::FieldMask::descriptor(), pb::StringValue::descriptor()})
    if (type == nullptr) internal_error("Protobuf's own types are missing");
  known_ = std::make_unique<pb::DescriptorPoolDatabase>(*pb::DescriptorPool::generated_pool());
  all_ = std::make_unique<pb::MergedDescriptorDatabase>(&own_, known_.get());
  auto mistakes = std::make_unique<Mistakes>();
  const Mistakes& found = *mistakes;
  errors_ = std::move(mistakes);
  pool_ = std::make_unique<pb::DescriptorPool>(all_.get(), errors_.get());
  file_ = pool_->FindFileByName(kMainFile);
  if (!file_) fail(found.first().empty() ? "it cannot be read" : found.first());
  factory_ = std::make_unique<pb::DynamicMessageFactory>(pool_.get());
}

const pb::Descriptor& ProtobufSchema::message(const std::string& name) const {
  if (file_->message_type_count() == 0) fail("it has no message");
  if (name.empty()) return *file_->message_type(0);
  if (const auto* found = pool_->FindMessageTypeByName(name)) return *found;
  std::vector<std::string> names;
  for (int i = 0; i < file_->message_type_count(); ++i)
    collect_names(*file_->message_type(i), names);
  throw Error(Code::kConfigInvalid, fmt::format("the Protobuf schema has no message '{}'", name))
      .with_hint(base::did_you_mean(name, names, "it has"));
}

const pb::Descriptor* ProtobufSchema::message(const std::vector<int64_t>& indexes) const {
  const pb::Descriptor* type = nullptr;
  for (const int64_t index : indexes) {
    if (!type) {
      if (index < 0 || index >= file_->message_type_count()) return nullptr;
      type = file_->message_type(static_cast<int>(index));
    } else if (!(type = nested_at(*type, index))) {
      return nullptr;
    }
  }
  return type;
}

std::unique_ptr<pb::Message> ProtobufSchema::make(const pb::Descriptor& type) const {
  return std::unique_ptr<pb::Message>(factory_->GetPrototype(&type)->New());
}

ProtobufMeaning meaning_of(const pb::Descriptor& type) {
  const std::string& name = type.full_name();
  if (name == "confluent.type.Decimal") return ProtobufMeaning::kDecimal;
  if (!name.starts_with("google.protobuf.")) return ProtobufMeaning::kMessage;
  const std::string_view own = std::string_view(name).substr(16);
  if (own == "Timestamp") return ProtobufMeaning::kTimestamp;
  if (own == "Duration") return ProtobufMeaning::kDuration;
  for (const char* json : {"Struct", "Value", "ListValue", "Any", "FieldMask"})
    if (own == json) return ProtobufMeaning::kJson;
  if (own.ends_with("Value") && type.field_count() == 1) return ProtobufMeaning::kWrapper;
  return ProtobufMeaning::kMessage;
}

std::vector<ColumnConfig> columns_of_protobuf(const RegisteredSchema& schema,
                                              const std::string& message) {
  const ProtobufSchema parsed(schema);
  const auto& type = parsed.message(message);
  TypeReader types;
  std::vector<ColumnConfig> columns;
  for (int i = 0; i < type.field_count(); ++i)
    columns.push_back(column_of_member(type.field(i)->name(), types.of(*type.field(i))));
  if (columns.empty()) fail(fmt::format("message '{}' has no fields", type.full_name()));
  check_names(columns);
  return columns;
}

}  // namespace meesh::streams
