// aws-chunked framing of any bytes: never more content than was told, the same content however the
// bytes come and are asked for, and only S3's errors. First byte: options; second: sizes.
#include <cstdint>
#include <cstdlib>

#include "serve/s3/chunked_body.h"
#include "serve/s3/error.h"

namespace {

using namespace meesh;             // NOLINT(build/namespaces)
using namespace meesh::serve::s3;  // NOLINT(build/namespaces)

struct Outcome {
  std::string content, error;
  objects::Checksums trailers;
  bool operator==(const Outcome& other) const {
    return error == other.error && trailers == other.trailers &&
           (!error.empty() || content == other.content);
  }
};

Outcome run(std::string_view bytes, const ChunkedOptions& options, size_t piece, size_t ask) {
  auto body = chunked_body(
      [bytes, piece](char* buffer, size_t size) mutable {
        size_t count = std::min({size, piece, bytes.size()});
        bytes.copy(buffer, count);
        bytes.remove_prefix(count);
        return count;
      },
      options);
  Outcome out;
  std::string buffer(ask, '\0');
  try {
    while (size_t got = body->read(buffer.data(), ask)) {
      if (got > ask) std::abort();
      out.content.append(buffer, 0, got);
    }
    out.trailers = body->trailers();
    if (out.content.size() != options.length) std::abort();
  } catch (const S3Error& e) {
    out.error = e.name();
    if (options.length > 0 && out.content.size() >= options.length) std::abort();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  ChunkedOptions options;
  options.trailer = (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) options.announced = {objects::ChecksumKind::kCrc32};
  if ((data[0] & 4) != 0) {
    net::SigningScope scope = {"20130524", "us-east-1", "s3"};
    options.signing = {net::signing_key("secret", scope), "20130524T000000Z", scope,
                       std::string(64, '5')};
  }
  options.length = data[0] >> 3;
  Outcome whole = run(bytes, options, SIZE_MAX, 100);
  size_t piece = (data[1] & 15) + 1;
  size_t ask = static_cast<size_t>(data[1] >> 4) + 1;
  if (!(run(bytes, options, piece, ask) == whole)) std::abort();
  return 0;
}
