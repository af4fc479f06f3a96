// Line editing with history and completion over libedit.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace meesh::app {

class LineEditor {
 public:
  /// `names`: identifiers to complete besides SQL's words; asked at the first Tab.
  explicit LineEditor(std::function<std::vector<std::string>()> names);
  ~LineEditor();  // writes the history
  LineEditor(const LineEditor&) = delete;

  /// nullopt at end of input (Ctrl-D).
  std::optional<std::string> read(const std::string& prompt);
  /// The last read() was broken off by Ctrl-C.
  bool interrupted() const { return interrupted_; }
  void remember(const std::string& statement);
  static std::string history_file();

 private:
  bool interrupted_ = false;
};

}  // namespace meesh::app
