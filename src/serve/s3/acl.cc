#include "serve/s3/acl.h"

#include <set>

#include "serve/s3/call.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

constexpr const char* kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr const char* kAuthenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr const char* kSchema = "http://www.w3.org/2001/XMLSchema-instance";

bool is_public(std::string_view canned) {
  return canned == "public-read" || canned == "public-read-write" || canned == "authenticated-read";
}

bool grants_read(std::string_view canned, bool known) {
  return canned == "public-read" || canned == "public-read-write" ||
         (known && canned == "authenticated-read");
}

bool one_of(std::string_view action, std::initializer_list<std::string_view> actions) {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

bool enforces_owner(const objects::Bucket& bucket) {
  auto it = bucket.documents.find("ownershipControls");
  return it != bucket.documents.end() &&
         it->second.find("<ObjectOwnership>BucketOwnerEnforced<") != std::string::npos;
}

void add_grant(pugi::xml_node list, const char* group, const char* permission) {
  pugi::xml_node grant = add(list, "Grant");
  pugi::xml_node grantee = add(grant, "Grantee");
  grantee.append_attribute("xmlns:xsi").set_value(kSchema);
  grantee.append_attribute("xsi:type").set_value("Group");
  add(grantee, "URI", std::string_view(group));
  add(grant, "Permission", std::string_view(permission));
}

[[noreturn]] void no_grants() {
  throw S3Error(objects::Reason::kNotImplemented,
                "Grants other than those of the canned ACLs private, public-read, "
                "public-read-write and authenticated-read are not implemented; use a policy.");
}

}  // namespace

std::string bucket_acl(const objects::Bucket& bucket) {
  auto it = bucket.documents.find("acl");
  return it == bucket.documents.end() ? "private" : it->second;
}

bool blocks_public(const objects::Bucket& bucket, std::string_view name) {
  auto it = bucket.documents.find("publicAccessBlock");
  return it != bucket.documents.end() &&
         it->second.find(fmt::format("<{}>true<", name)) != std::string::npos;
}

bool acl_allows(const objects::Bucket& bucket, std::string_view object_acl, std::string_view action,
                bool known) {
  if (enforces_owner(bucket) || blocks_public(bucket, "IgnorePublicAcls")) return false;
  std::string canned = bucket_acl(bucket);
  if (one_of(action, {"s3:GetObject", "s3:GetObjectVersion"})) {
    return grants_read(object_acl, known);
  }
  if (one_of(action, {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"})) {
    return grants_read(canned, known);
  }
  if (one_of(action, {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
                      "s3:ListMultipartUploadParts"})) {
    return canned == "public-read-write";
  }
  return false;
}

void check_acl_wanted(const objects::Bucket& bucket, std::string_view canned) {
  check_canned_acl(canned);
  if (enforces_owner(bucket) && canned != "private" && canned != "bucket-owner-full-control") {
    throw S3Error("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
  }
  if (is_public(canned) && blocks_public(bucket, "BlockPublicAcls")) {
    throw S3Error(objects::Reason::kAccessDenied,
                  "Access Denied: the bucket's BlockPublicAcls refuses public ACLs.");
  }
}

std::optional<std::string> acl_header(const Call& call) {
  for (const auto& [name, value] : call.request.headers.items()) {
    constexpr std::string_view kGrant = "x-amz-grant-";
    if (name.size() > kGrant.size() &&
        std::equal(kGrant.begin(), kGrant.end(), name.begin(),
                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b | 0x20 : b); })) {
      no_grants();
    }
  }
  auto value = call.request.headers.get("x-amz-acl");
  if (!value) return std::nullopt;
  check_canned_acl(*value);
  return std::string(*value);
}

XmlAnswer acl_document(const std::string& owner, std::string_view canned) {
  XmlAnswer xml("AccessControlPolicy");
  add_owner(xml.root(), "Owner", owner);
  pugi::xml_node list = add(xml.root(), "AccessControlList");
  pugi::xml_node grant = add(list, "Grant");
  pugi::xml_node grantee = add(grant, "Grantee");
  grantee.append_attribute("xmlns:xsi").set_value(kSchema);
  grantee.append_attribute("xsi:type").set_value("CanonicalUser");
  add(grantee, "ID", owner_id(owner));
  add(grantee, "DisplayName", owner);
  add(grant, "Permission", std::string_view("FULL_CONTROL"));
  if (canned == "public-read" || canned == "public-read-write") {
    add_grant(list, kAllUsers, "READ");
  }
  if (canned == "public-read-write") add_grant(list, kAllUsers, "WRITE");
  if (canned == "authenticated-read") add_grant(list, kAuthenticated, "READ");
  return xml;
}

std::string canned_of_document(std::string_view xml) {
  XmlRequest document(xml, "AccessControlPolicy");
  only_children(document.root(), {"Owner", "AccessControlList"});
  std::set<std::string> grants;
  for (pugi::xml_node grant : document.root().child("AccessControlList").children("Grant")) {
    only_children(grant, {"Grantee", "Permission"});
    pugi::xml_node grantee = grant.child("Grantee");
    std::string permission = needed_text(grant, "Permission");
    std::string group = child_text(grantee, "URI").value_or("");
    if (group.empty()) {
      // The owner's own; somebody else's id would be a grant we do not have.
      std::string owner = child_text(document.root().child("Owner"), "ID").value_or("");
      if (permission != "FULL_CONTROL" ||
          (!owner.empty() && child_text(grantee, "ID").value_or(owner) != owner)) {
        no_grants();
      }
      continue;
    }
    if (group != kAllUsers && group != kAuthenticated) no_grants();
    grants.insert((group == kAllUsers ? "all:" : "known:") + permission);
  }
  using Set = std::set<std::string>;
  if (grants.empty()) return "private";
  if (grants == Set{"all:READ"}) return "public-read";
  if (grants == Set{"all:READ", "all:WRITE"}) return "public-read-write";
  if (grants == Set{"known:READ"}) return "authenticated-read";
  no_grants();
}

std::string owner_id(const std::string& name) { return sha256_hex(name); }

void add_owner(pugi::xml_node parent, const char* element, const std::string& name) {
  pugi::xml_node node = add(parent, element);
  add(node, "ID", owner_id(name));
  add(node, "DisplayName", name);
}

}  // namespace meesh::serve::s3
