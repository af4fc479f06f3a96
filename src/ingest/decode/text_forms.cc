#include "ingest/decode/text_forms.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/functions/text.h"
#include "lake/types_calendar.h"

namespace meesh::ingest {
namespace {

template <class T>
void append_shortest(T value, std::string& out) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  } else {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

}  // namespace

std::string day_text(int64_t days) {
  const auto date = lake::civil_date(days);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

bool is_time_of_day(int64_t micros) { return micros >= 0 && micros < lake::kMicrosPerDay; }

std::string time_text(int64_t micros) { return engine::clock_text(micros, 6); }

std::string instant_text(int64_t micros) {
  const int64_t days = lake::floor_div(micros, lake::kMicrosPerDay);
  return day_text(days) + 'T' + time_text(micros - days * lake::kMicrosPerDay) + 'Z';
}

std::string uuid_text(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<uint8_t>(bytes[i]));
  }
  return out;
}

void append_json_number(double value, std::string& out) { append_shortest(value, out); }
void append_json_number(float value, std::string& out) { append_shortest(value, out); }

}  // namespace meesh::ingest
