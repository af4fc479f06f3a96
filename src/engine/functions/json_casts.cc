#include "engine/functions/json_casts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "engine/functions/json_path.h"
#include "engine/functions/json_text.h"
#include "engine/functions/kernels.h"
#include "engine/functions/read_numbers.h"
#include "engine/functions/text.h"
#include "engine/functions/vector_tree.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::CastParameters;
using duckdb::FlatVector;
using duckdb::ListVector;
using duckdb::PhysicalType;
using duckdb::string_t;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

/// What may be the key of a member.
bool is_key(const Type& type) {
  return type.kind == TypeKind::kUnknown || type.kind == TypeKind::kBoolean || is_numeric(type) ||
         type.kind == TypeKind::kVarchar;
}

std::string_view view(const string_t& text) { return {text.GetData(), text.GetSize()}; }

// ---------------------------------------------------------------- to JSON

__int128 unscaled(const VectorTree& values, PhysicalType stored, size_t row) {
  switch (stored) {
    case PhysicalType::INT16:
      return values.at<int16_t>(row);
    case PhysicalType::INT32:
      return values.at<int32_t>(row);
    case PhysicalType::INT64:
      return values.at<int64_t>(row);
    default:
      return wide(values.at<duckdb::hugeint_t>(row));
  }
}

/// As Java's BigDecimal writes it, without an exponent.
std::string decimal_text(__int128 value, int scale) {
  const bool negative = value < 0;
  auto rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  for (int i = 0; rest > 0 || i <= scale; ++i) {
    if (i == scale && scale > 0) digits += '.';
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

/// As Java writes a float; JSON has no number for the others.
std::string real_text(float value) {
  if (!std::isfinite(value)) return json_number(value);
  const float size = std::abs(value);
  if (size != 0 && !(size >= 1e-3F && size < 1e7F)) return scientific(value);
  const std::string text = fmt::format("{}", value);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string date_text(int32_t days) {
  const std::string moment = timestamp_text(int64_t{days} * 86400'000'000, 6, 0);
  return moment.substr(0, moment.find(' '));
}

std::string timestamp_text_of(const VectorTree& values, const Type& type, size_t row) {
  if (type.precision <= 9)
    return timestamp_text(values.at<int64_t>(row), type.precision > 6 ? 9 : 6, type.precision);
  // Picoseconds: the seconds, then the digits behind the point.
  const __int128 picos = wide(values.at<duckdb::hugeint_t>(row));
  constexpr __int128 kSecond = 1'000'000'000'000;
  const __int128 seconds = picos >= 0 ? picos / kSecond : -((kSecond - 1 - picos) / kSecond);
  const auto fraction = static_cast<int64_t>(picos - seconds * kSecond);
  return timestamp_text(static_cast<int64_t>(seconds) * 1'000'000, 6, 0) + '.' +
         fmt::format("{:012}", fraction).substr(0, static_cast<size_t>(type.precision));
}

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void write(const VectorTree& values, const Type& type, size_t row) {
    if (values.is_null(row)) {
      out_ += "null";
      return;
    }
    switch (type.kind) {
      case TypeKind::kArray:
        return array(values, type, row);
      case TypeKind::kMap:
        return map(values, type, row);
      case TypeKind::kRow:
        return fields(values, type, row);
      case TypeKind::kVarchar:
        return append_json_string(out_, view(values.at<string_t>(row)));
      case TypeKind::kDate:
      case TypeKind::kTimestamp:
        out_ += '"';
        out_ += plain_text(values, type, row);
        out_ += '"';
        return;
      default:
        out_ += plain_text(values, type, row);
    }
  }

  /// Without quotes and escapes.
  static std::string plain_text(const VectorTree& values, const Type& type, size_t row) {
    switch (type.kind) {
      case TypeKind::kBoolean:
        return values.at<bool>(row) ? "true" : "false";
      case TypeKind::kTinyint:
        return std::to_string(values.at<int8_t>(row));
      case TypeKind::kSmallint:
        return std::to_string(values.at<int16_t>(row));
      case TypeKind::kInteger:
        return std::to_string(values.at<int32_t>(row));
      case TypeKind::kBigint:
        return std::to_string(values.at<int64_t>(row));
      case TypeKind::kReal:
        return real_text(values.at<float>(row));
      case TypeKind::kDouble:
        return json_number(values.at<double>(row));
      case TypeKind::kDecimal:
        return decimal_text(
            unscaled(values,
                     duckdb::LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                                  static_cast<uint8_t>(type.scale))
                         .InternalType(),
                     row),
            type.scale);
      case TypeKind::kDate:
        return date_text(values.at<int32_t>(row));
      case TypeKind::kTimestamp:
        return timestamp_text_of(values, type, row);
      default:
        return std::string(view(values.at<string_t>(row)));
    }
  }

 private:
  void array(const VectorTree& values, const Type& type, size_t row) {
    const auto entry = values.entry(row);
    out_ += '[';
    for (size_t i = 0; i < entry.length; ++i) {
      if (i > 0) out_ += ',';
      write(values.child(0), type.children[0], entry.offset + i);
    }
    out_ += ']';
  }
  /// Members sorted by key.
  void map(const VectorTree& values, const Type& type, size_t row) {
    const auto entry = values.entry(row);
    const auto &keys = values.child(0).child(0), &items = values.child(0).child(1);
    std::map<std::string, size_t> places;
    for (size_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      std::string key = key_text(keys, type.children[0], i);
      places.insert_or_assign(std::move(key), i);
    }
    char before = '{';
    for (const auto& [key, place] : places) {
      out_ += before;
      append_json_string(out_, key);
      out_ += ':';
      write(items, type.children[1], place);
      before = ',';
    }
    out_ += places.empty() ? "{}" : "}";
  }
  static std::string key_text(const VectorTree& keys, const Type& type, size_t row) {
    if (type.kind == TypeKind::kReal) return scientific(keys.at<float>(row));
    if (type.kind == TypeKind::kDouble) return scientific(keys.at<double>(row));
    return plain_text(keys, type, row);
  }
  /// Fields without a name are members without a name.
  void fields(const VectorTree& values, const Type& type, size_t row) {
    out_ += '{';
    for (size_t i = 0; i < type.children.size(); ++i) {
      if (i > 0) out_ += ',';
      append_json_string(out_, i < type.field_names.size() ? type.field_names[i] : "");
      out_ += ':';
      write(values.child(i), type.children[i], row);
    }
    out_ += '}';
  }

  std::string& out_;
};

bool to_json(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  const Type& type = parameters.cast_data->Cast<CastTypes>().from;
  const ReadVector in(source, count);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  std::string text;
  for (size_t row = 0; row < (in.constant() ? 1 : count); ++row) {
    if (in.tree().is_null(row)) {
      FlatVector::SetNull(result, row, true);
      continue;
    }
    text.clear();
    JsonWriter(text).write(in.tree(), type, row);
    FlatVector::GetData<string_t>(result)[row] = duckdb::StringVector::AddString(result, text);
  }
  if (in.constant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return true;
}

// ---------------------------------------------------------------- from JSON

bool is_integral_text(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

/// Reads JSON values into rows of vectors. What fails tells why in error().
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : in_(text) {}

  /// `error` is empty where Trino tells no more than that the cast failed.
  const std::string& error() const { return error_; }

  bool read(const Type& type, Vector& out, size_t row) {
    if (in_.peek() == 'n' && type.kind != TypeKind::kJson) {
      in_.value();
      FlatVector::SetNull(out, row, true);
      return true;
    }
    switch (type.kind) {
      case TypeKind::kArray:
        return array(type, out, row);
      case TypeKind::kMap:
        return map(type, out, row);
      case TypeKind::kRow:
        return fields(type, out, row);
      case TypeKind::kJson: {
        const auto text = canonical_json(in_.value());
        if (!text) return fail("");
        FlatVector::GetData<string_t>(out)[row] = duckdb::StringVector::AddString(out, *text);
        return true;
      }
      default:
        return scalar(type, out, row);
    }
  }

 private:
  bool fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  /// What comes next, as an error tells it.
  std::string token() {
    const char c = in_.peek();
    if (c == '"') return in_.string();
    if (std::string_view("{}[]").find(c) != std::string_view::npos) return std::string(1, c);
    return std::string(in_.value());
  }

  bool scalar(const Type& type, Vector& out, size_t row) {
    const char c = in_.peek();
    if (c == '{' || c == '[' || c == ']' || c == '}' || c == '\0')
      return fail("Unexpected token when cast to " + type.base_name() + ": " + token());
    if (c == '"') {
      const std::string text = in_.string();
      return from_text(type, text, out, row);
    }
    const auto word = in_.value();
    if (type.kind == TypeKind::kVarchar) return text(type, varchar_of(word), out, row);
    if (word == "true" || word == "false")
      return from_text(type,
                       type.kind == TypeKind::kBoolean ? word
                       : word == "true"                ? "1"
                                                       : "0",
                       out, row);
    return from_number(type, word, out, row);
  }
  static std::string varchar_of(std::string_view word) {
    bool integral = true;
    if (json_number_size(word, integral) != word.size() || integral) return std::string(word);
    const auto value = read_double(word);
    return value ? scientific(*value) : std::string(word);
  }

  bool text(const Type& type, std::string_view value, Vector& out, size_t row) {
    if (type.precision != Type::kUnbounded)
      value = first_points(value, static_cast<size_t>(type.precision));
    FlatVector::GetData<string_t>(out)[row] =
        duckdb::StringVector::AddString(out, value.data(), value.size());
    return true;
  }

  template <class T>
  static void put(Vector& out, size_t row, T value) {
    FlatVector::GetData<T>(out)[row] = value;
  }
  bool put_decimal(const Type& type, std::string_view value, Vector& out, size_t row,
                   const std::string& error) {
    duckdb::hugeint_t unscaled;
    const char* why = "";
    if (!read_decimal(value, type.precision, type.scale, unscaled, why)) return fail(error);
    switch (out.GetType().InternalType()) {
      case PhysicalType::INT16:
        put(out, row, static_cast<int16_t>(unscaled.lower));
        break;
      case PhysicalType::INT32:
        put(out, row, static_cast<int32_t>(unscaled.lower));
        break;
      case PhysicalType::INT64:
        put(out, row, static_cast<int64_t>(unscaled.lower));
        break;
      default:
        put(out, row, unscaled);
    }
    return true;
  }

  template <class T>
  bool integer_from_text(std::string_view value, Vector& out, size_t row) {
    return read_integer(value, FlatVector::GetData<T>(out)[row]);
  }
  /// As the cast of varchar does it.
  bool from_text(const Type& type, std::string_view value, Vector& out, size_t row) {
    bool read = false;
    switch (type.kind) {
      case TypeKind::kVarchar:
        return text(type, value, out, row);
      case TypeKind::kBoolean:
        read = read_boolean(value, FlatVector::GetData<bool>(out)[row]);
        break;
      case TypeKind::kTinyint:
        read = integer_from_text<int8_t>(value, out, row);
        break;
      case TypeKind::kSmallint:
        read = integer_from_text<int16_t>(value, out, row);
        break;
      case TypeKind::kInteger:
        read = integer_from_text<int32_t>(value, out, row);
        break;
      case TypeKind::kBigint:
        read = integer_from_text<int64_t>(value, out, row);
        break;
      case TypeKind::kDecimal:
        return put_decimal(type, value, out, row,
                           "Cannot cast '" + std::string(value) + "' to " + decimal_name(type));
      default: {
        const auto number = read_double(value);
        read = number.has_value();
        if (read) put_floating(type, *number, out, row);
      }
    }
    return read || fail("Cannot cast '" + std::string(value) + "' to " + cast_word(type.kind));
  }
  static void put_floating(const Type& type, double value, Vector& out, size_t row) {
    if (type.kind == TypeKind::kReal) {
      put(out, row, static_cast<float>(value));
    } else {
      put(out, row, value);
    }
  }
  static std::string decimal_name(const Type& type) {
    return fmt::format("DECIMAL({},{})", type.precision, type.scale);
  }

  template <class T>
  bool integer_from_number(std::string_view number, Vector& out, size_t row) {
    T& place = FlatVector::GetData<T>(out)[row];
    if (is_integral_text(number)) return read_integer(number, place) || fail("");
    const auto value = read_double(number);
    if (!value) return fail("");
    const std::string error = round_to_integer(*value, false, place);
    return error.empty() || fail(error);
  }
  bool from_number(const Type& type, std::string_view number, Vector& out, size_t row) {
    switch (type.kind) {
      case TypeKind::kTinyint:
        return integer_from_number<int8_t>(number, out, row);
      case TypeKind::kSmallint:
        return integer_from_number<int16_t>(number, out, row);
      case TypeKind::kInteger:
        return integer_from_number<int32_t>(number, out, row);
      case TypeKind::kBigint:
        return integer_from_number<int64_t>(number, out, row);
      case TypeKind::kDecimal:
        return put_decimal(type, number, out, row,
                           "Cannot cast input json to " + decimal_name(type));
      default: {
        const auto value = read_double(number);
        if (!value) return fail("");
        if (type.kind == TypeKind::kBoolean) {
          put(out, row, *value != 0);
        } else {
          put_floating(type, *value, out, row);
        }
        return true;
      }
    }
  }

  /// A row at the end of the list's child, not yet part of any list.
  static size_t append(Vector& list) {
    const size_t size = ListVector::GetListSize(list);
    ListVector::Reserve(list, size + 1);
    ListVector::SetListSize(list, size + 1);
    return size;
  }

  bool array(const Type& type, Vector& out, size_t row) {
    if (!in_.take('[')) return fail("Expected a json array, but got " + token());
    const size_t start = ListVector::GetListSize(out);
    size_t length = 0;
    while (in_.peek() != ']' && in_.peek() != '\0') {
      const size_t place = append(out);
      if (!read(type.children[0], ListVector::GetEntry(out), place)) return false;
      ++length;
      if (!in_.take(',')) break;
    }
    if (!in_.take(']')) return fail("");
    put(out, row, duckdb::list_entry_t{start, length});
    return true;
  }
  bool map(const Type& type, Vector& out, size_t row) {
    if (!in_.take('{')) return fail("Expected a json object, but got " + token());
    const size_t start = ListVector::GetListSize(out);
    size_t length = 0;
    std::set<std::string> seen;
    while (in_.peek() == '"') {
      std::string key = in_.string();
      if (!in_.take(':')) return fail("");
      const size_t place = append(out);
      auto& entries = duckdb::StructVector::GetEntries(ListVector::GetEntry(out));
      if (!from_text(type.children[0], key, *entries[0], place) ||
          !read(type.children[1], *entries[1], place))
        return false;
      if (!seen.insert(std::move(key)).second) return fail("Duplicate keys are not allowed");
      ++length;
      if (!in_.take(',')) break;
    }
    if (!in_.take('}')) return fail("");
    put(out, row, duckdb::list_entry_t{start, length});
    return true;
  }

  bool fields(const Type& type, Vector& out, size_t row) {
    auto& entries = duckdb::StructVector::GetEntries(out);
    if (in_.take('[')) {
      for (size_t i = 0; i < entries.size(); ++i) {
        if (!read(type.children[i], *entries[i], row)) return false;
        in_.take(',');
      }
      return in_.take(']') || fail("Expected json array ending, but got " + token());
    }
    if (!in_.take('{')) return fail("Expected a json array or object, but got " + token());
    const auto places = field_places(type);
    if (places.empty())
      return fail("Cannot cast a JSON object to anonymous row type. Input must be a JSON array.");
    std::vector<bool> seen(entries.size());
    while (in_.peek() == '"') {
      const std::string key = lower(in_.string());
      if (!in_.take(':')) return fail("");
      const auto place = places.find(key);
      if (place == places.end()) {
        in_.value();
      } else {
        if (seen[place->second]) return fail("Duplicate field: " + key);
        seen[place->second] = true;
        if (!read(type.children[place->second], *entries[place->second], row)) return false;
      }
      if (!in_.take(',')) break;
    }
    if (!in_.take('}')) return fail("");
    for (size_t i = 0; i < entries.size(); ++i)
      if (!seen[i]) FlatVector::SetNull(*entries[i], row, true);
    return true;
  }
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  /// Fields by their names in lower case; empty when one has none.
  static std::map<std::string, size_t> field_places(const Type& type) {
    std::map<std::string, size_t> out;
    for (size_t i = 0; i < type.field_names.size(); ++i) {
      if (type.field_names[i].empty()) return {};
      out.emplace(lower(type.field_names[i]), i);
    }
    return out;
  }

  JsonCursor in_;
  std::string error_;
};

std::string failure(const Type& to, const std::string& error, std::string_view json) {
  constexpr size_t kMostShown = 10000;
  std::string shown_json(json.substr(0, kMostShown));
  if (json.size() > kMostShown) shown_json += "...(truncated)";
  if (!to.children.empty())
    return "Cannot cast to " + to.display() + "." + (error.empty() ? "" : " " + error) + "\n" +
           shown_json;
  if (!error.empty() && !error.starts_with("Unexpected token")) return error;
  const std::string name = to.kind == TypeKind::kDecimal
                               ? fmt::format("DECIMAL({},{})", to.precision, to.scale)
                               : to.base_name();
  return "Cannot cast '" + shown_json + "' to " + name;
}

bool from_json(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  const Type& to = parameters.cast_data->Cast<CastTypes>().to;
  const ReadVector in(source, count);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  bool all = true;
  for (size_t row = 0; row < (in.constant() ? 1 : count); ++row) {
    if (in.tree().is_null(row)) {
      FlatVector::SetNull(result, row, true);
      continue;
    }
    const auto json = view(in.tree().at<string_t>(row));
    JsonReader reader(json);
    if (reader.read(to, result, row)) continue;
    const std::string error = failure(to, reader.error(), json);
    if (!parameters.error_message) {
      const bool range = error.starts_with("Out of range for ");
      raise(range ? Code::kNumericValueOutOfRange : Code::kInvalidCastArgument, error);
    }
    if (parameters.error_message->empty()) *parameters.error_message = error;
    FlatVector::SetNull(result, row, true);
    all = false;
  }
  if (in.constant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return all;
}

}  // namespace

bool castable_to_json(const Type& type) {
  switch (type.kind) {
    case TypeKind::kArray:
      return castable_to_json(type.children[0]);
    case TypeKind::kMap:
      return is_key(type.children[0]) && castable_to_json(type.children[1]);
    case TypeKind::kRow:
      return std::all_of(type.children.begin(), type.children.end(), castable_to_json);
    case TypeKind::kJson:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
      return true;
    default:
      return is_key(type);
  }
}

bool castable_from_json(const Type& type) {
  switch (type.kind) {
    case TypeKind::kArray:
      return castable_from_json(type.children[0]);
    case TypeKind::kMap:
      return is_key(type.children[0]) && castable_from_json(type.children[1]);
    case TypeKind::kRow:
      return std::all_of(type.children.begin(), type.children.end(), castable_from_json);
    case TypeKind::kUnknown:
      return false;
    case TypeKind::kJson:
      return true;
    default:
      return is_key(type);
  }
}

duckdb::cast_function_t json_cast_function(const Type&, const Type& to) {
  return to.kind == TypeKind::kJson ? to_json : from_json;
}

}  // namespace meesh::engine
