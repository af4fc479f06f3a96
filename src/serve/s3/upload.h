// Bodies on their way into the store.
#pragma once

#include <cstdint>
#include <optional>

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

/// Throws MissingContentLength, EntityTooLarge.
void check_size(const Call& call, std::optional<uint64_t> size);
/// S3 keeps a CRC64NVME of objects that came without a checksum.
void keep_a_checksum(objects::WriteOptions& options);
/// The request's body to its end, with its trailers.
void pour(Call& call, objects::Writer& writer);

/// The document of CompleteMultipartUpload. Throws MalformedXML, InvalidArgument, InvalidPartOrder.
std::vector<objects::CompletedPart> parse_completed_parts(std::string_view xml);

}  // namespace meesh::serve::s3
