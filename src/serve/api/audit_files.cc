#include "serve/api/audit_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <vector>

#include "base/error.h"
#include "governance/open_lineage.h"

namespace meesh::serve::api {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kBlock = 64 << 10, kMostRead = 16 << 20, kLongestLine = 256 << 10;
constexpr size_t kDayLength = 10;

bool is_day(std::string_view text) {
  if (text.size() != kDayLength) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  return true;
}

/// Newest first.
std::vector<std::string> days_of(const fs::path& folder) {
  std::vector<std::string> days;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const std::string day = entry.path().stem().string();
    if (entry.path().extension() == ".jsonl" && is_day(day)) days.push_back(day);
  }
  std::ranges::sort(days, std::greater());
  return days;
}

/// "2025-01-15:4711": of that day what stands before this byte, and everything older.
struct Place {
  std::string day;
  uint64_t end = UINT64_MAX;
};

Place place_of(const std::string& cursor) {
  if (cursor.empty()) return {"9999-99-99", UINT64_MAX};
  Place place;
  place.day = cursor.substr(0, kDayLength);
  const char* last = cursor.data() + cursor.size();
  if (cursor.size() > kDayLength + 1 && cursor[kDayLength] == ':' && is_day(place.day)) {
    const auto [end, error] = std::from_chars(cursor.data() + kDayLength + 1, last, place.end);
    if (error == std::errc{} && end == last) return place;
  }
  throw Error(Code::kBadRequest, "'cursor' is no cursor of this list");
}

/// The lines of a file from one of its bytes backwards.
class Backwards {
 public:
  Backwards(const fs::path& file, uint64_t end)
      : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    const off_t size = file_ < 0 ? 0 : ::lseek(file_, 0, SEEK_END);
    start_ = std::min<uint64_t>(end, size > 0 ? static_cast<uint64_t>(size) : 0);
  }
  ~Backwards() {
    if (file_ >= 0) ::close(file_);
  }
  Backwards(const Backwards&) = delete;
  Backwards& operator=(const Backwards&) = delete;

  /// Where the line that came last begins.
  uint64_t position() const { return start_ + text_.size(); }
  size_t bytes_read() const { return read_; }

  bool next(std::string& line) {
    while (true) {
      // The line end at the very end belongs to the line before it.
      const size_t from = text_.size() < 2 ? std::string::npos : text_.size() - 2;
      const size_t end = from == std::string::npos ? from : text_.rfind('\n', from);
      if (end != std::string::npos || (start_ == 0 && !text_.empty())) {
        const size_t begin = end == std::string::npos ? 0 : end + 1;
        line = text_.substr(begin);
        text_.resize(begin);
        return true;
      }
      if (start_ == 0) return false;
      if (text_.size() > kLongestLine) text_.clear();  // no line of ours
      read_block();
    }
  }

 private:
  void read_block() {
    const size_t size = std::min<uint64_t>(kBlock, start_);
    std::string block(size, '\0');
    const ssize_t got = ::pread(file_, block.data(), size, static_cast<off_t>(start_ - size));
    start_ -= size;
    read_ += size;
    if (got == static_cast<ssize_t>(size)) text_.insert(0, block);
  }

  const int file_;
  uint64_t start_ = 0;  // of text_ in the file
  size_t read_ = 0;
  std::string text_;
};

std::string_view member(const json::object& event, std::string_view name) {
  const auto* value = event.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : "";
}

bool wanted(const AuditQuery& query, const json::object& event, int64_t ms) {
  return ms >= query.from_ms && ms <= query.to_ms &&
         (query.user.empty() || member(event, "user") == query.user) &&
         (query.outcome.empty() || member(event, "outcome") == query.outcome) &&
         member(event, "action").starts_with(query.action);
}

/// Adds the line if it is wanted; false when it is older than anything that is.
bool take(const std::string& line, const AuditQuery& query, AuditPage& page) {
  json::error_code malformed;
  json::value value = json::parse(line, malformed);
  if (malformed || !value.is_object()) return true;
  json::object& event = value.get_object();
  const auto time = governance::parse_time(std::string(member(event, "time")));
  const int64_t ms = time ? governance::to_ms(*time) : 0;
  event["time_ms"] = ms;
  if (wanted(query, event, ms)) page.events.push_back(std::move(event));
  // Lines of different threads may be some moments out of order.
  return ms == 0 || ms >= query.from_ms - 60'000;
}

}  // namespace

AuditPage read_audit(const fs::path& folder, const AuditQuery& query) {
  AuditPage page;
  const Place place = place_of(query.cursor);
  size_t read = 0;
  for (const std::string& day : days_of(folder)) {
    if (day > place.day) continue;
    Backwards file(folder / (day + ".jsonl"), day == place.day ? place.end : UINT64_MAX);
    for (std::string line; file.next(line);) {
      if (!take(line, query, page)) return page;
      const bool full = page.events.size() >= query.limit;
      if (!full && read + file.bytes_read() < kMostRead) continue;
      page.next = fmt::format("{}:{}", day, file.position());
      return page;
    }
    read += file.bytes_read();
  }
  return page;
}

}  // namespace meesh::serve::api
