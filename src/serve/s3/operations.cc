#include "serve/s3/operations.h"

#include "serve/s3/handlers.h"

namespace meesh::serve::s3 {
namespace {

constexpr Level kService = Level::kService;
constexpr Level kBucket = Level::kBucket;
constexpr Level kObject = Level::kObject;
constexpr unsigned kMutates = Operation::kMutates;
constexpr unsigned kKnowsTags = Operation::kKnowsTags;
constexpr unsigned kNoBucketNeeded = Operation::kNoBucketNeeded;

// clang-format off
constexpr Operation kOperations[] = {
  {"ListBuckets", "GET", kService, "", "", "", "", 0, list_buckets},
  {"AssumeRole", "POST", kService, "", "", "", "", 0, sts},

  {"GetBucketLocation", "GET", kBucket, "location", "", "s3:GetBucketLocation", "", 0, get_bucket_location},
  {"ListObjectVersions", "GET", kBucket, "versions", "", "s3:ListBucketVersions", "", 0, list_object_versions},
  {"ListMultipartUploads", "GET", kBucket, "uploads", "", "s3:ListBucketMultipartUploads", "", 0, list_uploads},
  {"GetBucketVersioning", "GET", kBucket, "versioning", "", "s3:GetBucketVersioning", "", 0, get_bucket_versioning},
  {"GetBucketTagging", "GET", kBucket, "tagging", "", "s3:GetBucketTagging", "", 0, get_bucket_tagging},
  {"GetBucketAcl", "GET", kBucket, "acl", "", "s3:GetBucketAcl", "", 0, get_bucket_acl},
  {"GetBucketPolicy", "GET", kBucket, "policy", "", "s3:GetBucketPolicy", "", 0, get_policy},
  {"GetBucketPolicyStatus", "GET", kBucket, "policyStatus", "", "s3:GetBucketPolicyStatus", "", 0, get_policy_status},
  {"GetBucketLifecycleConfiguration", "GET", kBucket, "lifecycle", "", "s3:GetLifecycleConfiguration", "", 0, get_lifecycle},
  {"GetBucketEncryption", "GET", kBucket, "encryption", "", "s3:GetEncryptionConfiguration", "", 0, get_encryption},
  {"GetObjectLockConfiguration", "GET", kBucket, "object-lock", "", "s3:GetBucketObjectLockConfiguration", "", 0, get_object_lock},
  {"GetBucketCors", "GET", kBucket, "cors", "", "s3:GetBucketCORS", "", 0, get_cors},
  {"GetBucketNotificationConfiguration", "GET", kBucket, "notification", "", "s3:GetBucketNotification", "", 0, get_notification},
  {"GetPublicAccessBlock", "GET", kBucket, "publicAccessBlock", "", "s3:GetBucketPublicAccessBlock", "", 0, get_public_access_block},
  {"GetBucketOwnershipControls", "GET", kBucket, "ownershipControls", "", "s3:GetBucketOwnershipControls", "", 0, get_ownership_controls},
  {"GetBucketWebsite", "GET", kBucket, "website", "", "s3:GetBucketWebsite", "", 0, get_website},
  {"GetBucketAccelerateConfiguration", "GET", kBucket, "accelerate", "", "s3:GetAccelerateConfiguration", "", 0, get_accelerate},
  {"GetBucketReplication", "GET", kBucket, "replication", "", "s3:GetReplicationConfiguration", "", 0, get_replication},
  {"GetBucketLogging", "GET", kBucket, "logging", "", "s3:GetBucketLogging", "", 0, get_logging},
  {"GetBucketRequestPayment", "GET", kBucket, "requestPayment", "", "s3:GetBucketRequestPayment", "", 0, get_request_payment},
  {"ListBucketInventoryConfigurations", "GET", kBucket, "inventory", "", "s3:GetInventoryConfiguration", "", 0, list_configurations},
  {"ListBucketAnalyticsConfigurations", "GET", kBucket, "analytics", "", "s3:GetAnalyticsConfiguration", "", 0, list_configurations},
  {"ListBucketMetricsConfigurations", "GET", kBucket, "metrics", "", "s3:GetMetricsConfiguration", "", 0, list_configurations},
  {"ListBucketIntelligentTieringConfigurations", "GET", kBucket, "intelligent-tiering", "", "s3:GetIntelligentTieringConfiguration", "", 0, list_configurations},
  {"ListObjectsV2", "GET", kBucket, "list-type", "", "s3:ListBucket", "", 0, list_objects_v2},
  {"ListObjects", "GET", kBucket, "", "", "s3:ListBucket", "", 0, list_objects},
  {"HeadBucket", "HEAD", kBucket, "", "", "s3:ListBucket", "", 0, head_bucket},

  {"PutBucketVersioning", "PUT", kBucket, "versioning", "", "s3:PutBucketVersioning", "", kMutates, put_bucket_versioning},
  {"PutBucketTagging", "PUT", kBucket, "tagging", "", "s3:PutBucketTagging", "", kMutates, put_bucket_tagging},
  {"PutBucketAcl", "PUT", kBucket, "acl", "", "s3:PutBucketAcl", "", kMutates, put_bucket_acl},
  {"PutBucketPolicy", "PUT", kBucket, "policy", "", "s3:PutBucketPolicy", "", kMutates, put_policy},
  {"PutBucketLifecycleConfiguration", "PUT", kBucket, "lifecycle", "", "s3:PutLifecycleConfiguration", "", kMutates, put_lifecycle},
  {"PutBucketEncryption", "PUT", kBucket, "encryption", "", "s3:PutEncryptionConfiguration", "", kMutates, put_encryption},
  {"PutObjectLockConfiguration", "PUT", kBucket, "object-lock", "", "s3:PutBucketObjectLockConfiguration", "", kMutates, put_object_lock},
  {"PutBucketCors", "PUT", kBucket, "cors", "", "s3:PutBucketCORS", "", kMutates, put_cors},
  {"PutBucketNotificationConfiguration", "PUT", kBucket, "notification", "", "s3:PutBucketNotification", "", kMutates, put_notification},
  {"PutPublicAccessBlock", "PUT", kBucket, "publicAccessBlock", "", "s3:PutBucketPublicAccessBlock", "", kMutates, put_public_access_block},
  {"PutBucketOwnershipControls", "PUT", kBucket, "ownershipControls", "", "s3:PutBucketOwnershipControls", "", kMutates, put_ownership_controls},
  {"PutBucketWebsite", "PUT", kBucket, "website", "", "s3:PutBucketWebsite", "", kMutates, not_implemented},
  {"PutBucketAccelerateConfiguration", "PUT", kBucket, "accelerate", "", "s3:PutAccelerateConfiguration", "", kMutates, not_implemented},
  {"PutBucketReplication", "PUT", kBucket, "replication", "", "s3:PutReplicationConfiguration", "", kMutates, not_implemented},
  {"PutBucketLogging", "PUT", kBucket, "logging", "", "s3:PutBucketLogging", "", kMutates, not_implemented},
  {"PutBucketRequestPayment", "PUT", kBucket, "requestPayment", "", "s3:PutBucketRequestPayment", "", kMutates, not_implemented},
  {"PutBucketInventoryConfiguration", "PUT", kBucket, "inventory", "", "s3:PutInventoryConfiguration", "", kMutates, not_implemented},
  {"PutBucketAnalyticsConfiguration", "PUT", kBucket, "analytics", "", "s3:PutAnalyticsConfiguration", "", kMutates, not_implemented},
  {"PutBucketMetricsConfiguration", "PUT", kBucket, "metrics", "", "s3:PutMetricsConfiguration", "", kMutates, not_implemented},
  {"PutBucketIntelligentTieringConfiguration", "PUT", kBucket, "intelligent-tiering", "", "s3:PutIntelligentTieringConfiguration", "", kMutates, not_implemented},
  {"CreateBucket", "PUT", kBucket, "", "", "s3:CreateBucket", "", kMutates | kNoBucketNeeded, create_bucket},

  {"DeleteBucketTagging", "DELETE", kBucket, "tagging", "", "s3:PutBucketTagging", "", kMutates, delete_bucket_tagging},
  {"DeleteBucketPolicy", "DELETE", kBucket, "policy", "", "s3:DeleteBucketPolicy", "", kMutates, delete_policy},
  {"DeleteBucketLifecycle", "DELETE", kBucket, "lifecycle", "", "s3:PutLifecycleConfiguration", "", kMutates, delete_lifecycle},
  {"DeleteBucketEncryption", "DELETE", kBucket, "encryption", "", "s3:PutEncryptionConfiguration", "", kMutates, delete_encryption},
  {"DeleteBucketCors", "DELETE", kBucket, "cors", "", "s3:PutBucketCORS", "", kMutates, delete_cors},
  {"DeletePublicAccessBlock", "DELETE", kBucket, "publicAccessBlock", "", "s3:PutBucketPublicAccessBlock", "", kMutates, delete_public_access_block},
  {"DeleteBucketOwnershipControls", "DELETE", kBucket, "ownershipControls", "", "s3:PutBucketOwnershipControls", "", kMutates, delete_ownership_controls},
  {"DeleteBucketWebsite", "DELETE", kBucket, "website", "", "s3:DeleteBucketWebsite", "", kMutates, not_implemented},
  {"DeleteBucketReplication", "DELETE", kBucket, "replication", "", "s3:PutReplicationConfiguration", "", kMutates, not_implemented},
  {"DeleteBucketInventoryConfiguration", "DELETE", kBucket, "inventory", "", "s3:PutInventoryConfiguration", "", kMutates, not_implemented},
  {"DeleteBucketAnalyticsConfiguration", "DELETE", kBucket, "analytics", "", "s3:PutAnalyticsConfiguration", "", kMutates, not_implemented},
  {"DeleteBucketMetricsConfiguration", "DELETE", kBucket, "metrics", "", "s3:PutMetricsConfiguration", "", kMutates, not_implemented},
  {"DeleteBucketIntelligentTieringConfiguration", "DELETE", kBucket, "intelligent-tiering", "", "s3:PutIntelligentTieringConfiguration", "", kMutates, not_implemented},
  {"DeleteBucket", "DELETE", kBucket, "", "", "s3:DeleteBucket", "", kMutates, delete_bucket},

  {"DeleteObjects", "POST", kBucket, "delete", "", "", "", kMutates, delete_objects},
  {"PostObject", "POST", kBucket, "", "", "", "", kMutates, post_object},

  {"ListParts", "GET", kObject, "uploadId", "", "s3:ListMultipartUploadParts", "", 0, list_parts},
  {"GetObjectTagging", "GET", kObject, "tagging", "", "s3:GetObjectTagging", "s3:GetObjectVersionTagging", kKnowsTags, get_object_tagging},
  {"GetObjectAcl", "GET", kObject, "acl", "", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", kKnowsTags, get_object_acl},
  {"GetObjectRetention", "GET", kObject, "retention", "", "s3:GetObjectRetention", "", 0, get_retention},
  {"GetObjectLegalHold", "GET", kObject, "legal-hold", "", "s3:GetObjectLegalHold", "", 0, get_legal_hold},
  {"GetObjectAttributes", "GET", kObject, "attributes", "", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", kKnowsTags, get_object_attributes},
  {"GetObjectTorrent", "GET", kObject, "torrent", "", "s3:GetObjectTorrent", "", 0, not_implemented},
  {"GetObject", "GET", kObject, "", "", "", "", 0, get_object},
  {"HeadObject", "HEAD", kObject, "", "", "", "", 0, head_object},

  {"UploadPartCopy", "PUT", kObject, "uploadId", "x-amz-copy-source", "s3:PutObject", "", kMutates, upload_part_copy},
  {"UploadPart", "PUT", kObject, "uploadId", "", "s3:PutObject", "", kMutates, upload_part},
  {"PutObjectTagging", "PUT", kObject, "tagging", "", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", kMutates | kKnowsTags, put_object_tagging},
  {"PutObjectAcl", "PUT", kObject, "acl", "", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", kMutates | kKnowsTags, put_object_acl},
  {"PutObjectRetention", "PUT", kObject, "retention", "", "s3:PutObjectRetention", "", kMutates, put_retention},
  {"PutObjectLegalHold", "PUT", kObject, "legal-hold", "", "s3:PutObjectLegalHold", "", kMutates, put_legal_hold},
  {"CopyObject", "PUT", kObject, "", "x-amz-copy-source", "s3:PutObject", "", kMutates, copy_object},
  {"PutObject", "PUT", kObject, "", "", "s3:PutObject", "", kMutates, put_object},

  {"CreateMultipartUpload", "POST", kObject, "uploads", "", "s3:PutObject", "", kMutates, create_upload},
  {"CompleteMultipartUpload", "POST", kObject, "uploadId", "", "s3:PutObject", "", kMutates, complete_upload},
  {"RestoreObject", "POST", kObject, "restore", "", "s3:RestoreObject", "", kMutates, not_implemented},
  {"SelectObjectContent", "POST", kObject, "select", "", "s3:GetObject", "", 0, not_implemented},

  {"AbortMultipartUpload", "DELETE", kObject, "uploadId", "", "s3:AbortMultipartUpload", "", kMutates, abort_upload},
  {"DeleteObjectTagging", "DELETE", kObject, "tagging", "", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", kMutates | kKnowsTags, delete_object_tagging},
  {"DeleteObject", "DELETE", kObject, "", "", "s3:DeleteObject", "s3:DeleteObjectVersion", kMutates, delete_object},
};
// clang-format on

}  // namespace

std::span<const Operation> operations() { return kOperations; }

const Operation& find_operation(const Call& call) {
  Level level = call.bucket.empty() ? kService : call.key.empty() ? kBucket : kObject;
  for (const Operation& operation : kOperations) {
    if (operation.level == level && operation.method == call.request.method &&
        (operation.parameter.empty() || call.has(operation.parameter)) &&
        (operation.header.empty() || call.request.headers.get(operation.header))) {
      return operation;
    }
  }
  throw S3Error(objects::Reason::kMethodNotAllowed,
                "The specified method is not allowed against this resource.");
}

}  // namespace meesh::serve::s3
