#include "access/policy_statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace meesh::access {
namespace {

using Kind = LocatedJson::Kind;

bool word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// "*" or service:Name with wildcards in the name.
bool is_action(std::string_view text) {
  if (text == "*") return true;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view name = text.substr(colon + 1);
  return std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(colon), word_character) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return word_character(c) || c == '*' || c == '?'; });
}

/// Its six parts are there, unless a * stands for some.
bool is_resource(std::string_view text) {
  if (text == "*") return true;
  if (!text.starts_with("arn:")) return false;
  const std::string_view fixed = text.substr(0, text.find_first_of("*?$"));
  return fixed.size() < text.size() ? true : std::count(text.begin(), text.end(), ':') >= 5;
}

class Reader {
 public:
  Reader(std::string_view text, Policy::Kind kind) : text_(text), kind_(kind) {}

  std::vector<PolicyStatement> read() {
    if (text_.size() > kMostPolicyBytes) {
      throw Error(Code::kInvalidArguments, fmt::format("the policy has {} bytes, more than {}",
                                                       text_.size(), kMostPolicyBytes));
    }
    const LocatedJson root = parse_located_json(text_);
    if (root.kind != Kind::kObject) wrong(root, "a policy, an object with Version and Statement");
    check_keys(root, {"Version", "Id", "Statement"}, "element of a policy");
    if (const LocatedJson* version = find(root, "Version")) {
      if (version->kind != Kind::kText ||
          (version->text != "2012-10-17" && version->text != "2008-10-17")) {
        wrong(*version, "the version '2012-10-17' or '2008-10-17'");
      }
      variables_ = version->text == "2012-10-17";
    }
    if (const LocatedJson* id = find(root, "Id")) text_of(*id, "a text");
    const LocatedJson* list = find(root, "Statement");
    if (!list) fail(root, "the policy has no Statement");
    std::vector<PolicyStatement> statements;
    if (list->kind == Kind::kArray && list->items.empty()) {
      fail(*list, "expected at least one statement, not an empty array");
    }
    for (const LocatedJson& item : one_or_several(*list)) statements.push_back(statement(item));
    return statements;
  }

 private:
  [[noreturn]] void fail(const LocatedJson& where, std::string message) const {
    throw error_at(text_, where.offset, std::move(message));
  }
  [[noreturn]] void wrong(const LocatedJson& value, std::string_view what) const {
    fail(value, fmt::format("expected {}, not {}", what, describe(value)));
  }

  static const LocatedJson* find(const LocatedJson& object, std::string_view name) {
    for (size_t i = 0; i < object.keys.size(); ++i) {
      if (object.keys[i].name == name) return &object.items[i];
    }
    return nullptr;
  }
  static std::span<const LocatedJson> one_or_several(const LocatedJson& value) {
    return value.kind == Kind::kArray ? std::span(value.items) : std::span(&value, 1);
  }
  const std::string& text_of(const LocatedJson& value, std::string_view what) const {
    if (value.kind != Kind::kText) wrong(value, what);
    return value.text;
  }

  /// Every key is one of `known` and stands once.
  void check_keys(const LocatedJson& object, const std::vector<std::string>& known,
                  std::string_view what) const {
    for (size_t i = 0; i < object.keys.size(); ++i) {
      const LocatedJson::Key& key = object.keys[i];
      if (std::find(known.begin(), known.end(), key.name) == known.end()) {
        throw error_at(text_, key.offset, fmt::format("unknown {} '{}'", what, key.name))
            .with_hint(base::did_you_mean(key.name, known, "expected one of "));
      }
      for (size_t earlier = 0; earlier < i; ++earlier) {
        if (object.keys[earlier].name == key.name) {
          throw error_at(text_, key.offset, fmt::format("'{}' stands twice", key.name));
        }
      }
    }
  }

  /// The one of two elements that is there: its value and whether it is the Not… form.
  struct Either {
    const LocatedJson* value = nullptr;
    bool negated = false;
  };
  Either either(const LocatedJson& object, const std::string& name) const {
    const LocatedJson* plain = find(object, name);
    const LocatedJson* negated = find(object, "Not" + name);
    if (plain && negated) {
      fail(*negated, fmt::format("expected {0} or Not{0}, not both", name));
    }
    return {plain ? plain : negated, negated != nullptr};
  }

  PolicyStatement statement(const LocatedJson& object) const {
    if (object.kind != Kind::kObject) wrong(object, "a statement, an object");
    check_keys(object,
               {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                "NotResource", "Condition"},
               "element of a statement");
    PolicyStatement result;
    if (const LocatedJson* sid = find(object, "Sid")) text_of(*sid, "a text");
    const LocatedJson* effect = find(object, "Effect");
    if (!effect) fail(object, "the statement has no Effect: expected 'Allow' or 'Deny'");
    if (effect->kind != Kind::kText || (effect->text != "Allow" && effect->text != "Deny")) {
      wrong(*effect, "the effect 'Allow' or 'Deny'");
    }
    result.effect = effect->text == "Allow" ? Effect::kAllow : Effect::kDeny;
    read_principal(object, result);
    read_actions(object, result);
    read_resources(object, result);
    if (const LocatedJson* condition = find(object, "Condition")) {
      result.conditions = read_conditions(text_, *condition, variables_);
    }
    return result;
  }

  void read_principal(const LocatedJson& object, PolicyStatement& result) const {
    const Either principal = either(object, "Principal");
    if (kind_ == Policy::Kind::kIdentity) {
      if (principal.value) {
        fail(*principal.value,
             "a policy of users has no Principal: it is about whoever it is attached to");
      }
      return;
    }
    if (!principal.value) {
      fail(object, "the statement has no Principal: a bucket policy says whom it is about");
    }
    bool everybody = false;
    const LocatedJson& value = *principal.value;
    if (value.kind == Kind::kText) {
      if (value.text != "*") wrong(value, R"("*" or {"AWS": …})");
      everybody = true;
    } else {
      if (value.kind != Kind::kObject || value.keys.empty()) wrong(value, R"("*" or {"AWS": …})");
      check_keys(value, {"AWS"}, "kind of principal");
      const LocatedJson& names = value.items.front();
      if (names.kind == Kind::kArray && names.items.empty()) wrong(names, "at least one principal");
      for (const LocatedJson& name : one_or_several(names)) {
        text_of(name, "a user");
        if (name.text == "*") {
          everybody = true;
        } else {
          result.names.insert(user_of(name));
        }
      }
    }
    if (everybody && principal.negated) fail(value, "NotPrincipal '*' is nobody");
    result.who = everybody           ? PolicyStatement::Who::kEverybody
                 : principal.negated ? PolicyStatement::Who::kAllButNamed
                                     : PolicyStatement::Who::kNamed;
  }

  /// "arn:aws:iam::123456789012:user/NAME" or NAME.
  std::string user_of(const LocatedJson& value) const {
    constexpr std::string_view kArn = "arn:aws:iam::";
    constexpr std::string_view kWanted = "'*', a user's name or arn:aws:iam::<account>:user/<name>";
    std::string_view name = value.text;
    if (name.starts_with("arn:")) {
      if (!name.starts_with(kArn)) wrong(value, kWanted);
      name.remove_prefix(kArn.size());
      const size_t account = name.find(':');
      if (account == std::string_view::npos ||
          !std::all_of(name.begin(), name.begin() + static_cast<ptrdiff_t>(account),
                       word_character) ||
          !name.substr(account + 1).starts_with("user/")) {
        wrong(value, kWanted);
      }
      name.remove_prefix(account + 1 + std::string_view("user/").size());
    }
    if (name.empty() || name.find_first_of("*?$ ") != std::string_view::npos) wrong(value, kWanted);
    return std::string(name);
  }

  void read_actions(const LocatedJson& object, PolicyStatement& result) const {
    const Either actions = either(object, "Action");
    if (!actions.value) fail(object, "the statement has no Action");
    result.all_but_actions = actions.negated;
    for (const LocatedJson& action : texts(*actions.value, "an action such as s3:GetObject")) {
      if (!is_action(action.text)) wrong(action, "an action such as s3:GetObject, s3:* or *");
      result.actions.push_back(
          Pattern::compile(action.text, {.variables = false, .any_case = true}));
    }
  }

  void read_resources(const LocatedJson& object, PolicyStatement& result) const {
    const Either resources = either(object, "Resource");
    if (!resources.value) {
      if (!only_of_the_server(result)) fail(object, "the statement has no Resource");
      result.resources.push_back(Pattern::compile("*", {}));
      return;
    }
    result.all_but_resources = resources.negated;
    constexpr std::string_view kWanted = "a resource such as arn:aws:s3:::bucket/prefix/* or *";
    for (const LocatedJson& resource : texts(*resources.value, kWanted)) {
      if (!is_resource(resource.text)) wrong(resource, kWanted);
      try {
        result.resources.push_back(Pattern::compile(resource.text, {.variables = variables_}));
      } catch (const Error& error) {
        throw error_at(text_, resource.offset, error.message()).with_hint(error.hint());
      }
    }
  }

  /// Actions that are about no bucket may go without Resource, as MinIO's policies write them.
  bool only_of_the_server(const PolicyStatement& statement) const {
    if (kind_ == Policy::Kind::kResource || statement.all_but_actions) return false;
    return std::all_of(
        statement.actions.begin(), statement.actions.end(), [](const Pattern& action) {
          const std::string& text = action.beginning();
          return text.starts_with("admin:") || text.starts_with("kms:") || text.starts_with("sts:");
        });
  }

  std::span<const LocatedJson> texts(const LocatedJson& value, std::string_view what) const {
    const auto items = one_or_several(value);
    if (items.empty()) fail(value, fmt::format("expected {}, not an empty array", what));
    for (const LocatedJson& item : items) text_of(item, what);
    return items;
  }

  const std::string_view text_;
  const Policy::Kind kind_;
  bool variables_ = false;
};

bool any_matches(const std::vector<Pattern>& patterns, std::string_view text, const Facts& facts) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const Pattern& pattern) { return pattern.matches(text, facts); });
}

}  // namespace

bool PolicyStatement::applies(const PolicyRequest& request, const Facts& facts) const {
  if (who != Who::kEverybody &&
      names.contains(std::string(request.principal)) != (who == Who::kNamed)) {
    return false;
  }
  return any_matches(actions, request.action, facts) != all_but_actions &&
         any_matches(resources, request.resource, facts) != all_but_resources &&
         std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds(facts); });
}

std::vector<PolicyStatement> read_statements(std::string_view json, Policy::Kind kind) {
  return Reader(json, kind).read();
}

}  // namespace meesh::access
