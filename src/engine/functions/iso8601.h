// Dates and times as ISO 8601 writes them, read as Joda-Time and java.time read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meesh::engine {

struct IsoMoment {
  int64_t days = 0;   // since 1970-01-01
  int64_t nanos = 0;  // of the day
  std::string zone;   // "UTC", "+05:30"; "" = none written
};

/// yyyy[-MM[-dd]], yyyy-DDD or yyyy-Www[-e], then T and a time of hours, minutes, seconds and a
/// fraction of the last of them, then an offset; each after the first may lack. Throws
/// INVALID_FUNCTION_ARGUMENT in Joda-Time's words.
IsoMoment parse_iso_timestamp(std::string_view text);
/// The date alone.
int64_t parse_iso_date(std::string_view text);
/// yyyy-MM-ddTHH:mm[:ss[.fraction]][offset], in java.time's words.
IsoMoment parse_iso_nanos(std::string_view text);

}  // namespace meesh::engine
