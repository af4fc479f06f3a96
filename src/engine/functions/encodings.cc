// Numbers and bytes in other notations: base 32, IEEE 754, big endian, Murmur3; sizes and counts
// with a unit.
#include <fmt/format.h>

#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstring>

#include "engine/functions/kernels.h"
#include "engine/functions/spooky_hash.h"
#include "engine/sketches/murmur3.h"

namespace meesh::engine {
namespace {

using View = std::string_view;
constexpr View kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string to_base32(View bytes) {
  std::string out;
  uint64_t held = 0;
  int bits = 0;
  for (unsigned char byte : bytes) {
    held = held << 8 | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += kBase32[held >> (bits - 5) & 31];
  }
  if (bits > 0) out += kBase32[held << (5 - bits) & 31];
  while (out.size() % 8 != 0) out += '=';
  return out;
}

std::string from_base32(View text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  const size_t rest = text.size() % 8;
  if (rest == 1 || rest == 3 || rest == 6)
    raise(Code::kInvalidFunctionArgument, "Invalid input length " + std::to_string(text.size()));
  std::string out;
  uint64_t held = 0;
  int bits = 0;
  for (char c : text) {
    const auto digit = kBase32.find(c);
    if (digit == View::npos)
      raise(Code::kInvalidFunctionArgument, std::string("Unrecognized character: ") + c);
    held = held << 5 | digit;
    bits += 5;
    if (bits >= 8) out += static_cast<char>(held >> (bits -= 8));
  }
  return out;
}

/// The bytes of a number, most significant first.
template <class T>
std::string big_endian(T value) {
  std::string out(sizeof(T), '\0');
  for (size_t i = 0; i < sizeof(T); ++i)
    out[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  return out;
}
template <class T>
T from_big_endian(View bytes) {
  T out = 0;
  for (unsigned char byte : bytes) out = static_cast<T>(out << 8 | byte);
  return out;
}

int32_t from_big_endian_32(View bytes) {
  if (bytes.size() != 4)
    raise(Code::kInvalidFunctionArgument,
          "expected 4-byte input, but got instead: " + std::to_string(bytes.size()));
  return static_cast<int32_t>(from_big_endian<uint32_t>(bytes));
}
float from_ieee_32(View bytes) {
  if (bytes.size() != 4)
    raise(Code::kInvalidFunctionArgument,
          "Input floating-point value must be exactly 4 bytes long");
  return std::bit_cast<float>(from_big_endian<uint32_t>(bytes));
}
double from_ieee_64(View bytes) {
  if (bytes.size() != 8)
    raise(Code::kInvalidFunctionArgument,
          "Input floating-point value must be exactly 8 bytes long");
  return std::bit_cast<double>(from_big_endian<uint64_t>(bytes));
}

/// The six bits of a character, -1 of any other.
int base64_digit(char c, bool url) {
  return c >= 'A' && c <= 'Z'     ? c - 'A'
         : c >= 'a' && c <= 'z'   ? c - 'a' + 26
         : c >= '0' && c <= '9'   ? c - '0' + 52
         : c == (url ? '-' : '+') ? 62
         : c == (url ? '_' : '/') ? 63
                                  : -1;
}

/// As Java's decoders: padding may be missing, but not be half there; nothing may follow it.
std::string from_base64(View text, bool url) {
  const auto refuse = [](const std::string& why) { raise(Code::kInvalidFunctionArgument, why); };
  std::string out;
  uint32_t held = 0;
  size_t digits = 0, at = 0;
  for (; at < text.size() && text[at] != '='; ++at) {
    const int digit = base64_digit(text[at], url);
    if (digit < 0)
      refuse(fmt::format("Illegal base64 character {:x}", static_cast<unsigned char>(text[at])));
    held = held << 6 | static_cast<uint32_t>(digit);
    if (++digits % 4 != 0) continue;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(held >> shift);
  }
  const size_t rest = digits % 4;
  if (at < text.size()) {
    const size_t padding = rest == 2 ? 2 : rest == 3 ? 1 : 0;
    if (padding == 0 || text.substr(at, padding) != View("==").substr(0, padding))
      refuse("Input byte array has wrong 4-byte ending unit");
    at += padding;
    if (at < text.size())
      refuse("Input byte array has incorrect ending byte at " + std::to_string(at));
  }
  if (rest == 1) {
    refuse(text.size() < 2 ? "Input byte[] should at least have 2 bytes for base64 bytes"
                           : "Last unit does not have enough valid bits");
  }
  held <<= 6 * (4 - rest);
  if (rest >= 2) out += static_cast<char>(held >> 16);
  if (rest == 3) out += static_cast<char>(held >> 8);
  return out;
}

/// Both halves in little endian.
std::string murmur3(View bytes) {
  const auto halves = murmur3_128(bytes);
  std::string out(16, '\0');
  std::memcpy(out.data(), halves.data(), 16);
  return out;
}

/// Teradata's: UTF-16, big endian, as hexadecimal digits.
std::string char_to_hex(View text) {
  std::string out;
  for (uint32_t point : code_points(text)) {
    if (point >= 0x10000) {
      point -= 0x10000;
      out += fmt::format("{:04X}{:04X}", 0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF));
    } else {
      out += fmt::format("{:04X}", point);
    }
  }
  return out;
}

/// Rounded half up, away from zero, to at most `places` decimals; zeros at the end go.
std::string rounded(double value, size_t places) {
  std::string digits = fmt::format("{:.30f}", std::abs(value));
  const size_t cut = digits.find('.') + 1 + places;
  const bool up = digits[cut] >= '5';
  digits.resize(cut);
  for (size_t i = digits.size(); up && i-- > 0;) {
    if (digits[i] == '.') continue;
    if (digits[i]++ != '9') break;
    digits[i] = '0';
    if (i == 0) digits.insert(0, "1");
  }
  while (digits.ends_with('0') && digits.find('.') != std::string::npos) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return (value < 0 ? "-" : "") + digits;
}

std::string format_number(int64_t count) {
  double value = static_cast<double>(count);
  View unit;
  for (View next : {"K", "M", "B", "T", "Q"}) {
    if (std::abs(value) < 1000) break;
    value /= 1000;
    unit = next;
  }
  return rounded(value, value < 10 ? 2 : value < 100 ? 1 : 0) + std::string(unit);
}

/// "2.3MB" in bytes; what is below one byte is dropped.
duckdb::hugeint_t parse_data_size(View text) {
  using boost::multiprecision::cpp_int;
  const auto bad = [&]() {
    raise(Code::kInvalidFunctionArgument, "Invalid data size: '" + std::string(text) + "'");
  };
  const size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const View number = text.substr(0, end), unit = text.substr(end);
  static constexpr View kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  const auto found = std::find(std::begin(kUnits), std::end(kUnits), unit);
  const bool has_digit = number.find_first_not_of('.') != View::npos;
  if (!has_digit || std::count(number.begin(), number.end(), '.') > 1 ||
      found == std::end(kUnits)) {
    bad();
  }
  cpp_int bytes = 0, divisor = 1;
  bool fraction = false;
  for (char c : number) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    bytes = bytes * 10 + (c - '0');
    if (fraction) divisor *= 10;
  }
  bytes = (bytes << static_cast<unsigned>(10 * (found - std::begin(kUnits)))) / divisor;
  if (bytes >= boost::multiprecision::pow(cpp_int(10), 38))
    raise(Code::kNumericValueOutOfRange,
          "Value out of range: '" + std::string(text) + "' ('" + bytes.str() + "B')");
  duckdb::hugeint_t out;
  out.lower = static_cast<uint64_t>(bytes & UINT64_MAX);
  out.upper = static_cast<int64_t>(bytes >> 64);
  return out;
}

}  // namespace

void register_encoding_kernels(duckdb::ExtensionLoader& loader) {
  using duckdb::LogicalType;
  add_kernel<View>(loader, "meesh_to_base32", {kBytes}, kText, to_base32);
  add_kernel<View>(loader, "meesh_from_base32", {kText}, kBytes, from_base32);
  add_kernel<int32_t>(loader, "meesh_big_endian_32", {kInt}, kBytes,
                      [](int32_t v) { return big_endian(static_cast<uint32_t>(v)); });
  add_kernel<View>(loader, "meesh_from_big_endian_32", {kBytes}, kInt, from_big_endian_32);
  add_kernel<float>(loader, "meesh_ieee_32", {LogicalType::FLOAT}, kBytes,
                    [](float v) { return big_endian(std::bit_cast<uint32_t>(v)); });
  add_kernel<double>(loader, "meesh_ieee_64", {kDouble}, kBytes,
                     [](double v) { return big_endian(std::bit_cast<uint64_t>(v)); });
  add_kernel<View>(loader, "meesh_from_ieee_32", {kBytes}, LogicalType::FLOAT, from_ieee_32);
  add_kernel<View>(loader, "meesh_from_ieee_64", {kBytes}, kDouble, from_ieee_64);
  // Of text and of the bytes of one.
  for (const auto& type : {kText, kBytes}) {
    add_kernel<View>(loader, "meesh_from_base64", {type}, kBytes,
                     [](View text) { return from_base64(text, false); });
    add_kernel<View>(loader, "meesh_from_base64url", {type}, kBytes,
                     [](View text) { return from_base64(text, true); });
  }
  add_kernel<View>(loader, "meesh_murmur3", {kBytes}, kBytes, murmur3);
  add_kernel<View>(loader, "meesh_spooky_32", {kBytes}, kBytes, [](View bytes) {
    return big_endian(static_cast<uint32_t>(spooky_hash(bytes)));
  });
  add_kernel<View>(loader, "meesh_spooky_64", {kBytes}, kBytes,
                   [](View bytes) { return big_endian(spooky_hash(bytes)); });
  add_kernel<View>(loader, "meesh_char_to_hex", {kText}, kText, char_to_hex);
  add_kernel<int64_t>(loader, "meesh_format_number", {kLong}, kText, format_number);
  add_kernel<double>(loader, "meesh_format_number", {kDouble}, kText, [](double value) {
    if (std::isnan(value)) return std::string("0");
    // As Java narrows: what does not fit is the nearest bigint.
    return format_number(value >= 0x1p63   ? INT64_MAX
                         : value < -0x1p63 ? INT64_MIN
                                           : static_cast<int64_t>(value));
  });
  add_kernel<View>(loader, "meesh_parse_data_size", {kText}, LogicalType::DECIMAL(38, 0),
                   parse_data_size);
}

}  // namespace meesh::engine
