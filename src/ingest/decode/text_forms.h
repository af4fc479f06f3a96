// Values as JSON writes them where a message has them in binary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meesh::ingest {

std::string day_text(int64_t days);  // "2025-01-15"
bool is_time_of_day(int64_t micros);
std::string time_text(int64_t micros);          // of the day: "10:15:30.123456"
std::string instant_text(int64_t micros);       // "2025-01-15T10:15:30.123456Z"
std::string uuid_text(std::string_view bytes);  // 16 of them

/// The shortest text that reads back as the same; "NaN", "Infinity" and "-Infinity" in quotes.
void append_json_number(double value, std::string& out);
void append_json_number(float value, std::string& out);

}  // namespace meesh::ingest
