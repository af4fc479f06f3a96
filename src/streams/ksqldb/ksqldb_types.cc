#include "streams/ksqldb/ksqldb_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace meesh::streams {
namespace {

namespace json = boost::json;
using sql::Type;
using sql::TypeKind;

constexpr int kDepth = 64;
constexpr int32_t kMillis = 3;  // digits behind the second of ksqlDB's times

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Reads types, and names before them, from the left to the right.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : text_(text) {}

  Type type(int depth = 0) {
    if (depth > kDepth) fail("it is nested too deep");
    const std::string name = upper(word());
    if (name == "ARRAY") {
      expect('<');
      Type element = type(depth + 1);
      expect('>');
      return Type::array(std::move(element));
    }
    if (name == "MAP") {
      expect('<');
      Type key = type(depth + 1);
      expect(',');
      Type value = type(depth + 1);
      expect('>');
      return Type::map(std::move(key), std::move(value));
    }
    if (name == "STRUCT") return structure(depth);
    if (name == "DECIMAL") return decimal();
    return scalar(name);
  }

  /// An identifier, in back-quotes (two of them inside stand for one) or bare.
  std::string identifier() {
    space();
    if (at_ >= text_.size() || text_[at_] != '`') return word();
    std::string name;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '`' && (++at_ >= text_.size() || text_[at_] != '`')) return name;
      name += text_[at_];
    }
    fail("a back-quote is not closed");
  }

  bool take(char wanted) {
    space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  /// A word that may stand behind a type.
  bool take_word(std::string_view wanted) {
    const size_t before = at_;
    space();
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) &&
        upper(word()) == wanted) {
      return true;
    }
    at_ = before;
    return false;
  }
  bool at_end() {
    space();
    return at_ == text_.size();
  }
  size_t position() const { return at_; }
  std::string_view between(size_t from) const { return text_.substr(from, at_ - from); }
  void skip_space() { space(); }
  [[noreturn]] void fail(std::string_view why) const {
    throw Error(
        Code::kTypeNotFound,
        fmt::format("ksqlDB's type '{}' is not known: {} at character {}", text_, why, at_ + 1));
  }

 private:
  Type structure(int depth) {
    std::vector<std::string> names;
    std::vector<Type> types;
    expect('<');
    if (take('>')) fail("a STRUCT without fields");
    do {
      std::string name = lower(identifier());
      if (std::ranges::find(names, name) != names.end()) {
        fail(fmt::format("two fields are {} in lower case", name));
      }
      names.push_back(std::move(name));
      types.push_back(type(depth + 1));
    } while (take(','));
    expect('>');
    return Type::row(std::move(names), std::move(types));
  }

  Type decimal() {
    expect('(');
    const int32_t precision = number();
    expect(',');
    const int32_t scale = number();
    expect(')');
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
      fail("a decimal has 1 to 38 digits");
    }
    return Type::decimal(precision, scale);
  }

  Type scalar(const std::string& name) const {
    if (name == "BOOLEAN") return Type::of(TypeKind::kBoolean);
    if (name == "INT" || name == "INTEGER") return Type::of(TypeKind::kInteger);
    if (name == "BIGINT") return Type::of(TypeKind::kBigint);
    if (name == "DOUBLE") return Type::of(TypeKind::kDouble);
    if (name == "STRING" || name == "VARCHAR") return Type::varchar();
    if (name == "BYTES") return Type::of(TypeKind::kVarbinary);
    if (name == "DATE") return Type::of(TypeKind::kDate);
    if (name == "TIME") return Type::of(TypeKind::kTime, kMillis);
    if (name == "TIMESTAMP") return Type::of(TypeKind::kTimestamp, kMillis);
    fail(fmt::format("there is no type {}", name));
  }

  int32_t number() {
    space();
    int32_t value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a number was expected");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }

  std::string word() {
    space();
    const size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) ||
                                  text_[at_] == '_' || text_[at_] == '$')) {
      ++at_;
    }
    if (at_ == from) fail("a name was expected");
    return std::string(text_.substr(from, at_ - from));
  }

  void expect(char wanted) {
    if (!take(wanted)) fail(fmt::format("'{}' was expected", wanted));
  }
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

[[noreturn]] void bad_schema(std::string_view what) {
  throw Error(Code::kGenericExternal, fmt::format("ksqlDB described a column {}", what));
}

std::string text_of(const json::object& schema, int depth);

std::string member_of(const json::object& schema, int depth) {
  const json::value* member = schema.if_contains("memberSchema");
  if (member == nullptr || !member->is_object()) bad_schema("without memberSchema");
  return text_of(member->get_object(), depth + 1);
}

std::string struct_of(const json::object& schema, int depth) {
  const json::value* fields = schema.if_contains("fields");
  if (fields == nullptr || !fields->is_array()) bad_schema("of type STRUCT without fields");
  std::string text = "STRUCT<";
  for (const json::value& field : fields->get_array()) {
    const json::object* object = field.if_object();
    const json::value* name = object == nullptr ? nullptr : object->if_contains("name");
    const json::value* inner = object == nullptr ? nullptr : object->if_contains("schema");
    if (name == nullptr || !name->is_string() || inner == nullptr || !inner->is_object()) {
      bad_schema("of type STRUCT with a field without name or schema");
    }
    if (text.back() != '<') text += ", ";
    text += quote_ksqldb(name->get_string()) + " " + text_of(inner->get_object(), depth + 1);
  }
  return text + ">";
}

std::string text_of(const json::object& schema, int depth) {
  const json::value* type = schema.if_contains("type");
  if (depth > kDepth) bad_schema("that is nested too deep");
  if (type == nullptr || !type->is_string()) bad_schema("without a type");
  const std::string name(type->get_string());
  if (name == "ARRAY") return fmt::format("ARRAY<{}>", member_of(schema, depth));
  // Keys of maps are always text there.
  if (name == "MAP") return fmt::format("MAP<STRING, {}>", member_of(schema, depth));
  if (name == "STRUCT") return struct_of(schema, depth);
  if (name != "DECIMAL") return name;
  const json::value* parameters = schema.if_contains("parameters");
  const auto number = [&](const char* key) -> int64_t {
    const json::value* value = parameters == nullptr || !parameters->is_object()
                                   ? nullptr
                                   : parameters->get_object().if_contains(key);
    if (value == nullptr || !value->is_int64()) {
      bad_schema("of type DECIMAL without precision and scale");
    }
    return value->get_int64();
  };
  return fmt::format("DECIMAL({}, {})", number("precision"), number("scale"));
}

}  // namespace

Type type_of_ksqldb(const std::string& type) {
  TypeReader reader(type);
  Type made = reader.type();
  if (!reader.at_end()) reader.fail("there is more behind it");
  return made;
}

std::vector<KsqldbColumn> columns_of_ksqldb(std::string_view schema) {
  std::vector<KsqldbColumn> columns;
  TypeReader reader(schema);
  if (reader.at_end()) return columns;
  try {
    do {
      KsqldbColumn& column = columns.emplace_back();
      column.name = reader.identifier();
      reader.skip_space();
      const size_t from = reader.position();
      reader.type();
      column.type = reader.between(from);
      column.key = reader.take_word("PRIMARY") ? reader.take_word("KEY") : reader.take_word("KEY");
    } while (reader.take(','));
    if (!reader.at_end()) reader.fail("there is more behind it");
  } catch (const Error& error) {
    throw Error(Code::kGenericExternal, fmt::format("ksqlDB's answer has a header that cannot be "
                                                    "read: {}",
                                                    error.message()));
  }
  return columns;
}

std::string ksqldb_type_text(const json::object& schema) { return text_of(schema, 0); }

std::string quote_ksqldb(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + "`";
}

}  // namespace meesh::streams
