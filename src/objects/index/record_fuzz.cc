// Any bytes as records of the index: rows or an error, and what was read can be written and read
// again.
#include <cstdlib>

#include "base/error.h"
#include "objects/index/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::objects;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    Row row, again;
    row.flags = again.flags = Row::kNull;
    decode_record(bytes, row);
    decode_record(encode_record(row), again);
    if (again.object.etag != row.object.etag || again.pieces.size() != row.pieces.size()) abort();
    decode_layout(bytes, row);
    decode_bucket("b", bytes);
    UploadRow upload;
    decode_upload(bytes, upload);
    decode_part(bytes);
    seq_of_id(bytes);
  } catch (const meesh::Error&) {
  }
  return 0;
}
