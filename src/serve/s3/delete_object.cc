#include "net/head.h"
#include "serve/s3/handlers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::ObjectError;
using objects::Reason;

constexpr size_t kMostKeys = 1000;

struct Wanted {
  std::string key;
  objects::DeleteOptions options;
  std::optional<S3Error> refused;
};

// Nothing to delete is no error to S3.
bool is_gone(const ObjectError& error) {
  return error.reason() == Reason::kNoSuchKey || error.reason() == Reason::kNoSuchVersion;
}

bool wants_bypass(const Call& call) {
  return net::equals_ignoring_case(call.header("x-amz-bypass-governance-retention"), "true");
}

Wanted read_wanted(Call& call, pugi::xml_node node) {
  only_children(node, {"Key", "VersionId", "ETag", "LastModifiedTime", "Size"});
  Wanted wanted;
  wanted.key = needed_text(node, "Key");
  wanted.options.version = child_text(node, "VersionId").value_or("");
  if (auto etag = child_text(node, "ETag")) wanted.options.condition.if_match = plain_etag(*etag);
  if (node.child("LastModifiedTime") || node.child("Size")) {
    wanted.refused.emplace(Reason::kNotImplemented,
                           "Conditions on the time or the size are not implemented.");
    return wanted;
  }
  bool versioned = !wanted.options.version.empty();
  std::string resource = "arn:aws:s3:::" + call.bucket + "/" + wanted.key;
  try {
    objects::check_key(wanted.key);
    call.require(versioned ? "s3:DeleteObjectVersion" : "s3:DeleteObject", resource);
    if (wants_bypass(call)) {
      wanted.options.bypass_governance = call.may("s3:BypassGovernanceRetention", resource);
    }
  } catch (const std::exception& e) {
    wanted.refused = to_s3_error(e, call.request);
  }
  return wanted;
}

void add_error(pugi::xml_node root, const Wanted& wanted, const S3Error& error) {
  pugi::xml_node node = add(root, "Error");
  add(node, "Key", wanted.key);
  if (!wanted.options.version.empty()) add(node, "VersionId", wanted.options.version);
  add(node, "Code", error.name());
  add(node, "Message", error.message());
}

void add_deleted(pugi::xml_node root, const Wanted& wanted, const objects::Deleted& deleted) {
  pugi::xml_node node = add(root, "Deleted");
  add(node, "Key", wanted.key);
  if (!wanted.options.version.empty()) add(node, "VersionId", wanted.options.version);
  if (deleted.delete_marker) {
    add_flag(node, "DeleteMarker", true);
    add(node, "DeleteMarkerVersionId", deleted.version);
  }
}

}  // namespace

void delete_object(Call& call) {
  objects::DeleteOptions options;
  options.version = call.version();
  if (auto match = call.request.headers.get("If-Match")) {
    options.condition.if_match = plain_etag(*match);
  }
  if (wants_bypass(call)) {
    call.require("s3:BypassGovernanceRetention");
    options.bypass_governance = true;
  }
  objects::Deleted deleted;
  try {
    deleted = call.store().remove(call.bucket, call.key, options);
  } catch (const ObjectError& e) {
    if (!is_gone(e) || options.condition.if_match) throw;
    deleted.version = options.version;
  }
  if (deleted.delete_marker) call.set("x-amz-delete-marker", "true");
  if (!deleted.version.empty()) call.set("x-amz-version-id", deleted.version);
  call.answer(204);
}

void delete_objects(Call& call) {
  try {
    call.bucket_info();
  } catch (const ObjectError&) {
    call.require("s3:ListBucket", call.bucket_resource());  // else it is not told
    throw;
  }
  std::string body = call.body(2 * kMaxXmlBytes, Call::Digest::kNeeded);
  XmlRequest xml(body, "Delete");
  only_children(xml.root(), {"Object", "Quiet"});
  bool quiet = net::equals_ignoring_case(child_text(xml.root(), "Quiet").value_or(""), "true");
  std::vector<Wanted> all;
  for (pugi::xml_node node : xml.root().children("Object")) {
    if (all.size() == kMostKeys) malformed_xml("more than 1000 objects");
    all.push_back(read_wanted(call, node));
  }
  if (all.empty()) malformed_xml("no objects");
  std::vector<std::pair<std::string, objects::DeleteOptions>> keys;
  for (const Wanted& wanted : all) {
    if (!wanted.refused) keys.emplace_back(wanted.key, wanted.options);
  }
  std::vector<objects::Store::DeleteOutcome> outcomes;
  if (!keys.empty()) outcomes = call.store().remove_all(call.bucket, keys);
  XmlAnswer answer("DeleteResult");
  auto outcome = outcomes.begin();
  for (const Wanted& wanted : all) {
    if (wanted.refused) {
      add_error(answer.root(), wanted, *wanted.refused);
      continue;
    }
    const auto& one = *outcome++;
    if (one.error && (!is_gone(*one.error) || wanted.options.condition.if_match)) {
      add_error(answer.root(), wanted, to_s3_error(*one.error, call.request));
    } else {
      call.audit(wanted.options.version.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
                 "arn:aws:s3:::" + call.bucket + "/" + wanted.key, true, 204, "DeleteObjects");
      if (!quiet) add_deleted(answer.root(), wanted, one.deleted);
    }
  }
  call.answer(answer);
}

}  // namespace meesh::serve::s3
