// From a row pattern to the program that looks for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sql/row_pattern.h"

namespace meesh::sql {

/// As Trino knows a pattern variable: upper case unless quoted.
std::string pattern_label(const Ident& ident);

/// Writes the labels and the instructions of a program.
class PatternAssembler {
 public:
  explicit PatternAssembler(RowPatternProgram& program) : program_(program) {}

  /// Numbers the labels and checks the quantifiers.
  void collect(const PatternTerm& term);
  /// The number of a label.
  std::optional<size_t> find(const std::string& label) const;
  void assemble(const PatternTerm& term);

 private:
  using Instruction = RowPatternProgram::Instruction;

  size_t here() const { return program_.instructions.size(); }
  size_t put(Instruction::Kind kind, size_t number = 0);
  Instruction& at(size_t place) { return program_.instructions[place]; }

  void emit(const PatternTerm& term);
  void alternatives(const std::vector<std::function<void()>>& all);
  void permutations(const PatternTerm& term);
  void repeat(const PatternTerm& term);
  void optional(const PatternTerm& term, uint64_t times);
  void endless(const PatternTerm& term);

  RowPatternProgram& program_;
};

}  // namespace meesh::sql
