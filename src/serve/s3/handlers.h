// The operations, by theme; each runs when its action is allowed (Operation::action) or asks
// itself. Errors are thrown.
#pragma once

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

// buckets.cc
void list_buckets(Call& call);
void create_bucket(Call& call);
void head_bucket(Call& call);
void delete_bucket(Call& call);
void get_bucket_location(Call& call);
void get_bucket_versioning(Call& call);
void put_bucket_versioning(Call& call);

// listing.cc
void list_objects(Call& call);
void list_objects_v2(Call& call);
void list_object_versions(Call& call);

// get_object.cc
void get_object(Call& call);
void head_object(Call& call);
// attributes.cc
void get_object_attributes(Call& call);

// put_object.cc
void put_object(Call& call);
// delete_object.cc
void delete_object(Call& call);
void delete_objects(Call& call);
// copy_object.cc
void copy_object(Call& call);
void upload_part_copy(Call& call);

// multipart.cc
void create_upload(Call& call);
void upload_part(Call& call);
void complete_upload(Call& call);
void abort_upload(Call& call);
// multipart_listing.cc
void list_parts(Call& call);
void list_uploads(Call& call);

// tagging.cc
void get_object_tagging(Call& call);
void put_object_tagging(Call& call);
void delete_object_tagging(Call& call);
void get_bucket_tagging(Call& call);
void put_bucket_tagging(Call& call);
void delete_bucket_tagging(Call& call);

// acl_operations.cc
void get_bucket_acl(Call& call);
void put_bucket_acl(Call& call);
void get_object_acl(Call& call);
void put_object_acl(Call& call);

// object_lock.cc
void get_object_lock(Call& call);
void put_object_lock(Call& call);
void get_retention(Call& call);
void put_retention(Call& call);
void get_legal_hold(Call& call);
void put_legal_hold(Call& call);

// bucket_documents.cc
void get_lifecycle(Call& call);
void put_lifecycle(Call& call);
void delete_lifecycle(Call& call);
void get_encryption(Call& call);
void put_encryption(Call& call);
void delete_encryption(Call& call);
void get_cors(Call& call);
void put_cors(Call& call);
void delete_cors(Call& call);
void get_notification(Call& call);
void put_notification(Call& call);
void get_public_access_block(Call& call);
void put_public_access_block(Call& call);
void delete_public_access_block(Call& call);
void get_ownership_controls(Call& call);
void put_ownership_controls(Call& call);
void delete_ownership_controls(Call& call);

// bucket_policy.cc
void get_policy(Call& call);
void put_policy(Call& call);
void delete_policy(Call& call);
void get_policy_status(Call& call);

// unset_documents.cc: what is not kept answers as S3 does where it was never set.
void get_website(Call& call);
void get_accelerate(Call& call);
void get_replication(Call& call);
void get_logging(Call& call);
void get_request_payment(Call& call);
void list_configurations(Call& call);
void not_implemented(Call& call);

// post_object.cc: a browser's form; authenticates by the form's policy.
void post_object(Call& call);

// sts.cc: POST "/".
void sts(Call& call);

}  // namespace meesh::serve::s3
