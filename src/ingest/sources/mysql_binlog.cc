#include "ingest/sources/mysql_binlog.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "ingest/sources/mysql_json.h"

namespace meesh::ingest::binlog {

using engine::MysqlCell;
using engine::MysqlColumn;

namespace {

// enum_field_types of MySQL's protocol.
enum Type : uint8_t {
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kNull = 6,
  kTimestamp = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDate = 10,
  kTime = 11,
  kDatetime = 12,
  kYear = 13,
  kNewDate = 14,
  kVarchar = 15,
  kBit = 16,
  kTimestamp2 = 17,
  kDatetime2 = 18,
  kTime2 = 19,
  kJson = 245,
  kNewDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
  kGeometry = 255,
};

constexpr int64_t kMicros = 1000000;
constexpr int kDigitsOfGroup = 9;
constexpr size_t kBytesOfDigits[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

[[noreturn]] void malformed(std::string_view what) {
  throw Error(Code::kGenericExternal, fmt::format("the binlog has {}", what));
}

std::string_view take(std::string_view& data, size_t count) {
  if (data.size() < count) malformed("a row that ends too early");
  const auto taken = data.substr(0, count);
  data.remove_prefix(count);
  return taken;
}

uint64_t little(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

uint64_t big(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

size_t meta_size(uint8_t type) {
  switch (type) {
    case kFloat:
    case kDouble:
    case kBlob:
    case kTinyBlob:
    case kMediumBlob:
    case kLongBlob:
    case kGeometry:
    case kJson:
    case kTimestamp2:
    case kDatetime2:
    case kTime2:
      return 1;
    case kVarchar:
    case kVarString:
    case kBit:
    case kNewDecimal:
    case kString:
    case kEnum:
    case kSet:
      return 2;
    case kTiny:
    case kShort:
    case kLong:
    case kNull:
    case kTimestamp:
    case kLongLong:
    case kInt24:
    case kDate:
    case kTime:
    case kDatetime:
    case kYear:
    case kNewDate:
      return 0;
    default:
      malformed(
          fmt::format("a column of the type {}, which cannot be read: of a compressed "
                      "column, perhaps",
                      type));
  }
}

size_t fraction_bytes(unsigned digits) { return (std::min(digits, 6u) + 1) / 2; }

/// The real type and greatest length of a column that says it is a string.
struct StringMeta {
  uint8_t type;
  size_t length;
};
StringMeta string_meta(uint16_t meta) {
  const uint8_t type = meta & 0xff;
  const size_t length = meta >> 8;
  // Lengths above 255 hide two bits in the type.
  if ((type & 0x30) != 0x30)
    return {static_cast<uint8_t>(type | 0x30), length | (((type & 0x30) ^ 0x30u) << 4)};
  return {type, length};
}

size_t decimal_bytes(unsigned precision, unsigned scale) {
  if (scale > precision || precision > 65) malformed("a decimal of impossible size");
  const unsigned before = precision - scale;
  return before / kDigitsOfGroup * 4 + kBytesOfDigits[before % kDigitsOfGroup] +
         scale / kDigitsOfGroup * 4 + kBytesOfDigits[scale % kDigitsOfGroup];
}

std::string_view take_cell(uint8_t type, uint16_t meta, std::string_view& data) {
  switch (type) {
    case kNull:
      return {};
    case kTiny:
    case kYear:
      return take(data, 1);
    case kShort:
      return take(data, 2);
    case kInt24:
    case kDate:
    case kNewDate:
    case kTime:
      return take(data, 3);
    case kLong:
    case kFloat:
    case kTimestamp:
      return take(data, 4);
    case kLongLong:
    case kDouble:
    case kDatetime:
      return take(data, 8);
    case kTimestamp2:
      return take(data, 4 + fraction_bytes(meta));
    case kDatetime2:
      return take(data, 5 + fraction_bytes(meta));
    case kTime2:
      return take(data, 3 + fraction_bytes(meta));
    case kNewDecimal:
      return take(data, decimal_bytes(meta & 0xff, meta >> 8));
    case kBit:
      return take(data, (meta >> 8) + ((meta & 0xff) > 0 ? 1 : 0));
    case kVarchar:
    case kVarString:
      return take(data, little(take(data, meta < 256 ? 1 : 2)));
    case kString: {
      const auto [real, length] = string_meta(meta);
      if (real == kEnum || real == kSet) return take(data, length);
      return take(data, little(take(data, length < 256 ? 1 : 2)));
    }
    case kEnum:
    case kSet:
      return take(data, meta >> 8);
    default:  // blobs
      if (meta < 1 || meta > 4) malformed("a blob with an impossible length");
      return take(data, little(take(data, meta)));
  }
}

/// A group of a decimal's digits; bytes of negative ones are inverted.
uint32_t group(std::string_view bytes, bool negative) {
  uint32_t value = 0;
  for (const char c : bytes)
    value = value << 8 | static_cast<uint8_t>(negative ? ~static_cast<uint8_t>(c) : c);
  return value;
}

/// "-12.50"
std::string decimal_text(std::string_view bytes, unsigned precision, unsigned scale) {
  std::string copy(bytes);
  const bool negative = (copy.at(0) & 0x80) == 0;
  copy[0] = static_cast<char>(copy[0] ^ 0x80);
  std::string_view left = copy;
  const unsigned before = precision - scale;
  std::string whole, fraction;
  const auto add = [&](std::string& to, unsigned digits) {
    to += fmt::format("{:0{}}", group(take(left, kBytesOfDigits[digits]), negative), digits);
  };
  if (before % kDigitsOfGroup > 0) add(whole, before % kDigitsOfGroup);
  for (unsigned i = 0; i < before / kDigitsOfGroup; ++i) add(whole, kDigitsOfGroup);
  for (unsigned i = 0; i < scale / kDigitsOfGroup; ++i) add(fraction, kDigitsOfGroup);
  if (scale % kDigitsOfGroup > 0) add(fraction, scale % kDigitsOfGroup);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

int64_t fraction_micros(std::string_view bytes) {
  auto value = static_cast<int64_t>(big(bytes));
  for (size_t i = bytes.size(); i < 3; ++i) value *= 100;
  return value;
}

bool put_day(engine::RowBuffer& rows, size_t to, int64_t year, unsigned month, unsigned day,
             int64_t micros, bool is_date) {
  const auto days = engine::mysql_days(year, month, day);
  if (!days) return true;  // a zero date is NULL
  return rows.integer(to, is_date ? *days : *days * 86400 * kMicros + micros);
}

bool put_datetime2(engine::RowBuffer& rows, size_t to, std::string_view bytes) {
  const auto value = static_cast<int64_t>(big(bytes.substr(0, 5))) - 0x8000000000;
  if (value < 0) return true;
  const int64_t days = value >> 17, months = days >> 5, time = value & 0x1ffff;
  const int64_t seconds = (time >> 12) * 3600 + (time >> 6 & 63) * 60 + (time & 63);
  return put_day(rows, to, months / 13, static_cast<unsigned>(months % 13),
                 static_cast<unsigned>(days & 31),
                 seconds * kMicros + fraction_micros(bytes.substr(5)), false);
}

bool put_old_datetime(engine::RowBuffer& rows, size_t to, uint64_t value) {
  const auto date = static_cast<int64_t>(value / 1000000),
             time = static_cast<int64_t>(value % 1000000);
  const int64_t seconds = time / 10000 * 3600 + time / 100 % 100 * 60 + time % 100;
  return put_day(rows, to, date / 10000, static_cast<unsigned>(date / 100 % 100),
                 static_cast<unsigned>(date % 100), seconds * kMicros, false);
}

/// What is no time of a day is NULL.
bool put_time2(engine::RowBuffer& rows, size_t to, std::string_view bytes) {
  const auto value = static_cast<int64_t>(big(bytes.substr(0, 3))) - 0x800000;
  const int64_t hour = value >> 12 & 0x3ff;
  if (value < 0 || hour > 23) return true;
  const int64_t seconds = hour * 3600 + (value >> 6 & 63) * 60 + (value & 63);
  return rows.integer(to, seconds * kMicros + fraction_micros(bytes.substr(3)));
}

bool put_time(engine::RowBuffer& rows, size_t to, uint8_t type, std::string_view bytes) {
  const uint64_t value = little(bytes);
  switch (type) {
    case kDate:
    case kNewDate:
      return put_day(rows, to, static_cast<int64_t>(value >> 9),
                     static_cast<unsigned>(value >> 5 & 15), static_cast<unsigned>(value & 31), 0,
                     true);
    case kDatetime2:
      return put_datetime2(rows, to, bytes);
    case kDatetime:
      return put_old_datetime(rows, to, value);
    case kTimestamp2: {
      const auto seconds = static_cast<int64_t>(big(bytes.substr(0, 4)));
      const int64_t micros = fraction_micros(bytes.substr(4));
      return (seconds == 0 && micros == 0) || rows.integer(to, seconds * kMicros + micros);
    }
    case kTimestamp:
      return value == 0 || rows.integer(to, static_cast<int64_t>(value) * kMicros);
    case kTime2:
      return put_time2(rows, to, bytes);
    case kTime: {
      const int64_t seconds =
          static_cast<int64_t>(value / 10000 * 3600 + value / 100 % 100 * 60 + value % 100);
      return value >= 240000 || rows.integer(to, seconds * kMicros);
    }
    default:
      return false;
  }
}

bool put_integer(engine::RowBuffer& rows, size_t to, const MysqlColumn& column, uint8_t type,
                 std::string_view bytes) {
  if (type == kBit) {
    const uint64_t value = big(bytes);
    if (column.cell == MysqlCell::kBoolean) return rows.boolean(to, value != 0), true;
    if (column.cell == MysqlCell::kDecimal) return rows.decimal(to, {value, 0});
    return rows.integer(to, static_cast<int64_t>(value));
  }
  uint64_t value = little(bytes);
  if (type == kYear) return rows.integer(to, value == 0 ? 0 : static_cast<int64_t>(value) + 1900);
  if (column.cell == MysqlCell::kDecimal) return rows.decimal(to, {value, 0});  // unsigned bigint
  if (!column.is_unsigned && bytes.size() < 8) {
    const uint64_t sign = uint64_t{1} << (bytes.size() * 8 - 1);
    value = (value ^ sign) - sign;
  }
  return rows.integer(to, static_cast<int64_t>(value));
}

/// The label or labels of an enum's number or a set's bits.
std::string label_text(const MysqlColumn& column, uint64_t value) {
  if (column.data_type == "enum")
    return value >= 1 && value <= column.labels.size() ? column.labels[value - 1] : "";
  std::string text;
  for (size_t i = 0; i < column.labels.size() && i < 64; ++i)
    if (value >> i & 1) text += (text.empty() ? "" : ",") + column.labels[i];
  return text;
}

bool put_bytes(engine::RowBuffer& rows, size_t to, const MysqlColumn& column,
               std::string_view bytes) {
  if (column.cell == MysqlCell::kGeometry) {
    if (bytes.size() < 4) return false;
    rows.text(to, bytes.substr(4));
    return true;
  }
  if (column.data_type != "binary") return rows.text(to, bytes), true;
  // binary(n) comes without its zeros at the end.
  std::string padded(bytes);
  size_t length = 0;
  for (const char c :
       column.shown.substr(std::min(column.shown.find('(') + 1, column.shown.size())))
    if (c >= '0' && c <= '9') length = length * 10 + static_cast<size_t>(c - '0');
  if (padded.size() < length && length <= 255) padded.resize(length, '\0');
  rows.text(to, padded);
  return true;
}

/// UUIDs are kept with their last bytes first, so that those made by time sort by it.
bool put_uuid(engine::RowBuffer& rows, size_t to, std::string_view bytes) {
  if (bytes.size() > 16) return false;
  std::string raw(bytes);
  raw.resize(16, '\0');
  const uint64_t high = big(std::string_view(raw).substr(0, 8)),
                 low = big(std::string_view(raw).substr(8));
  return rows.decimal(to, {low, static_cast<int64_t>(high ^ (uint64_t{1} << 63))});
}

bool put_address(engine::RowBuffer& rows, size_t to, const MysqlColumn& column,
                 std::string_view bytes) {
  const bool six = column.data_type == "inet6";
  std::string raw(bytes);
  raw.resize(six ? 16 : 4, '\0');
  char text[INET6_ADDRSTRLEN];
  if (!inet_ntop(six ? AF_INET6 : AF_INET, raw.data(), text, sizeof text)) return false;
  rows.text(to, text);
  return true;
}

/// What iconv calls MySQL's charsets.
const char* iconv_name(const std::string& charset) {
  static const std::map<std::string, const char*> kNames = {
      {"latin1", "CP1252"},      {"latin2", "ISO-8859-2"},  {"latin5", "ISO-8859-9"},
      {"latin7", "ISO-8859-13"}, {"greek", "ISO-8859-7"},   {"hebrew", "ISO-8859-8"},
      {"ucs2", "UCS-2BE"},       {"utf16", "UTF-16BE"},     {"utf16le", "UTF-16LE"},
      {"utf32", "UTF-32BE"},     {"cp1250", "CP1250"},      {"cp1251", "CP1251"},
      {"cp1256", "CP1256"},      {"cp1257", "CP1257"},      {"cp850", "CP850"},
      {"cp852", "CP852"},        {"cp866", "CP866"},        {"cp932", "CP932"},
      {"sjis", "SHIFT_JIS"},     {"ujis", "EUC-JP"},        {"eucjpms", "EUC-JP"},
      {"euckr", "EUC-KR"},       {"gb2312", "EUC-CN"},      {"gbk", "GBK"},
      {"gb18030", "GB18030"},    {"big5", "BIG5"},          {"koi8r", "KOI8-R"},
      {"koi8u", "KOI8-U"},       {"macroman", "MACINTOSH"}, {"tis620", "TIS-620"}};
  const auto found = kNames.find(charset);
  return found == kNames.end() ? nullptr : found->second;
}

}  // namespace

TableMap read_table_map(std::string_view database, std::string_view table, std::string_view types,
                        std::string_view metadata, std::string_view names) {
  TableMap map;
  map.database = database;
  map.table = table;
  map.types.assign(types.begin(), types.end());
  for (const uint8_t type : map.types)
    map.metas.push_back(static_cast<uint16_t>(little(take(metadata, meta_size(type)))));
  while (!names.empty()) {
    const auto length = static_cast<uint8_t>(take(names, 1)[0]);
    if (length > 250) malformed("a column with an impossible name");
    map.names.emplace_back(take(names, length));
  }
  if (!map.names.empty() && map.names.size() != map.types.size())
    malformed("names of other columns than its table");
  return map;
}

void read_row(const TableMap& map, const unsigned char* present, std::string_view& data,
              std::vector<Cell>& cells) {
  const size_t count = map.types.size();
  cells.assign(count, {});
  size_t there = 0;
  for (size_t i = 0; i < count; ++i) {
    cells[i].present = present[i / 8] >> (i % 8) & 1;
    there += cells[i].present ? 1 : 0;
  }
  const auto nulls = take(data, (there + 7) / 8);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!cells[i].present) continue;
    cells[i].null = static_cast<unsigned char>(nulls[at / 8]) >> (at % 8) & 1;
    ++at;
    if (!cells[i].null) cells[i].bytes = take_cell(map.types[i], map.metas[i], data);
  }
}

bool fits(const TableMap& map, size_t at, const MysqlColumn& column) {
  // A whole number may have become a wider one since.
  static const std::map<std::string, std::vector<uint8_t>> kTypes = {
      {"tinyint", {kTiny}},
      {"smallint", {kTiny, kShort}},
      {"mediumint", {kTiny, kShort, kInt24}},
      {"int", {kTiny, kShort, kInt24, kLong}},
      {"bigint", {kTiny, kShort, kInt24, kLong, kLongLong}},
      {"year", {kYear}},
      {"float", {kFloat}},
      {"double", {kDouble}},
      {"decimal", {kNewDecimal}},
      {"bit", {kBit}},
      {"date", {kDate, kNewDate}},
      {"time", {kTime, kTime2}},
      {"datetime", {kDatetime, kDatetime2}},
      {"timestamp", {kTimestamp, kTimestamp2}},
      {"varchar", {kVarchar, kVarString}},
      {"varbinary", {kVarchar, kVarString}},
      {"json", {kJson, kBlob}},
      {"enum", {kEnum}},
      {"set", {kSet}}};
  uint8_t type = map.types[at];
  if (type == kString) {
    const uint8_t real = string_meta(map.metas[at]).type;
    if (real == kEnum || real == kSet) type = real;
  }
  const auto known = kTypes.find(column.data_type);
  if (known != kTypes.end()) {
    if (std::ranges::count(known->second, type) == 0) return false;
    const bool decimal = type == kNewDecimal && column.type.kind == sql::TypeKind::kDecimal;
    return !decimal || (map.metas[at] >> 8) == column.type.scale;
  }
  if (column.cell == MysqlCell::kGeometry) return type == kGeometry || type == kBlob;
  if (column.data_type.ends_with("text") || column.data_type.ends_with("blob"))
    return type == kBlob || (type >= kTinyBlob && type <= kLongBlob);
  return type == kString;  // char, binary, uuid, inet
}

TextReader::TextReader() = default;
TextReader::~TextReader() {
  for (auto& [name, converter] : converters_)
    if (converter != reinterpret_cast<void*>(-1)) iconv_close(converter);
}

bool TextReader::read(const std::string& charset, std::string_view bytes, std::string& text) {
  if (charset.starts_with("utf8") || charset == "ascii") {
    text = bytes;
    return base::valid_utf8(text);
  }
  const char* name = iconv_name(charset);
  if (!name) return false;
  auto& converter = converters_[charset];
  if (!converter) converter = iconv_open("UTF-8", name);
  if (converter == reinterpret_cast<void*>(-1)) return false;
  text.resize(bytes.size() * 4 + 4);
  char *from = const_cast<char*>(bytes.data()), *to = text.data();
  size_t left = bytes.size(), room = text.size();
  iconv(converter, nullptr, nullptr, nullptr, nullptr);
  const bool whole = iconv(converter, &from, &left, &to, &room) != static_cast<size_t>(-1);
  text.resize(text.size() - room);
  return whole;
}

bool put_cell(engine::RowBuffer& rows, size_t to, const MysqlColumn& column, const TableMap& map,
              size_t at, std::string_view bytes, TextReader& texts) {
  const uint8_t type = map.types[at];
  const uint16_t meta = map.metas[at];
  if (type == kNewDecimal)
    return put_mysql_text(rows, to, column, decimal_text(bytes, meta & 0xff, meta >> 8));
  if (!column.labels.empty()) return rows.text(to, label_text(column, little(bytes))), true;
  switch (column.cell) {
    case MysqlCell::kInteger:
    case MysqlCell::kBoolean:
    case MysqlCell::kDecimal:
      return put_integer(rows, to, column, type, bytes);
    case MysqlCell::kFloat:
      if (type == kFloat)
        rows.number(to, std::bit_cast<float>(static_cast<uint32_t>(little(bytes))));
      else
        rows.number(to, std::bit_cast<double>(little(bytes)));
      return true;
    case MysqlCell::kDate:
    case MysqlCell::kTime:
    case MysqlCell::kDatetime:
      return put_time(rows, to, type, bytes);
    case MysqlCell::kBytes:
    case MysqlCell::kGeometry:
      return put_bytes(rows, to, column, bytes);
    case MysqlCell::kUuid:
      return put_uuid(rows, to, bytes);
    default:
      break;
  }
  std::string text;
  if (type == kJson) {
    const auto json = mysql_json_text(bytes);
    return json && (rows.text(to, *json), true);
  }
  if (column.data_type.starts_with("inet")) return put_address(rows, to, column, bytes);
  if (!texts.read(column.charset, bytes, text)) return false;
  rows.text(to, text);
  return true;
}

std::string shown(std::string_view bytes) {
  constexpr size_t kMost = 1000;
  const std::string text(bytes.substr(0, kMost));
  return base::valid_utf8(text) ? text : "0x" + base::to_hex(text);
}

}  // namespace meesh::ingest::binlog
