// Texts of a policy that requests are matched with: * (any characters), ? (one character) and
// variables, ${aws:username}. A match takes time in the order of the texts' lengths, whatever the
// pattern.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/policy_facts.h"

namespace meesh::access {

/// A pattern taken apart at its stars, ready to match.
class Glob {
 public:
  /// One thing a pattern is made of.
  struct Piece {
    enum class Kind { kText, kMany, kOne, kVariable };
    Kind kind;
    std::string text;  // kText: as it is; kVariable: the key, in lower case
  };
  /// kVariable pieces are not allowed here.
  explicit Glob(const std::vector<Piece>& pieces);
  bool matches(std::string_view text) const;

 private:
  // Segments between stars. Patterns with ? are matched in code points, others in bytes.
  std::vector<std::string> bytes_;
  std::vector<std::u32string> points_;
  bool single_ = false;  // has a ?
};

struct PatternOptions {
  bool wildcards = true;
  bool variables = true;  // a version 2008 policy has none: ${ is text
  bool any_case = false;  // of ASCII letters
};

class Pattern {
 public:
  using Options = PatternOptions;

  /// Throws Error without position: a variable that is not known or has no end.
  static Pattern compile(std::string_view text, Options options);

  /// False if a variable has no value, or several.
  bool matches(std::string_view text, const Facts& facts) const;
  /// Holds no * ? or variable.
  bool fixed() const;
  /// What stands before the first * ? or variable.
  const std::string& beginning() const;

 private:
  Pattern() = default;
  std::vector<Glob::Piece> pieces_;
  std::vector<Glob> ready_;  // one, if there are no variables
  bool any_case_ = false;
};

}  // namespace meesh::access
