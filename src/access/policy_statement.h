// One statement of a policy, taken apart.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/policy.h"
#include "access/policy_condition.h"
#include "access/policy_pattern.h"

namespace meesh::access {

struct PolicyStatement {
  Effect effect = Effect::kNone;

  /// kEverybody: identity policies, whose principal is whoever they are attached to, too.
  enum class Who { kEverybody, kNamed, kAllButNamed };
  Who who = Who::kEverybody;
  std::set<std::string> names;

  std::vector<Pattern> actions;  // any case
  bool all_but_actions = false;
  std::vector<Pattern> resources;
  bool all_but_resources = false;
  std::vector<Condition> conditions;

  bool applies(const PolicyRequest& request, const Facts& facts) const;
};

/// The statements of a policy's text. Throws INVALID_ARGUMENTS with line and column.
std::vector<PolicyStatement> read_statements(std::string_view json, Policy::Kind kind);

}  // namespace meesh::access
