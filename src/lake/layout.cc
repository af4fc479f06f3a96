#include "lake/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "lake/transform.h"
#include "lake/types_calendar.h"

namespace meesh::lake {
namespace {

constexpr std::string_view kNothing = "__HIVE_DEFAULT_PARTITION__";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::kInvalidTableProperty, fmt::format("{}: {}", kLayoutProperty, why))
      .with_hint("write a path such as 'year={ts_day:%Y}/month={ts_day:%m}/data_{file}'");
}

/// The parts of time that a field's values have, coarsest first; "" if they are no times.
std::string_view parts_of(const Transform& transform, const Type& source) {
  switch (transform.kind) {
    case TransformKind::kYear:
      return "Y";
    case TransformKind::kMonth:
      return "Ym";
    case TransformKind::kDay:
      return "Ymd";
    case TransformKind::kHour:
      return "YmdH";
    case TransformKind::kIdentity:
      break;
    default:
      return "";
  }
  if (source.kind == TypeKind::kDate) return "Ymd";
  const bool moment = source.kind == TypeKind::kTimestamp || source.kind == TypeKind::kTimestampTz;
  return moment ? "YmdH" : "";
}

/// µs since 1970 at which the value begins.
int64_t beginning(const Transform& transform, const Type& source, int64_t value) {
  switch (transform.kind) {
    case TransformKind::kYear:
      return days_of({1970 + value, 1, 1}) * kMicrosPerDay;
    case TransformKind::kMonth: {
      const int64_t years = floor_div(value, 12);
      const auto month = static_cast<int>(value - years * 12 + 1);
      return days_of({1970 + years, month, 1}) * kMicrosPerDay;
    }
    case TransformKind::kDay:
      return value * kMicrosPerDay;
    case TransformKind::kHour:
      return value * kMicrosPerHour;
    default:
      return source.kind == TypeKind::kDate ? value * kMicrosPerDay : value;
  }
}

std::string formatted(std::string_view format, int64_t micros) {
  const int64_t days = floor_div(micros, kMicrosPerDay);
  const CivilDate date = civil_date(days);
  const int64_t hour = (micros - days * kMicrosPerDay) / kMicrosPerHour;
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'Y':
        out += fmt::format("{:04}", date.year);
        break;
      case 'm':
        out += fmt::format("{:02}", date.month);
        break;
      case 'd':
        out += fmt::format("{:02}", date.day);
        break;
      default:
        out += fmt::format("{:02}", hour);
    }
  }
  return out;
}

void check_format(std::string_view format, std::string_view field, std::string_view parts) {
  if (parts.empty()) refuse(fmt::format("values of {} are no times", field));
  if (format.empty()) refuse(fmt::format("{{{}:}} says nothing", field));
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (++i < format.size() && parts.find(format[i]) != parts.npos) continue;
    refuse(fmt::format("values of {} have the parts %{}", field, fmt::join(parts, ", %")));
  }
}

/// What can be told from the text alone.
void check_path(std::string_view text) {
  if (text.size() > 500) refuse("the path is longer than 500 bytes");
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('/', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") {
      refuse(fmt::format("'{}' has an empty, '.' or '..' part", text));
    }
    at = end + 1;
  }
  const bool plain = std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7F && c != '\\' && c != '?' && c != '#';
  });
  if (!plain) refuse("only printable ASCII without spaces, \\, ? and # may stand in it");
}

/// One segment or a part of one, whatever the value is.
std::string safe(const std::string& value) {
  if (value.empty()) return std::string(kNothing);
  std::string out = form_encoded(value);
  if (out == ".") return "%2E";
  if (out == "..") return "%2E%2E";
  return out;
}

}  // namespace

FileLayout::FileLayout(std::string_view text, const PartitionSpec& spec, const Schema& schema) {
  check_path(text);
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('{', at), text.size());
    if (open > at) pieces_.push_back({.text = std::string(text.substr(at, open - at))});
    if (open == text.size()) break;
    const size_t close = text.find('}', open);
    if (close == text.npos) refuse("a { without its }");
    add_placeholder(text.substr(open + 1, close - open - 1), spec, schema);
    at = close + 1;
  }
  const auto names = std::ranges::count_if(pieces_, [](const Piece& piece) { return piece.file; });
  const size_t last = text.rfind('/') == text.npos ? 0 : text.rfind('/') + 1;
  if (names != 1 || text.find("{file}", last) == text.npos) {
    refuse("the last part of the path must have {file} in it, and no other part may");
  }
}

void FileLayout::add_placeholder(std::string_view text, const PartitionSpec& spec,
                                 const Schema& schema) {
  if (text == "file") {
    pieces_.push_back({.file = true});
    return;
  }
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  std::string known;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    known += (known.empty() ? "" : ", ") + field.name;
    if (field.name != name) continue;
    const Field* source = find_field(schema, field.source_id);
    Piece piece{.field = i,
                .format = std::string(text.substr(std::min(colon + 1, text.size()))),
                .transform = field.transform,
                .source = source ? source->type : primitive_type(TypeKind::kString)};
    if (colon < text.size())
      check_format(piece.format, name, parts_of(piece.transform, piece.source));
    pieces_.push_back(std::move(piece));
    return;
  }
  refuse(fmt::format("the table is not partitioned by {}; {}", name,
                     known.empty() ? "it is not partitioned" : "its fields are " + known));
}

std::string FileLayout::path(std::span<const Value> partition, std::string_view file) const {
  std::string path;
  for (const Piece& piece : pieces_) {
    if (piece.file) {
      path += file;
    } else if (!piece.field) {
      path += piece.text;
    } else if (const Value& value = partition[*piece.field]; is_null(value)) {
      path += kNothing;
    } else if (piece.format.empty()) {
      path += safe(transformed_text(piece.transform, piece.source, value));
    } else {
      const auto moment = std::get<int64_t>(value);
      path += formatted(piece.format, beginning(piece.transform, piece.source, moment));
    }
  }
  return path;
}

std::optional<FileLayout> file_layout(const TableMetadata& table) {
  const auto text = table.properties.find(kLayoutProperty);
  if (text == table.properties.end()) return std::nullopt;
  return FileLayout(text->second, table.spec(), table.schema());
}

std::vector<std::string> named_places(const Properties& properties) {
  std::vector<std::string> places;
  for (const char* key : {"write.data.path", "write.metadata.path", "write.object-storage.path"}) {
    const auto given = properties.find(key);
    if (given != properties.end()) places.push_back(given->second);
  }
  return places;
}

}  // namespace meesh::lake
