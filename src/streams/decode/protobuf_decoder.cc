// A message is parsed into a dynamic message that is used again, and its fields become cells.
//
// A field that can be absent (optional, of a oneof, a message) and is: NULL. Others of proto3 have
// no such thing: 0, "" and false are values.
#include "streams/decode/protobuf_decoder.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "ingest/decode/cell.h"
#include "lake/avro.h"
#include "streams/decode/member_tree.h"
#include "streams/decode/protobuf_json.h"

namespace meesh::streams {
namespace {

using ingest::Cell;

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

constexpr size_t kMostPlans = 1000;
constexpr int64_t kMostIndexes = 64;

struct Malformed {
  std::string what;
};

/// Fields of a message type that become columns, or lead to some.
struct Step {
  struct Wanted {
    const Field* field = nullptr;
    std::vector<size_t> columns;
    std::unique_ptr<Step> inner;  // null: none
  };
  std::vector<Wanted> fields;
};

/// What messages of one type become. The message is used again and again.
struct Plan {
  std::shared_ptr<const ProtobufSchema> schema;
  Step root;
  std::unique_ptr<pb::Message> message;
  std::string type;
};

const Field* field_of(const pb::Descriptor& type, const std::string& name) {
  if (const auto* field = type.FindFieldByName(name)) return field;
  for (int i = 0; i < type.field_count(); ++i)
    if (type.field(i)->json_name() == name) return type.field(i);
  for (int i = 0; i < type.field_count(); ++i)
    if (same_but_for_case(type.field(i)->name(), name) ||
        same_but_for_case(type.field(i)->json_name(), name))
      return type.field(i);
  return nullptr;
}

Step step_of(const pb::Descriptor& type, const WantedMember& member) {
  Step out;
  for (const auto& wanted : member.members) {
    const auto* field = field_of(type, wanted.name);
    if (!field) continue;
    Step::Wanted entry{field, wanted.columns, nullptr};
    if (!wanted.members.empty() && field->message_type() && !field->is_repeated())
      entry.inner = std::make_unique<Step>(step_of(*field->message_type(), wanted));
    out.fields.push_back(std::move(entry));
  }
  return out;
}

/// That the configuration's schema has the column.
void check_column(const pb::Descriptor& root, const ColumnConfig& column) {
  const pb::Descriptor* type = &root;
  for (const auto& name : path_of(column)) {
    const auto* field = type ? field_of(*type, name) : nullptr;
    if (!field) {
      std::vector<std::string> names;
      for (int i = 0; type && i < type->field_count(); ++i) names.push_back(type->field(i)->name());
      throw Error(Code::kConfigInvalid,
                  fmt::format("column '{}': the Protobuf schema has no field '{}'", column.name,
                              base::join(path_of(column), ".")))
          .with_hint(base::did_you_mean(name, names, "it has"));
    }
    type = field->is_repeated() ? nullptr : field->message_type();
  }
}

class ProtobufDecoder : public Decoder {
 public:
  ProtobufDecoder(const FormatConfig& format, const std::vector<ColumnConfig>& columns,
                  SchemaRegistry* registry)
      : wanted_(wanted_members(columns)), message_(format.message), registry_(registry) {
    for (const auto& column : columns) cells_.emplace_back(column);
    there_.resize(cells_.size());
    if (registry) return;
    if (format.schema.empty()) {
      throw Error(Code::kConfigInvalid, "Protobuf messages need a schema or a registry")
          .with_hint("name a file under 'schema', or a registry");
    }
    const auto schema = std::make_shared<const ProtobufSchema>(
        RegisteredSchema{.type = "PROTOBUF", .text = format.schema, .references = {}});
    const auto& type = schema->message(format.message);
    for (const auto& column : columns) check_column(type, column);
    only_ = plan(schema, type);
  }

  bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
              std::string& wrong) override {
    Plan* plan = only_.get();
    try {
      if (!plan) plan = &plan_of(value);
      rows_ = &rows;
      first_ = first;
      there_.assign(there_.size(), false);
      read(*plan, value);
    } catch (const Malformed& problem) {
      wrong = problem.what;
      return false;
    }
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (there_[i] || !cells_[i].config().required) continue;
      wrong = cells_[i].missing();
      return false;
    }
    return true;
  }

 private:
  using Key = std::pair<int32_t, std::vector<int64_t>>;

  std::unique_ptr<Plan> plan(const std::shared_ptr<const ProtobufSchema>& schema,
                             const pb::Descriptor& type) const {
    return std::make_unique<Plan>(
        Plan{schema, step_of(type, wanted_), schema->make(type), type.full_name()});
  }

  /// Takes the framing off: the schema's id, then which of its messages it is.
  Plan& plan_of(std::string_view& value) {
    if (!take_schema_id(value, key_.first))
      throw Malformed{
          "not Protobuf of a registry: it does not begin with a zero byte and a schema's id"};
    take_indexes(value);
    if (const auto known = plans_.find(key_); known != plans_.end()) return *known->second;
    const auto schema = registry_->by_id(key_.first);
    if (!schema) throw Malformed{fmt::format("the registry has no schema {}", key_.first)};
    return make_plan(*schema);
  }

  Plan& make_plan(const RegisteredSchema& schema) {
    try {
      const auto parsed = std::make_shared<const ProtobufSchema>(schema);
      const auto* type = parsed->message(key_.second);
      if (!type)
        throw Malformed{fmt::format("schema {} of the registry has no such message", key_.first)};
      if (!message_.empty() && type->full_name() != message_)
        throw Malformed{
            fmt::format("expected a message {}, found {}", message_, type->full_name())};
      if (plans_.size() >= kMostPlans) plans_.clear();
      return *plans_.emplace(key_, plan(parsed, *type)).first->second;
    } catch (const Error& error) {
      throw Malformed{fmt::format("schema {} of the registry: {}", key_.first, error.message())};
    }
  }

  /// How many there are, then each, as zigzag varints; a 0 alone stands for the first message.
  void take_indexes(std::string_view& value) {
    key_.second.clear();
    try {
      lake::AvroCursor cursor(value);  // Avro's long is the same encoding
      const int64_t count = cursor.read_long();
      if (count < 0 || count > kMostIndexes) throw Malformed{"its message indexes are wrong"};
      for (int64_t i = 0; i < count; ++i) key_.second.push_back(cursor.read_long());
      value.remove_prefix(value.size() - cursor.remaining());
    } catch (const Error&) {
      throw Malformed{"its message indexes are cut short"};
    }
    if (key_.second.empty()) key_.second.push_back(0);
  }

  void read(Plan& plan, std::string_view value) {
    auto& message = *plan.message;
    if (value.size() > INT32_MAX ||
        !message.ParsePartialFromArray(value.data(), static_cast<int>(value.size())))
      throw Malformed{fmt::format("not Protobuf of {}", plan.type)};
    if (!message.IsInitialized())
      throw Malformed{fmt::format("not Protobuf of {}: it lacks {}", plan.type,
                                  message.InitializationErrorString())};
    try {
      read(message, plan.root);
    } catch (const Error& error) {
      throw Malformed{fmt::format("not Protobuf of {}: {}", plan.type, error.message())};
    }
  }

  void read(const pb::Message& message, const Step& step) {
    const auto& reflection = *message.GetReflection();
    for (const auto& wanted : step.fields) {
      const Field& field = *wanted.field;
      if (field.has_presence() && !field.has_default_value() &&
          !reflection.HasField(message, &field))
        continue;
      for (const size_t column : wanted.columns) put(message, field, column);
      if (wanted.inner) read(reflection.GetMessage(message, &field), *wanted.inner);
    }
  }

  void put(const pb::Message& message, const Field& field, size_t column) {
    const Cell& cell = cells_[column];
    const size_t at = first_ + column;
    bool fits = false;
    if (field.is_repeated() || field.cpp_type() == Field::CPPTYPE_MESSAGE) {
      fits = put_composite(message, field, cell, at);
    } else {
      fits = put_scalar(message, field, cell, at);
    }
    if (!fits) {
      std::string found;
      append_field(message, field, found);
      throw Malformed{cell.complaint(found)};
    }
    there_[column] = true;
  }

  bool put_scalar(const pb::Message& message, const Field& field, const Cell& cell, size_t at) {
    const auto& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return cell.put_integer(reflection.GetInt32(message, &field), *rows_, at);
      case Field::CPPTYPE_INT64:
        return cell.put_integer(reflection.GetInt64(message, &field), *rows_, at);
      case Field::CPPTYPE_UINT32:
        return cell.put_integer(reflection.GetUInt32(message, &field), *rows_, at);
      case Field::CPPTYPE_UINT64:
        return cell.put_number(std::to_string(reflection.GetUInt64(message, &field)), *rows_, at);
      case Field::CPPTYPE_DOUBLE:
        return cell.put_double(reflection.GetDouble(message, &field), *rows_, at);
      case Field::CPPTYPE_FLOAT:
        return cell.put_float(reflection.GetFloat(message, &field), *rows_, at);
      case Field::CPPTYPE_BOOL:
        return cell.put_boolean(reflection.GetBool(message, &field), *rows_, at);
      case Field::CPPTYPE_ENUM:
        return put_enum(field, reflection.GetEnumValue(message, &field), cell, at);
      default: {
        const auto& text = reflection.GetStringReference(message, &field, &scratch_);
        if (field.type() == Field::TYPE_BYTES) return cell.put_bytes(text, *rows_, at);
        if (!base::valid_utf8(text))
          throw Malformed{fmt::format("column '{}': a string is not UTF-8", cell.config().name)};
        return cell.put_text(text, *rows_, at);
      }
    }
  }

  bool put_enum(const Field& field, int number, const Cell& cell, size_t at) {
    if (cell.is_integer()) return cell.put_integer(number, *rows_, at);
    const auto* value = field.enum_type()->FindValueByNumber(number);
    return cell.put_symbol(value ? value->name() : std::to_string(number), *rows_, at);
  }

  bool put_composite(const pb::Message& message, const Field& field, const Cell& cell, size_t at) {
    if (!field.is_repeated()) {
      const auto& inner = message.GetReflection()->GetMessage(message, &field);
      switch (meaning_of(*field.message_type())) {
        case ProtobufMeaning::kTimestamp: {
          const auto micros = micros_of_timestamp(inner);
          if (!micros) return false;
          if (cell.kind() == sql::TypeKind::kJson) break;
          return cell.put_instant(*micros, *rows_, at);
        }
        case ProtobufMeaning::kDecimal: {
          const auto number = decimal_of(inner);
          return number && cell.put_number(*number, *rows_, at);
        }
        case ProtobufMeaning::kWrapper:
          return put_scalar(inner, *field.message_type()->field(0), cell, at);
        default:
          break;
      }
    }
    text_.clear();
    append_field(message, field, text_);
    if (text_.starts_with('"') && cell.kind() == sql::TypeKind::kVarchar)  // a duration
      return cell.put_text(std::string_view(text_).substr(1, text_.size() - 2), *rows_, at);
    return cell.put_json(text_, *rows_, at);
  }

  const WantedMember wanted_;
  const std::string message_;  // "" = whichever
  std::vector<Cell> cells_;
  SchemaRegistry* const registry_;
  std::unique_ptr<Plan> only_;                  // without a registry
  std::map<Key, std::unique_ptr<Plan>> plans_;  // by the registry's ids, and indexes
  // Of the message that is being read:
  Key key_;
  engine::RowBuffer* rows_ = nullptr;
  size_t first_ = 0;
  std::vector<bool> there_;  // columns that have a value
  std::string text_, scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_protobuf_decoder(const FormatConfig& format,
                                               const std::vector<ColumnConfig>& columns,
                                               SchemaRegistry* registry) {
  return std::make_unique<ProtobufDecoder>(format, columns, registry);
}

}  // namespace meesh::streams
