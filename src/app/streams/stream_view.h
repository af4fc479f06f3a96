// Streams as the terminal shows them: a line each, one with all there is to say, and the rows of a
// live table.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace meesh::app {

/// A table with a line for each of {"streams": […]}, and why those failed that did.
void print_streams(const boost::json::object& answer);
void print_stream(const boost::json::object& stream);
/// A commit event of …/live: what it is of, and its newest `most` rows.
void print_live_rows(const boost::json::object& event, size_t most);

/// What a run or a replay did: "1,000 messages, 990 rows, 1.5 s".
std::string done_text(const boost::json::object& end);

/// Text that is drawn again and again at the same place of a terminal. Elsewhere (a file, a pipe)
/// each drawing follows the one before.
class Redrawn {
 public:
  Redrawn();
  /// Everything printed to standard output by `draw` takes the place of what it printed before.
  template <class Draw>
  void show(const Draw& draw) {
    begin();
    draw();
    end();
  }

 private:
  void begin();
  void end() const;

  const bool terminal_;
  bool shown_ = false;
};

}  // namespace meesh::app
