// What can go wrong in an object store, in S3's words: each reason is an S3 error code with its
// HTTP status, so that serve/s3 has nothing to translate and remote answers map back one to one.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace meesh::objects {

// clang-format off
/// Reason, S3 code, HTTP status, house code.
#define MEESH_OBJECT_REASONS(X)                                                          \
  X(kAccessDenied, "AccessDenied", 403, kPermissionDenied)                               \
  X(kBadDigest, "BadDigest", 400, kBadRequest)                                           \
  X(kBucketAlreadyExists, "BucketAlreadyExists", 409, kAlreadyExists)                    \
  X(kBucketAlreadyOwnedByYou, "BucketAlreadyOwnedByYou", 409, kAlreadyExists)            \
  X(kBucketNotEmpty, "BucketNotEmpty", 409, kConstraintViolation)                        \
  X(kConditionalRequestConflict, "ConditionalRequestConflict", 409, kTransactionConflict)\
  X(kEntityTooLarge, "EntityTooLarge", 400, kBadRequest)                                 \
  X(kEntityTooSmall, "EntityTooSmall", 400, kBadRequest)                                 \
  X(kIncompleteBody, "IncompleteBody", 400, kBadRequest)                                 \
  X(kInternalError, "InternalError", 500, kGenericInternalError)                         \
  X(kInvalidArgument, "InvalidArgument", 400, kInvalidArguments)                         \
  X(kInvalidBucketName, "InvalidBucketName", 400, kInvalidArguments)                     \
  X(kInvalidBucketState, "InvalidBucketState", 409, kConstraintViolation)                \
  X(kInvalidObjectState, "InvalidObjectState", 403, kConstraintViolation)                \
  X(kInvalidPart, "InvalidPart", 400, kBadRequest)                                       \
  X(kInvalidPartOrder, "InvalidPartOrder", 400, kBadRequest)                             \
  X(kInvalidRange, "InvalidRange", 416, kInvalidRange)                                   \
  X(kInvalidRequest, "InvalidRequest", 400, kBadRequest)                                 \
  X(kInvalidTag, "InvalidTag", 400, kInvalidArguments)                                   \
  X(kKeyTooLong, "KeyTooLongError", 400, kInvalidArguments)                              \
  X(kMalformedXML, "MalformedXML", 400, kBadRequest)                                     \
  X(kMethodNotAllowed, "MethodNotAllowed", 405, kNotSupported)                           \
  X(kNoSuchBucket, "NoSuchBucket", 404, kNotFound)                                       \
  X(kNoSuchKey, "NoSuchKey", 404, kNotFound)                                             \
  X(kNoSuchUpload, "NoSuchUpload", 404, kNotFound)                                       \
  X(kNoSuchVersion, "NoSuchVersion", 404, kNotFound)                                     \
  X(kNotImplemented, "NotImplemented", 501, kNotSupported)                               \
  X(kNotModified, "NotModified", 304, kBadRequest)                                       \
  X(kPreconditionFailed, "PreconditionFailed", 412, kConstraintViolation)                \
  X(kQuotaExceeded, "QuotaExceeded", 403, kConstraintViolation)                          \
  X(kRequestTimeout, "RequestTimeout", 400, kBadRequest)                                 \
  X(kServiceUnavailable, "ServiceUnavailable", 503, kUnavailable)                        \
  X(kSlowDown, "SlowDown", 503, kUnavailable)                                            \
  X(kStorageFull, "XMinioStorageFull", 507, kDiskFull)
// clang-format on

enum class Reason {
#define X(id, name, status, code) id,
  MEESH_OBJECT_REASONS(X)
#undef X
};
std::string_view reason_name(Reason reason);  // "NoSuchKey"
int reason_status(Reason reason);             // 404
Code reason_code(Reason reason);

class ObjectError : public Error {
 public:
  ObjectError(Reason reason, std::string message)
      : Error(reason_code(reason), std::move(message)), reason_(reason) {}
  Reason reason() const { return reason_; }
  /// A GET of a delete marker answers x-amz-delete-marker and the marker's version.
  std::string version;
  bool delete_marker = false;

 private:
  Reason reason_;
};

}  // namespace meesh::objects
