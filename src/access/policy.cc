#include "access/policy.h"

#include <algorithm>

#include "access/policy_statement.h"

namespace meesh::access {

Policy Policy::parse(std::string_view json, Kind kind) {
  Policy policy;
  policy.statements_ =
      std::make_shared<const std::vector<PolicyStatement>>(read_statements(json, kind));
  return policy;
}

Effect Policy::evaluate(const PolicyRequest& request) const {
  if (!statements_) return Effect::kNone;
  const Facts facts(request);
  Effect effect = Effect::kNone;
  for (const PolicyStatement& statement : *statements_) {
    // An Allow after the first changes nothing; a Deny always does.
    if (statement.effect == effect || !statement.applies(request, facts)) continue;
    effect = statement.effect;
    if (effect == Effect::kDeny) return effect;
  }
  return effect;
}

bool Policy::is_public() const {
  if (!statements_) return false;
  return std::any_of(
      statements_->begin(), statements_->end(), [](const PolicyStatement& statement) {
        return statement.effect == Effect::kAllow &&
               statement.who != PolicyStatement::Who::kNamed &&
               std::none_of(statement.conditions.begin(), statement.conditions.end(),
                            [](const Condition& c) { return c.keeps_strangers_out(); });
      });
}

bool Policy::only_about(std::string_view bucket) const {
  if (!statements_) return true;
  const std::string arn = "arn:aws:s3:::" + std::string(bucket);
  for (const PolicyStatement& statement : *statements_) {
    for (const Pattern& resource : statement.resources) {
      const std::string& beginning = resource.beginning();
      if (!beginning.starts_with(arn)) return false;
      // "bucket*" may name other buckets too, but is only ever asked about this one.
      if (beginning.size() > arn.size() && beginning[arn.size()] != '/') return false;
    }
  }
  return true;
}

}  // namespace meesh::access
