// Range headers, percent-encoding, query strings, Accept-Encoding and packed bodies of any bytes.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "net/coding.h"
#include "net/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::net;  // NOLINT(build/namespaces)
  uint64_t resource = 0;
  if (size < sizeof resource) return 0;
  std::memcpy(&resource, data, sizeof resource);
  std::string_view text(reinterpret_cast<const char*>(data) + sizeof resource,
                        size - sizeof resource);
  if ((resource & 1) != 0) resource &= 0xFFF;

  for (std::string header : {std::string(text), "bytes=" + std::string(text)}) {
    ByteRange range;
    if (parse_range(header, resource, range) == RangeResult::kPartial &&
        (range.first > range.last || range.last >= resource)) {
      std::abort();
    }
  }
  if (percent_decode(percent_encode(text), true) != text) std::abort();
  for (bool plus : {false, true}) {
    if (auto decoded = percent_decode(text, plus); decoded && decoded->size() > text.size()) {
      std::abort();
    }
  }
  parse_query(text);
  choose_coding(text);
  for (Coding coding : {Coding::kGzip, Coding::kZstd}) {
    try {
      if (decode(coding, text, 1 << 16).size() > 1 << 16) std::abort();
    } catch (const HttpError&) {
      continue;
    }
  }
  return 0;
}
