// Canned ACLs: what they grant, their XML, and the switches that turn them off.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/store.h"
#include "serve/s3/xml.h"

namespace meesh::serve::s3 {

/// The bucket's canned ACL ("private" if none was set).
std::string bucket_acl(const objects::Bucket& bucket);
/// A canned ACL grants the action to everybody, or, `known`, to everybody with a key.
bool acl_allows(const objects::Bucket& bucket, std::string_view object_acl, std::string_view action,
                bool known);
/// A switch of the bucket's public access block ("BlockPublicAcls") is on.
bool blocks_public(const objects::Bucket& bucket, std::string_view name);
/// Throws InvalidArgument for a name that is none, AccessDenied where the bucket blocks public
/// ones, AccessControlListNotSupported where it enforces its owner's.
void check_acl_wanted(const objects::Bucket& bucket, std::string_view canned);
/// x-amz-acl of a request, nothing if it has none; refuses x-amz-grant-… (NotImplemented).
class Call;
std::optional<std::string> acl_header(const Call& call);

XmlAnswer acl_document(const std::string& owner, std::string_view canned);
/// The canned ACL an AccessControlPolicy stands for; NotImplemented if there is none.
std::string canned_of_document(std::string_view xml);

/// The canonical id that stands for a name.
std::string owner_id(const std::string& name);
/// <Owner> or <Initiator>: an id made of the name, and the name.
void add_owner(pugi::xml_node parent, const char* element, const std::string& name);

}  // namespace meesh::serve::s3
