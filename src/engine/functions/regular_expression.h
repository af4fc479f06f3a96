// Regular expressions in the syntax that Trino's have (Java's, as Oniguruma reads it). RE2 matches
// all that it can match, in linear time; what it has not (looking around, references back,
// possessive quantifiers) Oniguruma matches by backtracking, with a limit.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/functions/build.h"

namespace meesh::engine {

class RegularExpression {
 public:
  /// The compiled pattern, kept by the thread. Throws INVALID_FUNCTION_ARGUMENT in Oniguruma's
  /// words.
  static const RegularExpression& compiled(std::string_view pattern);

  ~RegularExpression();

  /// The match and its groups; what took no part has no data.
  using Groups = std::vector<re2::StringPiece>;
  /// The first match at or after `from`.
  bool match(std::string_view text, size_t from, Groups& groups) const;

  /// Groups, not counting the match itself.
  int groups() const { return groups_; }
  std::optional<int> group_named(const std::string& name) const;
  /// The same pattern for RE2; empty when RE2 cannot match it.
  std::string linear() const { return linear_ ? linear_->pattern() : ""; }
  bool is_linear() const { return linear_ != nullptr; }

 private:
  struct Backtracking;

  explicit RegularExpression(std::string_view pattern);
  bool backtrack(std::string_view text, size_t from, Groups& groups) const;

  std::string pattern_;
  int groups_ = 0;
  std::unique_ptr<Backtracking> backtracking_;
  std::unique_ptr<re2::RE2> linear_;
};

/// regexp_like(text, pattern): DuckDB's own when the pattern is a constant that RE2 can match.
ExprPtr regexp_like(const Build& build, Exprs args);

}  // namespace meesh::engine
