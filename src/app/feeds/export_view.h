// An export of feeds as a person watches it: a bar, a line an end.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "app/progress_bar.h"
#include "app/server.h"

namespace meesh::app {

/// Lines of an export's answer as they come; `json`: passed on as they are.
class ExportView {
 public:
  explicit ExportView(bool json) : json_(json) {}

  void take(std::string_view line);
  bool failed() const { return failed_; }
  bool any() const { return any_; }

 private:
  static void print_end(const boost::json::object& end);

  const bool json_;
  bool failed_ = false, any_ = false;
  ProgressBar bar_{[](double rows) { return grouped_digits(static_cast<uint64_t>(rows)); }};
};

}  // namespace meesh::app
