#include "serve/trino/data_encoding.h"

#include <lz4.h>
#include <zstd.h>

#include <array>
#include <memory>

namespace meesh::serve::trino {
namespace {

constexpr std::array kEncodings = {DataEncoding::kJson, DataEncoding::kJsonLz4,
                                   DataEncoding::kJsonZstd};
constexpr size_t kPackedFromBytes = 8 << 10;  // as Trino
constexpr int kZstdLevel = 1;                 // of JSON: a fifth larger than level 3, twice as fast
constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The packed bytes' number, 0 if they do not fit.
size_t pack_lz4(std::string_view rows, std::string& out) {
  const int size = LZ4_compress_default(rows.data(), out.data(), static_cast<int>(rows.size()),
                                        static_cast<int>(out.size()));
  return size < 0 ? 0 : static_cast<size_t>(size);
}

size_t pack_zstd(std::string_view rows, std::string& out) {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (!context) return 0;
  const size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), rows.data(),
                                        rows.size(), kZstdLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

}  // namespace

std::string_view encoding_name(DataEncoding encoding) {
  switch (encoding) {
    case DataEncoding::kJson:
      return "json";
    case DataEncoding::kJsonLz4:
      return "json+lz4";
    case DataEncoding::kJsonZstd:
      return "json+zstd";
  }
  return "";
}

std::optional<DataEncoding> choose_encoding(std::string_view wanted) {
  while (!wanted.empty()) {
    const size_t comma = wanted.find(',');
    const std::string_view name = trim(wanted.substr(0, comma));
    for (const auto encoding : kEncodings) {
      if (name == encoding_name(encoding)) return encoding;
    }
    if (comma == std::string_view::npos) break;
    wanted.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

std::optional<std::string> pack(DataEncoding encoding, std::string_view rows) {
  if (encoding == DataEncoding::kJson || rows.size() < kPackedFromBytes ||
      rows.size() > LZ4_MAX_INPUT_SIZE) {
    return std::nullopt;
  }
  // What would not become smaller does not fit.
  std::string out(rows.size() - 1, '\0');
  const size_t size =
      encoding == DataEncoding::kJsonLz4 ? pack_lz4(rows, out) : pack_zstd(rows, out);
  if (size == 0) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace meesh::serve::trino
