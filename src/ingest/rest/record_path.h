// Where in a page of JSON something is: "data.items", "results[0].rows", "groups[*].members",
// "$.\"a.b\"". Written as in JSONPath, of which it is the part that needs no conditions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::ingest {

class RecordPath {
 public:
  /// Throws CONFIG_INVALID. "" and "$" are the whole page.
  static RecordPath parse(std::string_view text);

  /// Calls `use` for each record, as JSON: an object; what else stands among records becomes
  /// {"value": …}, null none. An array stands for its items. False if the page has nothing there.
  /// `page` is JSON without spaces.
  bool each(std::string_view page, const std::function<void(std::string_view record)>& use) const;
  /// The first value there; nothing if there is none, or null.
  std::optional<std::string_view> value(std::string_view page) const;
  /// value() as text: a string without quotes, other values as JSON.
  std::optional<std::string> text(std::string_view page) const;

 private:
  struct Step {
    enum class Kind { kMember, kItem, kAll };
    Kind kind = Kind::kMember;
    std::string name;   // kMember
    size_t number = 0;  // kItem
  };
  /// Calls `use` for every value the steps from `at` on lead to, until one call is false; false
  /// then.
  bool walk(std::string_view value, size_t at,
            const std::function<bool(std::string_view)>& use) const;

  std::vector<Step> steps_;
};

/// Where the records of a page are if nobody says: the page itself if it is an array, its only
/// member that is an array of objects, or, without any, the page as one record. Throws
/// CONFIG_INVALID if there are several, with their names.
std::string likely_records(std::string_view page);

}  // namespace meesh::ingest
