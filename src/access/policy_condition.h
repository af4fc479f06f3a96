// The Condition of a policy's statement: {"StringLike": {"s3:prefix": ["raw/*", ""]}, …}.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/located_json.h"
#include "access/policy_facts.h"

namespace meesh::access {

/// One operator on one key.
class Condition {
 public:
  /// Whether one value of the request fits one of the policy.
  using Test = std::function<bool(const std::string& value, const Facts& facts)>;
  /// What is done with several values of the request. kNone: without ForAnyValue, ForAllValues.
  enum class Set { kNone, kAny, kAll };

  bool holds(const Facts& facts) const;
  /// Keeps strangers out, as S3 defines it for public policies: an address range, a network, an
  /// identity, named without wildcards.
  bool keeps_strangers_out() const { return keeps_strangers_out_; }

 private:
  friend class ConditionReader;
  std::string key_;  // lower case up to a slash
  Set set_ = Set::kNone;
  bool if_exists_ = false;
  bool negated_ = false;
  bool null_ = false;  // operator Null: asks only whether there is a value
  bool keeps_strangers_out_ = false;
  std::vector<Test> tests_;  // of which one must fit; Null: one for "absent"
};

/// Throws INVALID_ARGUMENTS with the position in `text`. `variables`: ${…} is a variable.
std::vector<Condition> read_conditions(std::string_view text, const LocatedJson& block,
                                       bool variables);

}  // namespace meesh::access
