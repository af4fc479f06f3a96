// x-amz-copy-source: the version a copy is made of.
#pragma once

#include <string>

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

struct CopySource {
  /// Throws InvalidArgument, AccessDenied (also for another owner than the one told), NoSuchKey …
  explicit CopySource(Call& call);
  /// x-amz-copy-source-if-…; throws PreconditionFailed.
  void check(const Call& call);

  std::string bucket, key, version;
  objects::Bucket info;
  objects::ReadOptions options;  // version and customer key
  objects::Object object;        // as it was found

 private:
  void open(Call& call);
};

/// What one copy may take. Throws InvalidRequest, as S3 calls it.
void check_copy_size(const Call& call, uint64_t size);
/// partNumber, 1 to 10,000; throws InvalidArgument.
int part_number(const Call& call);

}  // namespace meesh::serve::s3
