#include "serve/trino/spooled_data.h"

#include <fmt/format.h>

namespace meesh::serve::trino {
namespace {

constexpr uint64_t kFirstBytes = 2 << 20;
constexpr uint64_t kSegmentBytes = 16 << 20;
/// Of rows that stand in the page because there is no room for them elsewhere.
constexpr uint64_t kInlineWhenFull = 1 << 20;

}  // namespace

SpooledData::SpooledData(DataEncoding encoding, std::shared_ptr<SegmentStore> store,
                         std::string owner, std::string query)
    : encoding_(encoding),
      store_(std::move(store)),
      owner_(std::move(owner)),
      query_(std::move(query)) {}

uint64_t SpooledData::next_bytes() const {
  if (full_) return kInlineWhenFull;
  return offset_ == 0 ? kFirstBytes : kSegmentBytes;
}

void SpooledData::write(std::string_view rows, uint64_t count, const std::string& base_uri,
                        JsonText& out) {
  const auto packed = pack(encoding_, rows);
  const std::string_view bytes = packed ? *packed : rows;
  out.raw('{');
  out.member("encoding", encoding_name(encoding_));
  out.raw("\"metadata\":{},\"segments\":[{");
  write_segment(bytes, base_uri, out);
  out.raw("\"metadata\":{");
  out.member("rowOffset", offset_);
  out.member("rowsCount", count);
  out.member("segmentSize", uint64_t{bytes.size()});
  // Only of packed ones: that is how clients know them.
  if (packed) out.member("uncompressedSize", uint64_t{rows.size()});
  out.close('}');
  out.raw("}]}");
  offset_ += count;
}

void SpooledData::write_segment(std::string_view bytes, const std::string& base_uri,
                                JsonText& out) {
  std::optional<std::string> id;
  if (bytes.size() > kInlineBytes) {
    id = store_->put(bytes, owner_, query_);
    full_ = !id;
  }
  if (id) {
    out.member("type", "spooled");
    out.member("uri", fmt::format("{}/v1/spooled/download/{}", base_uri, *id));
    out.member("ackUri", fmt::format("{}/v1/spooled/ack/{}", base_uri, *id));
    out.raw("\"headers\":{},");
    return;
  }
  out.member("type", "inline");
  out.raw("\"data\":\"");
  out.base64_body(bytes);
  out.raw("\",");
}

}  // namespace meesh::serve::trino
