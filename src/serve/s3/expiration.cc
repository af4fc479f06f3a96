#include "serve/s3/expiration.h"

#include "objects/lifecycle.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {

struct LifecycleRules {
  std::vector<objects::LifecycleRule> rules;
};

namespace {

LifecycleRules parse(const std::string& xml) {
  try {
    return {objects::parse_lifecycle(xml)};
  } catch (const Error&) {
    return {};  // the store tells of it when it runs the rules
  }
}

std::optional<objects::Time> expiry(const objects::LifecycleRule& rule,
                                    const objects::Object& object) {
  if (!rule.enabled || !rule.matches(object)) return std::nullopt;
  if (rule.date) return rule.date;
  if (rule.days) return objects::due(object.modified, *rule.days);
  return std::nullopt;
}

}  // namespace

void set_expiration_header(Call& call, const objects::Object& object, net::Headers& to) {
  if (!object.latest || object.delete_marker) return;
  std::string text = call.document("lifecycle");
  if (text.empty()) return;
  auto known = call.service.lifecycles.get(text, parse);
  const objects::LifecycleRule* first = nullptr;
  objects::Time earliest{};
  for (const objects::LifecycleRule& rule : known->rules) {
    auto when = expiry(rule, object);
    if (!when || (first != nullptr && *when >= earliest)) continue;
    first = &rule;
    earliest = *when;
  }
  if (first == nullptr) return;
  to.set("x-amz-expiration", fmt::format("expiry-date=\"{}\", rule-id=\"{}\"", http_time(earliest),
                                         net::percent_encode(first->id)));
}

}  // namespace meesh::serve::s3
