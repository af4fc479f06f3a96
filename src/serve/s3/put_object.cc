#include "net/head.h"
#include "serve/s3/expiration.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/upload.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;
constexpr size_t kBuffer = 256 << 10;

}  // namespace

void check_size(const Call& call, std::optional<uint64_t> size) {
  if (!size) {
    if (net::has_token(call.request.headers, "Transfer-Encoding", "chunked")) return;
    throw S3Error("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  }
  uint64_t most = call.service.options.max_upload_bytes;
  if (*size > most) {
    throw S3Error(
        "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed object size.",
        {{"ProposedSize", std::to_string(*size)}, {"MaxSizeAllowed", std::to_string(most)}});
  }
}

void keep_a_checksum(objects::WriteOptions& options) {
  if (options.expected.empty()) options.expected[objects::ChecksumKind::kCrc64Nvme] = "";
}

void pour(Call& call, objects::Writer& writer) {
  Body& body = *call.who.body;
  uint64_t most = call.service.options.max_upload_bytes, total = 0;
  size_t size = std::min<uint64_t>(kBuffer, body.length().value_or(kBuffer) + 1);
  std::unique_ptr<char[]> buffer(new char[size]);
  while (size_t got = body.read(buffer.get(), size)) {
    total += got;
    if (total > most) {
      throw S3Error(Reason::kEntityTooLarge,
                    "Your proposed upload exceeds the maximum allowed object size.");
    }
    writer.write({buffer.get(), got});
  }
  for (const auto& [kind, value] : body.trailers()) writer.expect(kind, value);
}

void put_object(Call& call) {
  objects::check_key(call.key);
  objects::Attributes attributes = read_attributes(call);
  objects::WriteOptions options;
  options.size = call.who.body->length();
  check_size(call, options.size);
  read_encryption(call, options);
  read_digests(call, options);
  if (has_lock_headers(call) && !options.md5 && options.expected.empty()) {
    throw S3Error(Reason::kInvalidRequest,
                  "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests "
                  "with Object Lock parameters");
  }
  keep_a_checksum(options);
  objects::WriteCondition condition = read_write_condition(call);
  check_write_condition(call, condition);

  auto writer = call.store().put(call.bucket, call.key, std::move(attributes), options);
  pour(call, *writer);
  objects::Object made = writer->commit(condition);
  call.set("ETag", quoted_etag(made.etag));
  set_version_header(call, made, call.response.headers);
  set_expiration_header(call, made, call.response.headers);
  set_encryption_headers(made.encryption, made.customer_key_md5, call.response.headers);
  set_checksum_headers(call, made.checksums, made.composite);
  call.answer(200);
}

}  // namespace meesh::serve::s3
