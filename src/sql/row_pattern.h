// What MATCH_RECOGNIZE says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast.h"
#include "sql/routine.h"

namespace meesh::sql {

struct PatternTerm {
  enum class Kind {
    kLabel,
    kSequence,
    kAlternation,
    kPermutation,
    kExclusion,
    kStart,  // ^
    kEnd,    // $
    kEmpty,  // ()
    kQuantified,
  };
  Kind kind = Kind::kEmpty;
  Position pos;
  Ident label;
  std::vector<std::unique_ptr<PatternTerm>> parts;  // quantified and exclusion: one
  uint64_t low = 0;
  std::optional<uint64_t> high;  // none: unbounded
  bool greedy = true;
};

/// A resolved pattern, for the engine. Input columns are fields "i0", "i1" … of the rows; slots are
/// columns "v0", "v1" … of the expressions.
struct RowPatternProgram {
  using Labels = std::vector<bool>;  // by number of the label; empty: every one

  /// A value that the rows of a match give.
  struct Slot {
    enum class Kind { kColumn, kClassifier, kMatchNumber } kind = Kind::kColumn;
    size_t column = 0;
    Labels labels;
    bool first = false;    // counted from the first row of the labels, else from the last
    bool final = false;    // of the whole match, else of the rows up to the current one
    bool all = false;      // one value of each row: an aggregate's argument
    uint64_t logical = 0;  // rows of the labels left out
    int64_t physical = 0;  // rows of the partition added
  };
  /// Of the machine that looks for a match; alternatives in the order of preference.
  struct Instruction {
    enum class Kind {
      kLabel,
      kSplit,  // first `next`, else `other`
      kJump,
      kStart,
      kEnd,
      kExclude,  // from here on rows are left out of the output
      kInclude,
      kMark,      // remembers the row under `number`
      kProgress,  // goes to `other` unless rows came since the mark
      kMatch,
    } kind{};
    size_t number = 0;  // label, mark
    size_t next = 0, other = 0;
  };
  enum class Rows { kOne, kAllShowEmpty, kAllOmitEmpty, kAllWithUnmatched };
  enum class Skip { kPastLast, kToNext, kToFirst, kToLast };

  int64_t id = 0;  // sql/published.h
  size_t inputs = 0;
  std::vector<Slot> slots;
  std::vector<std::string> labels;
  std::vector<std::string> definitions;  // by label; "" = any row
  std::vector<std::string> measures;
  std::vector<Instruction> instructions;
  size_t marks = 0;
  Rows rows = Rows::kOne;
  Skip skip = Skip::kPastLast;
  Labels skip_labels;
  std::vector<std::shared_ptr<const RoutineProgram>> uses;  // kept alive

  RowPatternProgram() = default;
  RowPatternProgram(const RowPatternProgram&) = delete;
  RowPatternProgram& operator=(const RowPatternProgram&) = delete;
  ~RowPatternProgram();
};

struct RowPattern {
  using Rows = RowPatternProgram::Rows;
  using Skip = RowPatternProgram::Skip;
  /// A column of the result.
  struct Output {
    enum class From { kPartition, kInput, kMeasure } from{};
    size_t number = 0;
  };
  struct Measure {
    ExprPtr value;
    Ident name;
  };
  struct Subset {
    Ident name;
    std::vector<Ident> labels;
  };
  struct Definition {
    Ident label;
    ExprPtr condition;
  };

  std::vector<ExprPtr> partition_by;
  std::vector<SortItem> order_by;
  std::vector<Measure> measures;
  Rows rows = Rows::kOne;
  Skip skip = Skip::kPastLast;
  Ident skip_label;
  std::string search;  // "", "INITIAL", "SEEK"
  Position search_pos;
  std::unique_ptr<PatternTerm> pattern;
  std::vector<Subset> subsets;
  std::vector<Definition> definitions;

  // Set by the resolver.
  std::shared_ptr<const RowPatternProgram> program;
  std::vector<ExprPtr> inputs;
  std::vector<Output> outputs;
};

}  // namespace meesh::sql
