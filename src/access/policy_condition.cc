#include "access/policy_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "access/condition_values.h"
#include "access/sealing.h"
#include "base/text.h"

namespace meesh::access {
namespace {

/// A compiled value of the policy.
struct Compiled {
  Condition::Test test;
  bool fixed = true;  // no wildcard, no variable, no wide range
};
using Compile = Compiled (*)(const LocatedJson& value, bool variables);

[[noreturn]] void expected(const LocatedJson& value, std::string_view what) {
  throw Error(Code::kInvalidArguments, fmt::format("expected {}, not {}", what, describe(value)));
}

template <bool kWildcards, bool kAnyCase>
Compiled text_test(const LocatedJson& value, bool variables) {
  Pattern pattern = Pattern::compile(
      value.text, {.wildcards = kWildcards, .variables = variables, .any_case = kAnyCase});
  const bool fixed = pattern.fixed();
  return {[pattern = std::move(pattern)](const std::string& text, const Facts& facts) {
            return pattern.matches(text, facts);
          },
          fixed};
}

Compiled arn_test(const LocatedJson& value, bool variables) {
  ArnPattern pattern = ArnPattern::compile(value.text, variables);
  const bool fixed = pattern.fixed();
  return {[pattern = std::move(pattern)](const std::string& text, const Facts& facts) {
            return pattern.matches(text, facts);
          },
          fixed};
}

/// What of <, =, > fits.
template <bool kLess, bool kEqual, bool kGreater, typename T>
bool compares(const T& asked, const T& wanted) {
  return asked < wanted ? kLess : wanted < asked ? kGreater : kEqual;
}

template <bool kLess, bool kEqual, bool kGreater>
Compiled number_test(const LocatedJson& value, bool) {
  const auto wanted = parse_number(value.text);
  if (!wanted) expected(value, "a number");
  return {[wanted](const std::string& text, const Facts&) {
    const auto asked = parse_number(text);
    return asked && compares<kLess, kEqual, kGreater>(*asked, *wanted);
  }};
}

template <bool kLess, bool kEqual, bool kGreater>
Compiled date_test(const LocatedJson& value, bool) {
  const auto wanted = parse_date(value.text);
  if (!wanted) expected(value, "a date such as 2026-05-01T10:00:00Z, or seconds since 1970");
  return {[wanted](const std::string& text, const Facts&) {
    const auto asked = parse_date(text);
    return asked && compares<kLess, kEqual, kGreater>(*asked, *wanted);
  }};
}

Compiled boolean_test(const LocatedJson& value, bool) {
  const auto wanted = parse_boolean(value.text);
  if (!wanted) expected(value, "true or false");
  return {
      [wanted](const std::string& text, const Facts&) { return parse_boolean(text) == wanted; }};
}

Compiled address_test(const LocatedJson& value, bool) {
  const auto range = AddressRange::parse(value.text);
  if (!range) expected(value, "an address or a range such as 10.0.0.0/8");
  return {[range](const std::string& text, const Facts&) {
            const auto asked = AddressRange::parse(text);
            return asked && range->contains(*asked);
          },
          !range->wide()};
}

Compiled binary_test(const LocatedJson& value, bool) {
  const auto bytes = base::from_base64(value.text);
  if (!bytes) expected(value, "base64");
  return {[bytes](const std::string& text, const Facts&) { return text == *bytes; }};
}

enum class Sense { kPositive, kNegated, kNull };

struct Operator {
  std::string_view name;
  Compile compile;
  Sense sense = Sense::kPositive;
};

constexpr std::array<Operator, 27> kOperators = {{
    {"StringEquals", text_test<false, false>},
    {"StringNotEquals", text_test<false, false>, Sense::kNegated},
    {"StringEqualsIgnoreCase", text_test<false, true>},
    {"StringNotEqualsIgnoreCase", text_test<false, true>, Sense::kNegated},
    {"StringLike", text_test<true, false>},
    {"StringNotLike", text_test<true, false>, Sense::kNegated},
    {"NumericEquals", number_test<false, true, false>},
    {"NumericNotEquals", number_test<false, true, false>, Sense::kNegated},
    {"NumericLessThan", number_test<true, false, false>},
    {"NumericLessThanEquals", number_test<true, true, false>},
    {"NumericGreaterThan", number_test<false, false, true>},
    {"NumericGreaterThanEquals", number_test<false, true, true>},
    {"DateEquals", date_test<false, true, false>},
    {"DateNotEquals", date_test<false, true, false>, Sense::kNegated},
    {"DateLessThan", date_test<true, false, false>},
    {"DateLessThanEquals", date_test<true, true, false>},
    {"DateGreaterThan", date_test<false, false, true>},
    {"DateGreaterThanEquals", date_test<false, true, true>},
    {"Bool", boolean_test},
    {"BinaryEquals", binary_test},
    {"IpAddress", address_test},
    {"NotIpAddress", address_test, Sense::kNegated},
    {"ArnEquals", arn_test},
    {"ArnLike", arn_test},
    {"ArnNotEquals", arn_test, Sense::kNegated},
    {"ArnNotLike", arn_test, Sense::kNegated},
    {"Null", boolean_test, Sense::kNull},
}};

/// Keys that, with values named one by one, make a policy private though its principal is "*".
constexpr std::array<std::string_view, 9> kPrivateKeys = {
    "aws:sourceip",     "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce",    "aws:sourceaccount",
    "aws:principalarn", "aws:userid",    "aws:username",  "aws:principalorgid"};

/// What is fine for a key: a service, a colon, a name ("s3:ExistingObjectTag/team").
bool is_key(std::string_view name) {
  const size_t colon = name.find(':');
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return colon != std::string_view::npos && colon > 0 && colon + 1 < name.size() &&
         std::all_of(name.begin(), name.begin() + static_cast<ptrdiff_t>(colon), letter) &&
         std::none_of(name.begin() + static_cast<ptrdiff_t>(colon), name.end(), [](char c) {
           return c == '*' || c == '$' || static_cast<signed char>(c) < 32;
         });
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

/// Builds the conditions of one block.
class ConditionReader {
 public:
  ConditionReader(std::string_view text, bool variables) : text_(text), variables_(variables) {}

  std::vector<Condition> read(const LocatedJson& block) {
    if (block.kind != LocatedJson::Kind::kObject) {
      throw error_at(
          text_, block.offset,
          fmt::format("expected an object of condition operators, not {}", describe(block)));
    }
    for (size_t i = 0; i < block.keys.size(); ++i) read_operator(block.keys[i], block.items[i]);
    return std::move(conditions_);
  }

 private:
  void read_operator(const LocatedJson::Key& key, const LocatedJson& pairs) {
    Condition start;
    std::string_view name = key.name;
    if (take_prefix(name, "ForAnyValue:")) start.set_ = Condition::Set::kAny;
    if (start.set_ == Condition::Set::kNone && take_prefix(name, "ForAllValues:")) {
      start.set_ = Condition::Set::kAll;
    }
    if (name.ends_with("IfExists")) {
      start.if_exists_ = true;
      name.remove_suffix(std::string_view("IfExists").size());
    }
    const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](const Operator& known) { return known.name == name; });
    const bool null = found != kOperators.end() && found->sense == Sense::kNull;
    if (found == kOperators.end() ||
        (null && (start.if_exists_ || start.set_ != Condition::Set::kNone))) {
      unknown_operator(key);
    }
    start.negated_ = found->sense == Sense::kNegated;
    start.null_ = null;
    if (pairs.kind != LocatedJson::Kind::kObject) {
      throw error_at(
          text_, pairs.offset,
          fmt::format("expected an object of condition keys and values, not {}", describe(pairs)));
    }
    for (size_t i = 0; i < pairs.keys.size(); ++i) {
      read_key(start, found->compile, pairs.keys[i], pairs.items[i]);
    }
  }

  [[noreturn]] void unknown_operator(const LocatedJson::Key& key) const {
    std::vector<std::string> names;
    for (const Operator& known : kOperators) names.emplace_back(known.name);
    std::string hint = base::did_you_mean(key.name, names, "");
    if (hint.empty() || hint.find('?') == std::string::npos) {
      hint = "expected one of " + base::join(names, ", ") +
             ", with IfExists behind it or ForAnyValue:, ForAllValues: before it";
    }
    throw error_at(text_, key.offset, fmt::format("unknown condition operator '{}'", key.name))
        .with_hint(hint);
  }

  void read_key(Condition condition, Compile compile, const LocatedJson::Key& key,
                const LocatedJson& values) {
    if (!is_key(key.name)) {
      throw error_at(text_, key.offset,
                     fmt::format("expected a condition key such as aws:SourceIp or s3:prefix, not "
                                 "'{}'",
                                 key.name));
    }
    // The name of a tag, behind a slash, keeps its case.
    const size_t slash = std::min(key.name.find('/'), key.name.size());
    condition.key_ = to_lower(key.name.substr(0, slash)) + key.name.substr(slash);
    const bool array = values.kind == LocatedJson::Kind::kArray;
    if (array && values.items.empty()) {
      throw error_at(text_, values.offset, "expected at least one value, not an empty array");
    }
    bool fixed = true;
    for (const LocatedJson& value : array ? std::span(values.items) : std::span(&values, 1)) {
      fixed &= read_value(condition, compile, value);
    }
    condition.keeps_strangers_out_ =
        fixed && !condition.negated_ && !condition.null_ && !condition.if_exists_ &&
        condition.set_ != Condition::Set::kAll &&
        std::find(kPrivateKeys.begin(), kPrivateKeys.end(), condition.key_) != kPrivateKeys.end();
    conditions_.push_back(std::move(condition));
  }

  bool read_value(Condition& condition, Compile compile, const LocatedJson& value) const {
    using Kind = LocatedJson::Kind;
    if (value.kind != Kind::kText && value.kind != Kind::kNumber && value.kind != Kind::kBoolean) {
      throw error_at(
          text_, value.offset,
          fmt::format("expected a text, a number or true/false, not {}", describe(value)));
    }
    try {
      Compiled compiled = compile(value, variables_);
      condition.tests_.push_back(std::move(compiled.test));
      return compiled.fixed;
    } catch (const Error& error) {
      throw error_at(text_, value.offset, error.message()).with_hint(error.hint());
    }
  }

  const std::string_view text_;
  const bool variables_;
  std::vector<Condition> conditions_;
};

bool Condition::holds(const Facts& facts) const {
  const std::vector<std::string>* values = facts.find(key_);
  const auto fits = [&](const std::string& value) {
    return std::any_of(tests_.begin(), tests_.end(),
                       [&](const Test& test) { return test(value, facts); }) != negated_;
  };
  if (null_) {
    const std::string absent = values ? "false" : "true";
    return fits(absent);
  }
  if (!values) return if_exists_ || set_ == Set::kAll || (set_ == Set::kNone && negated_);
  const bool all = set_ == Set::kAll || (set_ == Set::kNone && negated_);
  return all ? std::all_of(values->begin(), values->end(), fits)
             : std::any_of(values->begin(), values->end(), fits);
}

std::vector<Condition> read_conditions(std::string_view text, const LocatedJson& block,
                                       bool variables) {
  return ConditionReader(text, variables).read(block);
}

}  // namespace meesh::access
