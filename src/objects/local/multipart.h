// Between the files that deal with multipart uploads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "objects/index/record.h"
#include "objects/local/core.h"
#include "objects/payload.h"

namespace meesh::objects {

/// The object that `parts`, as listed by the client, make of what was uploaded: sizes, ETag,
/// checksums, pieces. Throws kMalformedXML (no parts), kInvalidPartOrder, kInvalidPart,
/// kEntityTooSmall, kInvalidRequest, kBadDigest.
Row assemble(const Upload& upload, const std::map<int, PartRow>& found,
             const std::vector<CompletedPart>& parts, const Checksums& expected);

/// Writes and syncs a file without content that describes `row`, and makes it the row's manifest.
std::unique_ptr<NewPayload> write_manifest(Core& core, PayloadDescription description, Row& row);

/// Inside a change. Throws kNoSuchUpload.
void abort_upload(sqlite::Connection& db, int64_t bucket, const std::string& key,
                  const std::string& id);

}  // namespace meesh::objects
