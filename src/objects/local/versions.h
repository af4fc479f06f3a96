// What S3 says about the versions of one key, inside a change of the index: which version becomes
// the newest, which make room, what a condition, a lock or a quota forbids.
#pragma once

#include <string_view>
#include <vector>

#include "objects/index/index.h"
#include "objects/index/record.h"
#include "objects/local/buckets.h"
#include "objects/store.h"

namespace meesh::objects {

/// Throws kPreconditionFailed, kNoSuchKey (If-Match without a current object).
void check_write_condition(const WriteCondition& condition, const std::optional<Row>& current);
/// As HTTP defines them. Throws kPreconditionFailed, kNotModified.
void check_read_condition(const ReadCondition& condition, const Object& object);

/// Makes `row` the newest version of its key. In: object (key, size, etag …), pieces, manifest,
/// flags for its content; out: seq, version and flags. A seq and version told beforehand (see
/// name_version) are kept unless a newer version came between. `inline_bytes` if kInline. Nothing
/// is written if it throws: kPreconditionFailed, kNoSuchKey, kQuotaExceeded.
void install(Index& index, sqlite::Connection& db, const BucketEntry& bucket, Row& row,
             std::string_view inline_bytes, const WriteCondition& condition);

/// Seq and version as a payload file's footer tells them, before the change that makes them so.
void name_version(Index& index, const Bucket& bucket, Row& row);

/// S3's DELETE. Nothing is written if it throws: kPreconditionFailed, kAccessDenied (locked).
/// `events` receives what listeners are told; nothing if nothing was there.
Deleted remove(Index& index, sqlite::Connection& db, const BucketEntry& bucket,
               std::string_view key, const DeleteOptions& options, Time now,
               std::vector<Event>& events);

/// Throws kAccessDenied while a retention or a legal hold protects it.
void check_unlocked(const Object& object, bool bypass_governance, Time now);
/// Retention as it may become: longer always; shorter or none only where governance is bypassed.
/// Throws kAccessDenied, kInvalidRequest (time in the past).
void check_retention_change(const Retention& before, const Retention& after, bool bypass_governance,
                            Time now);
/// Fills in the bucket's default; throws kInvalidRequest if the bucket has no object lock but the
/// attributes ask for one.
void apply_lock_defaults(const Bucket& bucket, Attributes& attributes, Time now);

Time now();

}  // namespace meesh::objects
