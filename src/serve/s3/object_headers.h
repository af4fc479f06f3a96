// Objects as headers: what a request gives with one, what an answer tells of one.
#pragma once

#include <string_view>

#include "objects/store.h"
#include "serve/s3/call.h"

namespace meesh::serve::s3 {

/// Content-Type, x-amz-meta-…, x-amz-tagging, x-amz-acl, x-amz-storage-class and lock headers,
/// each checked. Lock headers and ACLs are also held against the bucket's settings and the caller's
/// rights (s3:PutObjectTagging, s3:PutObjectAcl, s3:PutObjectRetention, s3:PutObjectLegalHold).
objects::Attributes read_attributes(Call& call);
/// Whether the request brings lock headers (S3 wants a digest of the content then).
bool has_lock_headers(const Call& call);

/// The encryption asked for, else the bucket's default; SSE-C keys are checked against their MD5.
void read_encryption(Call& call, objects::WriteOptions& options);
/// The key to read with; `prefix` "x-amz-copy-source-" for the source of a copy.
objects::CustomerKey read_customer_key(const Call& call, std::string_view prefix = "x-amz-");

/// Content-MD5, x-amz-checksum-… and x-amz-trailer.
void read_digests(const Call& call, objects::WriteOptions& options);
/// x-amz-checksum-… of a whole object, told when it is completed.
objects::Checksums read_checksum_values(const Call& call);

objects::WriteCondition read_write_condition(const Call& call);
/// Fails early where the outcome is certain already; the commit decides.
void check_write_condition(Call& call, const objects::WriteCondition& condition);
objects::ReadCondition read_read_condition(const Call& call, std::string_view prefix = "");
/// Throws PreconditionFailed (naming the header) and NotModified.
void check_read_condition(const objects::Object& object, const objects::ReadCondition& condition);

/// These fill `to`: an answer's headers may be made while another thread sends white space.
void set_version_header(Call& call, const objects::Object& object, net::Headers& to);
void set_encryption_headers(objects::Encryption encryption, const std::string& customer_key_md5,
                            net::Headers& to);
void set_checksum_headers(Call& call, const objects::Checksums& checksums, bool composite);
std::string_view checksum_type(bool composite);  // "COMPOSITE", "FULL_OBJECT"
/// Everything a GET tells of an object but its length and range.
void set_object_headers(Call& call, const objects::Object& object);

}  // namespace meesh::serve::s3
