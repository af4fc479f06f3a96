#include "serve/s3/lifecycle.h"

#include <set>

#include "serve/s3/error.h"
#include "serve/s3/values.h"
#include "serve/s3/xml.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

constexpr size_t kMostRules = 1000;

[[noreturn]] void bad_argument(std::string message) {
  throw S3Error(Reason::kInvalidArgument, std::move(message));
}

void positive(pugi::xml_node node, const char* name, bool needed) {
  auto days = child_number(node, name);
  if (!days && needed) malformed_xml(fmt::format("<{}> lacks its <{}>", node.name(), name));
  if (days && (*days < 1 || *days > INT32_MAX)) {
    bad_argument(fmt::format("'{}' for {} action must be a positive integer", name, node.name()));
  }
}

void check_filter_item(pugi::xml_node item) {
  std::string_view name = item.name();
  if (name == "Tag") {
    only_children(item, {"Key", "Value"});
    objects::Tags tags;
    add_tag(tags, needed_text(item, "Key"), needed_text(item, "Value"), kMaxObjectTags);
  } else if (name == "ObjectSizeGreaterThan" || name == "ObjectSizeLessThan") {
    if (!parse_number(item.text().get())) malformed_xml(fmt::format("<{}> is no number", name));
  } else if (name == "Prefix") {
    if (std::string_view(item.text().get()).size() > 1024) {
      throw S3Error(Reason::kInvalidRequest, "The maximum size of a prefix is 1024.");
    }
  }
}

void check_filter(pugi::xml_node filter) {
  only_children(filter, {"Prefix", "Tag", "And", "ObjectSizeGreaterThan", "ObjectSizeLessThan"});
  size_t items = 0;
  for (pugi::xml_node item : filter.children()) {
    if (item.type() != pugi::node_element) continue;
    ++items;
    check_filter_item(item);
    if (std::string_view(item.name()) != "And") continue;
    only_children(item, {"Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"});
    for (pugi::xml_node inner : item.children()) check_filter_item(inner);
  }
  if (items > 1) malformed_xml("<Filter> holds one condition, or several inside <And>");
}

void check_expiration(pugi::xml_node node) {
  only_children(node, {"Days", "Date", "ExpiredObjectDeleteMarker"});
  int given = (node.child("Days") ? 1 : 0) + (node.child("Date") ? 1 : 0) +
              (node.child("ExpiredObjectDeleteMarker") ? 1 : 0);
  if (given != 1) malformed_xml("<Expiration> holds one of Days, Date, ExpiredObjectDeleteMarker");
  positive(node, "Days", false);
  if (auto text = child_text(node, "Date")) {
    auto date = parse_iso_time(*text);
    if (!date) malformed_xml("<Date> is a date in ISO 8601");
    if (*date != std::chrono::floor<std::chrono::days>(*date)) {
      bad_argument("'Date' must be at midnight GMT");
    }
  }
  if (auto marker = child_text(node, "ExpiredObjectDeleteMarker")) {
    if (*marker != "true" && *marker != "false") {
      malformed_xml("<ExpiredObjectDeleteMarker> is true or false");
    }
  }
}

void check_noncurrent(pugi::xml_node node) {
  only_children(node, {"NoncurrentDays", "NewerNoncurrentVersions"});
  positive(node, "NoncurrentDays", !node.child("NewerNoncurrentVersions"));
  positive(node, "NewerNoncurrentVersions", false);
}

void check_rule(pugi::xml_node rule, std::set<std::string>& ids) {
  only_children(rule, {"ID", "Status", "Filter", "Prefix", "Expiration", "Transition",
                       "NoncurrentVersionExpiration", "NoncurrentVersionTransition",
                       "AbortIncompleteMultipartUpload"});
  std::string id = child_text(rule, "ID").value_or("");
  if (id.size() > 255) bad_argument("ID length should not exceed allowed limit of 255");
  if (!id.empty() && !ids.insert(id).second) {
    bad_argument("Rule ID must be unique. Found same ID for more than one rule");
  }
  std::string status = needed_text(rule, "Status");
  if (status != "Enabled" && status != "Disabled") malformed_xml("<Status> is Enabled or Disabled");
  if (rule.child("Transition") || rule.child("NoncurrentVersionTransition")) {
    throw S3Error(Reason::kNotImplemented,
                  "Transitions to other storage classes are not implemented.");
  }
  if (rule.child("Filter") && rule.child("Prefix")) {
    malformed_xml("<Rule> holds a Filter or a Prefix, not both");
  }
  if (pugi::xml_node filter = rule.child("Filter")) check_filter(filter);
  if (pugi::xml_node prefix = rule.child("Prefix")) check_filter_item(prefix);
  pugi::xml_node expiration = rule.child("Expiration");
  pugi::xml_node noncurrent = rule.child("NoncurrentVersionExpiration");
  pugi::xml_node abort = rule.child("AbortIncompleteMultipartUpload");
  if (!expiration && !noncurrent && !abort) {
    throw S3Error(Reason::kInvalidRequest, "At least one action needs to be specified in a rule");
  }
  if (expiration) check_expiration(expiration);
  if (noncurrent) check_noncurrent(noncurrent);
  if (abort) {
    only_children(abort, {"DaysAfterInitiation"});
    positive(abort, "DaysAfterInitiation", true);
    if (rule.child("Filter").child("Tag")) {
      throw S3Error(Reason::kInvalidRequest,
                    "AbortIncompleteMultipartUpload cannot be specified with Tags.");
    }
  }
}

}  // namespace

void check_lifecycle(std::string_view xml) {
  XmlRequest document(xml, "LifecycleConfiguration");
  only_children(document.root(), {"Rule"});
  std::set<std::string> ids;
  size_t rules = 0;
  for (pugi::xml_node rule : document.root().children("Rule")) {
    if (++rules > kMostRules) {
      throw S3Error(
          Reason::kInvalidRequest,
          "The number of lifecycle rules must not exceed the allowed limit of 1000 rules");
    }
    check_rule(rule, ids);
  }
  if (rules == 0) malformed_xml("<LifecycleConfiguration> holds no <Rule>");
}

}  // namespace meesh::serve::s3
