#include "objects/lifecycle.h"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>

namespace meesh::objects {
namespace {

[[noreturn]] void malformed(const std::string& what) {
  throw ObjectError(Reason::kMalformedXML,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema: " +
                        what);
}
[[noreturn]] void invalid(const std::string& what) {
  throw ObjectError(Reason::kInvalidArgument, what);
}

uint64_t number_in(const pugi::xml_node& node, uint64_t least) {
  const std::string_view text = node.text().get();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    malformed(fmt::format("{} is no number", node.name()));
  }
  if (value < least) invalid(fmt::format("'{}' must be at least {}", node.name(), least));
  return value;
}

int days_in(const pugi::xml_node& node, uint64_t least = 1) {
  const uint64_t days = number_in(node, least);
  if (days > 1'000'000) invalid(fmt::format("'{}' is too large", node.name()));
  return static_cast<int>(days);
}

/// 2030-01-31T00:00:00.000Z or 2030-01-31; S3 wants midnight.
Time date_in(const pugi::xml_node& node) {
  const std::string text = node.text().get();
  int year = 0;
  unsigned month = 0, day = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3) {
    malformed("Date is no date");
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  const std::string_view rest = std::string_view(text).substr(static_cast<size_t>(used));
  if (!date.ok()) malformed("Date is no date");
  for (const std::string_view midnight : {"", "T00:00:00Z", "T00:00:00.000Z", "T00:00:00+00:00"}) {
    if (rest == midnight) return std::chrono::sys_days(date);
  }
  invalid("'Date' must be at midnight GMT");
}

void read_condition(const pugi::xml_node& node, LifecycleRule& rule) {
  const std::string_view name = node.name();
  if (name == "Prefix") {
    rule.prefix = node.text().get();
  } else if (name == "Tag") {
    rule.tags[node.child("Key").text().get()] = node.child("Value").text().get();
  } else if (name == "ObjectSizeGreaterThan") {
    rule.larger_than = number_in(node, 0);
  } else if (name == "ObjectSizeLessThan") {
    rule.smaller_than = number_in(node, 1);
  } else if (name == "And") {
    for (const auto& inner : node.children()) read_condition(inner, rule);
  } else {
    malformed(fmt::format("unknown element {}", name));
  }
}

void read_expiration(const pugi::xml_node& node, LifecycleRule& rule) {
  for (const auto& inner : node.children()) {
    const std::string_view name = inner.name();
    if (name == "Days") {
      rule.days = days_in(inner);
    } else if (name == "Date") {
      rule.date = date_in(inner);
    } else if (name == "ExpiredObjectDeleteMarker") {
      rule.expired_markers = std::string_view(inner.text().get()) == "true";
    } else {
      malformed(fmt::format("unknown element {}", name));
    }
  }
  if (rule.days.has_value() + rule.date.has_value() + rule.expired_markers > 1) {
    malformed("Expiration takes one of Days, Date and ExpiredObjectDeleteMarker");
  }
}

void read_noncurrent(const pugi::xml_node& node, LifecycleRule& rule) {
  for (const auto& inner : node.children()) {
    const std::string_view name = inner.name();
    if (name == "NoncurrentDays") {
      rule.noncurrent_days = days_in(inner);
    } else if (name == "NewerNoncurrentVersions") {
      rule.newer_noncurrent = days_in(inner);
    } else {
      malformed(fmt::format("unknown element {}", name));
    }
  }
  if (!rule.noncurrent_days) malformed("NoncurrentDays is missing");
}

LifecycleRule read_rule(const pugi::xml_node& node) {
  LifecycleRule rule;
  for (const auto& inner : node.children()) {
    const std::string_view name = inner.name(), text = inner.text().get();
    if (name == "ID") {
      rule.id = text;
    } else if (name == "Status") {
      if (text != "Enabled" && text != "Disabled") malformed("Status is Enabled or Disabled");
      rule.enabled = text == "Enabled";
    } else if (name == "Prefix") {
      rule.prefix = text;
    } else if (name == "Filter") {
      for (const auto& condition : inner.children()) read_condition(condition, rule);
    } else if (name == "Expiration") {
      read_expiration(inner, rule);
    } else if (name == "NoncurrentVersionExpiration") {
      read_noncurrent(inner, rule);
    } else if (name == "AbortIncompleteMultipartUpload") {
      rule.abort_days = days_in(inner.child("DaysAfterInitiation"));
    } else if (name == "Transition" || name == "NoncurrentVersionTransition") {
      throw ObjectError(Reason::kNotImplemented,
                        "There is one storage class: lifecycle transitions are not implemented.");
    } else {
      malformed(fmt::format("unknown element {}", name));
    }
  }
  if (!node.child("Status")) malformed("a rule has a Status");
  if (!rule.days && !rule.date && !rule.expired_markers && !rule.noncurrent_days &&
      !rule.abort_days) {
    invalid("At least one action needs to be specified in a rule.");
  }
  return rule;
}

}  // namespace

bool LifecycleRule::matches(const Object& object) const {
  if (!enabled || !object.key.starts_with(prefix)) return false;
  if (object.delete_marker) return tags.empty() && !larger_than && !smaller_than;
  if (larger_than && object.size <= *larger_than) return false;
  if (smaller_than && object.size >= *smaller_than) return false;
  return std::all_of(tags.begin(), tags.end(), [&](const auto& tag) {
    const auto own = object.attributes.tags.find(tag.first);
    return own != object.attributes.tags.end() && own->second == tag.second;
  });
}

std::vector<LifecycleRule> parse_lifecycle(std::string_view xml) {
  pugi::xml_document document;
  const auto result = document.load_buffer(xml.data(), xml.size());
  if (!result) malformed(result.description());
  const auto root = document.child("LifecycleConfiguration");
  if (!root) malformed("the document is no LifecycleConfiguration");
  std::vector<LifecycleRule> rules;
  for (const auto& node : root.children("Rule")) rules.push_back(read_rule(node));
  if (rules.empty()) malformed("there is no Rule");
  if (rules.size() > 1000) invalid("A lifecycle has at most 1000 rules.");
  std::set<std::string> ids;
  for (const LifecycleRule& rule : rules) {
    if (rule.id.size() > 255) invalid("ID length should not exceed allowed limit of 255");
    if (!rule.id.empty() && !ids.insert(rule.id).second) {
      invalid("Rule ID must be unique. Found same ID for more than one rule");
    }
  }
  return rules;
}

Time due(Time from, int days) {
  return std::chrono::floor<std::chrono::days>(from + std::chrono::days(days)) +
         std::chrono::days(1);
}

}  // namespace meesh::objects
