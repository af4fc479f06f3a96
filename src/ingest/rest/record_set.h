// Records of one portion, as JSON, in a file without a name, and the columns they have been seen
// to have.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/type.h"

namespace meesh::ingest {

struct SeenColumn {
  enum class Values { kNone, kBoolean, kBigint, kDouble, kDate, kTimestamp, kInstant, kText };
  std::string name;               // lower case, unique
  std::vector<std::string> path;  // names of members
  Values values = Values::kNone;  // kNone: nothing but null

  sql::Type type() const;  // of kText for kNone too
};

class RecordSet {
 public:
  /// `flatten`: members of objects become columns of their own, a__b; one level. `watched`: a
  /// column whose values add() looks out for; may be "".
  RecordSet(const std::filesystem::path& folder, bool flatten, std::string watched);

  /// Records that follow come from this page.
  void begin_page(std::string_view shown);
  /// An object, JSON without spaces; taken if `wanted` says so, which is given the watched column's
  /// value as JSON, if there is one.
  using Wanted = std::function<bool(std::optional<std::string_view> watched)>;
  void add(std::string_view record, const Wanted& wanted);

  uint64_t size() const { return records_; }
  uint64_t bytes() const { return bytes_; }
  /// In the order they were seen.
  const std::deque<SeenColumn>& columns() const { return columns_; }
  /// Calls `use(record, page, number in it from 1)`.
  void each(const std::function<void(std::string_view, const std::string&, uint64_t)>& use);

 private:
  struct Expected {
    std::string name;
    SeenColumn* column = nullptr;
  };
  void write(uint32_t head, std::string_view bytes);
  void see(std::string_view name, std::string_view value, size_t position);
  void see_inside(std::string_view outer, std::string_view object);
  void note(SeenColumn& column, std::string_view value);
  SeenColumn& column(std::vector<std::string> path);

  const bool flatten_;
  const std::string watched_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
  uint64_t records_ = 0, bytes_ = 0;
  std::deque<SeenColumn> columns_;
  std::map<std::string, SeenColumn*, std::less<>> by_name_;
  std::vector<Expected> expected_;  // of the last record, by position
  std::optional<std::string_view> watched_value_;
};

}  // namespace meesh::ingest
