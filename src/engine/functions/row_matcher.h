// Looks for a row pattern in the rows of one partition: backtracking over the program, in the order
// of preference, so that the first match found is the one.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include "sql/row_pattern.h"

namespace meesh::engine {

/// Labels of consecutive rows, and which of them the output leaves out.
struct RowMatch {
  size_t start = 0;
  std::vector<size_t> labels;
  std::vector<bool> excluded;
};

class RowMatcher {
 public:
  /// Whether the row can have the label, behind the rows matched so far: `match` ends with it.
  using Test = std::function<bool(size_t label, size_t row, const RowMatch& match)>;

  /// `independent`: the test looks at the row alone, so that a place that led nowhere once need not
  /// be tried again. `poll` is called now and then and may throw.
  RowMatcher(const sql::RowPatternProgram& program, size_t rows, Test test, bool independent,
             std::function<void()> poll)
      : program_(program),
        rows_(rows),
        test_(std::move(test)),
        remembers_(independent && program.marks == 0),
        poll_(std::move(poll)) {}

  /// The match that begins at the row, if there is one.
  bool find(size_t start, RowMatch& match);

 private:
  using Instruction = sql::RowPatternProgram::Instruction;

  /// A place to go on from when the preferred way leads nowhere.
  struct Choice {
    size_t at = 0, matched = 0;
    bool excluding = false;
    std::vector<size_t> marks;
  };

  bool label(const Instruction& instruction, RowMatch& match);
  bool go_back(RowMatch& match);

  const sql::RowPatternProgram& program_;
  const size_t rows_;
  const Test test_;
  const bool remembers_;
  const std::function<void()> poll_;
  std::vector<Choice> choices_;
  std::vector<size_t> marks_;  // rows matched when the mark was met
  bool excluding_ = false;
  size_t at_ = 0;
  uint64_t steps_ = 0;
  std::unordered_set<uint64_t> tried_;  // splits by place and row
};

}  // namespace meesh::engine
