// A browser's form from any bytes, in pieces of any size: what is read does not depend on them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "serve/s3/error.h"
#include "serve/s3/form_parser.h"

namespace {

using namespace meesh::serve::s3;  // NOLINT(build/namespaces)

struct Result {
  std::map<std::string, std::string> fields;
  std::string file_name, file;
  bool has_file = false, refused = false;
  bool operator==(const Result&) const = default;
};

Result parse(std::string_view body, size_t piece) {
  Result out;
  try {
    FormParser form("multipart/form-data; boundary=b", [&](char* buffer, size_t size) {
      size_t got = std::min({size, piece, body.size()});
      std::memcpy(buffer, body.data(), got);
      body.remove_prefix(got);
      return got;
    });
    out.has_file = form.read_fields();
    out.fields = form.fields();
    out.file_name = form.file_name();
    while (out.has_file) {
      std::string_view bytes = form.file_piece();
      if (bytes.empty()) break;
      out.file += bytes;
    }
  } catch (const S3Error& error) {
    if (error.status() != 400) std::abort();
    out.refused = true;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view body(reinterpret_cast<const char*>(data), size);
  Result whole = parse(body, SIZE_MAX);
  Result pieces = parse(body, 1 + size % 7);
  // Of a body that ends too early, more or less may have been given out before.
  if (whole.refused != pieces.refused) std::abort();
  if (!whole.refused && !(whole == pieces)) std::abort();
  if (whole.file.find("\r\n--b") != std::string::npos) std::abort();
  try {
    FormParser form("multipart/form-data; boundary=" + std::string(body.substr(0, 100)),
                    [](char*, size_t) { return size_t{0}; });
    form.read_fields();
  } catch (const S3Error&) {
    return 0;
  }
  return 0;
}
