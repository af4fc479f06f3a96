// A run as it goes, in the terminal: a line for each step that ends; on a terminal, those that run
// below, with what they have done so far.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "app/server.h"

namespace meesh::app {

class RunView {
 public:
  RunView();
  /// `run`: as GET /api/v1/runs/{id} gives it.
  void show(const boost::json::object& run);
  /// Takes away what moves.
  void clear();

 private:
  bool news(const boost::json::object& step);
  void print_ended(const boost::json::object& step) const;
  void draw(const boost::json::object& run);

  const bool live_;
  std::map<std::string, std::string> told_;  // step → state and attempt
  size_t lines_ = 0;                         // that move, on the screen
  size_t turn_ = 0;
  size_t width_ = 0;  // of the longest name
};

/// Follows a run to its end, Ctrl-C asking the server to cancel it. The exit code: 0 it succeeded,
/// 1 it failed, 130 it was canceled.
int follow_run(const ApiOptions& options, const std::string& run_id);

}  // namespace meesh::app
