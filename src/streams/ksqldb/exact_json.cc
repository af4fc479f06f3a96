#include "streams/ksqldb/exact_json.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <optional>

#include "base/error.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;

constexpr size_t kDepth = 64;

/// `digits` × 10^`exponent`, without zeros at either end.
struct Number {
  std::string digits;
  int64_t exponent = 0;
  bool operator==(const Number&) const = default;
};

/// Of a JSON number or what std::to_chars writes, without its sign; nothing if its exponent is
/// beyond all doubles.
std::optional<Number> number_of(std::string_view text) {
  Number number;
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (!exponent.empty() && exponent.front() == '+') exponent.remove_prefix(1);
    int32_t value = 0;
    if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), value).ec !=
        std::errc()) {
      return std::nullopt;
    }
    number.exponent = value;
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  number.digits = text.substr(0, point);
  if (point != std::string_view::npos) {
    number.digits += text.substr(point + 1);
    number.exponent -= static_cast<int64_t>(text.size() - point - 1);
  }
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  const size_t last = number.digits.find_last_not_of('0');
  if (last == std::string::npos) return Number{};
  number.exponent += static_cast<int64_t>(number.digits.size() - last - 1);
  number.digits.resize(last + 1);
  return number;
}

/// The double that is written as this number, if it is.
std::optional<double> exact_double(std::string_view text) {
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  char written[32];
  const auto end = std::to_chars(written, written + sizeof written, value).ptr;
  const auto number = number_of(text);
  if (!number || number != number_of({written, static_cast<size_t>(end - written)})) {
    return std::nullopt;
  }
  return value;
}

struct Handler {
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  using Ec = json::error_code;
  using Text = json::string_view;

  json::value_stack stack;
  std::string number;  // its parts so far

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) { return true; }
  bool on_object_end(size_t members, Ec&) { return stack.push_object(members), true; }
  bool on_array_begin(Ec&) { return true; }
  bool on_array_end(size_t elements, Ec&) { return stack.push_array(elements), true; }
  bool on_key_part(Text part, size_t, Ec&) { return stack.push_chars(part), true; }
  bool on_key(Text part, size_t, Ec&) { return stack.push_key(part), true; }
  bool on_string_part(Text part, size_t, Ec&) { return stack.push_chars(part), true; }
  bool on_string(Text part, size_t, Ec&) { return stack.push_string(part), true; }
  bool on_number_part(Text part, Ec&) { return number.append(part), true; }
  bool on_int64(int64_t value, Text, Ec&) {
    number.clear();
    return stack.push_int64(value), true;
  }
  bool on_uint64(uint64_t value, Text, Ec&) {
    number.clear();
    return stack.push_uint64(value), true;
  }
  bool on_double(double, Text part, Ec&) {
    number.append(part);
    if (const auto exact = exact_double(number)) {
      stack.push_double(*exact);
    } else {
      stack.push_string(number);
    }
    number.clear();
    return true;
  }
  bool on_bool(bool value, Ec&) { return stack.push_bool(value), true; }
  bool on_null(Ec&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

}  // namespace

json::value parse_exact_json(std::string_view text, std::string_view what) {
  json::parse_options options;
  options.max_depth = kDepth;
  json::basic_parser<Handler> parser(options);
  parser.handler().stack.reset();
  json::error_code error;
  const size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error || read != text.size()) {
    throw Error(Code::kGenericExternal,
                fmt::format("{} is not JSON at byte {}: {}", what, read,
                            error ? error.message() : "there is more behind it"));
  }
  return parser.handler().stack.release();
}

void write_json(const json::value& value, std::string& out) {
  const auto list = [&](const auto& parts, char open, char close, const auto& write_part) {
    out += open;
    bool first = true;
    for (const auto& part : parts) {
      if (!std::exchange(first, false)) out += ',';
      write_part(part);
    }
    out += close;
  };
  if (const json::object* object = value.if_object()) {
    list(*object, '{', '}', [&](const json::key_value_pair& member) {
      out += json::serialize(member.key());
      out += ':';
      write_json(member.value(), out);
    });
  } else if (const json::array* array = value.if_array()) {
    list(*array, '[', ']', [&](const json::value& element) { write_json(element, out); });
  } else if (value.is_double()) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.get_double()).ptr;
    const std::string_view text(buffer, static_cast<size_t>(end - buffer));
    out += text;
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace meesh::streams
