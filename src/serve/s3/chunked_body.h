// aws-chunked: S3's own framing of a body inside HTTP's.
//
//   SIZE[;chunk-signature=HEX] CR LF  bytes  CR LF  …  0[;chunk-signature=HEX] CR LF
//   then CR LF, or the trailer: fields "name:value", the last one x-amz-trailer-signature if the
//   chunks are signed.
//
// Format: "Transferring Payload in Multiple Chunks" and "Including Trailing Headers" in Amazon's S3
// API reference. Chunks are read strictly. Between the trailer's fields clients differ (LF or CR
// LF, empty lines, none at the end), so there only the fields count.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/aws_signature.h"
#include "serve/s3/signed_body.h"

namespace meesh::serve::s3 {

/// The chain that chunk signatures hang on.
struct ChunkSigning {
  std::string key;        // raw signing key
  std::string timestamp;  // of the request
  net::SigningScope scope;
  std::string seed;  // the request's signature
};

struct ChunkedOptions {
  std::optional<ChunkSigning> signing;  // absent: chunks carry no signatures
  bool trailer = false;
  std::vector<objects::ChecksumKind> announced;  // by x-amz-trailer: each must come, no other may
  uint64_t length = 0;                           // x-amz-decoded-content-length
};

/// read() throws InvalidRequest (framing), IncompleteBody (it ends early or has not the length
/// told), SignatureDoesNotMatch, MalformedTrailerError.
std::unique_ptr<Body> chunked_body(ByteSource source, ChunkedOptions options);

}  // namespace meesh::serve::s3
