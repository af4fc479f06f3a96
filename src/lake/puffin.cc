#include "lake/puffin.h"

#include <fmt/format.h>
#include <zstd.h>

#include <boost/json.hpp>
#include <cstring>

#include "base/error.h"
#include "lake/metadata_json.h"

namespace meesh::lake {
namespace {

constexpr std::string_view kMagic = "PFA1";
constexpr size_t kTailSize = 12;  // length of the footer's JSON, flags, magic
constexpr uint32_t kPackedFooter = 1;
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
constexpr size_t kMostUnpacked = size_t{64} << 20;

[[noreturn]] void fail(const std::string& what) {
  throw Error(Code::kIcebergBadData, "a Puffin file " + what);
}

uint32_t load_number(const char* from) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

void put_number(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

std::string unpack_zstd(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    fail("has zstd data that does not tell its length");
  }
  if (size > kMostUnpacked) {
    fail(fmt::format("has a part of {} bytes, more than the {} allowed", size, kMostUnpacked));
  }
  std::string out(size, '\0');
  const size_t done = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(done) != 0) {
    fail(fmt::format("has no good zstd data: {}", ZSTD_getErrorName(done)));
  }
  if (done != size) fail("has zstd data that is cut short");
  return out;
}

/// A blob whose bytes lie before `end`, the footer's begin.
PuffinBlob read_blob(const JsonNode& node, std::string_view file, size_t end) {
  PuffinBlob blob;
  blob.about = read_blob_metadata(node);
  blob.codec = node.find_text("compression-codec").value_or("");
  const int64_t offset = node.long_integer("offset"), length = node.long_integer("length");
  const auto body = static_cast<int64_t>(end);
  if (offset < static_cast<int64_t>(kMagic.size()) || offset > body) {
    node.fail_at("offset", fmt::format("{} is not before the footer at {}", offset, end));
  }
  if (length < 0 || length > body - offset) {
    node.fail_at("length", fmt::format("{} bytes from {} are not before the footer at {}", length,
                                       offset, end));
  }
  blob.bytes = file.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  return blob;
}

std::string footer_json(std::string_view payload, uint32_t flags) {
  if ((flags & ~kPackedFooter) != 0) {
    throw Error(Code::kNotSupported,
                fmt::format("a Puffin file has flags that are not known: {:#010x}", flags));
  }
  if ((flags & kPackedFooter) == 0) return std::string(payload);
  if (payload.starts_with(kZstdMagic)) return unpack_zstd(payload);
  throw Error(Code::kNotSupported, "a Puffin file's footer is packed with lz4")
      .with_hint("have it written with a plain footer, as Iceberg's own library does");
}

}  // namespace

Puffin parse_puffin(std::string_view file) {
  if (file.size() < 2 * kMagic.size() + kTailSize) fail("is cut short");
  if (!file.starts_with(kMagic) || !file.ends_with(kMagic)) {
    fail("does not begin and end with PFA1");
  }
  const char* tail = file.data() + file.size() - kTailSize;
  const size_t size = load_number(tail);
  if (size > file.size() - 2 * kMagic.size() - kTailSize) {
    fail(fmt::format("of {} bytes cannot have a footer of {}", file.size(), size));
  }
  const size_t footer = file.size() - kTailSize - size - kMagic.size();
  if (file.substr(footer, kMagic.size()) != kMagic) fail("has no PFA1 before its footer");
  const std::string json =
      footer_json(file.substr(footer + kMagic.size(), size), load_number(tail + 4));
  Puffin out;
  read_json(json, Code::kIcebergBadData, [&](const JsonNode& root) {
    for (const JsonNode& item : root.items("blobs")) {
      out.blobs.push_back(read_blob(item, file, footer));
    }
    out.properties = root.find_properties("properties");
  });
  return out;
}

std::string unpacked(const PuffinBlob& blob) {
  if (blob.codec.empty()) return std::string(blob.bytes);
  if (blob.codec == "zstd") return unpack_zstd(blob.bytes);
  throw Error(Code::kNotSupported,
              fmt::format("a blob of a Puffin file is packed with '{}'", blob.codec.substr(0, 80)))
      .with_hint("zstd and none are understood");
}

std::string packed_zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  if (ZSTD_isError(size) != 0) internal_error(ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

WrittenPuffin write_puffin(std::span<const PuffinBlob> blobs, const Properties& properties) {
  WrittenPuffin out;
  out.bytes = kMagic;
  boost::json::array items;
  for (const PuffinBlob& blob : blobs) {
    boost::json::object item = to_json(blob.about);
    item["offset"] = out.bytes.size();
    item["length"] = blob.bytes.size();
    if (!blob.codec.empty()) item["compression-codec"] = blob.codec;
    items.push_back(std::move(item));
    out.bytes += blob.bytes;
  }
  boost::json::object root;
  root["blobs"] = std::move(items);
  if (!properties.empty()) root["properties"] = to_json(properties);
  const std::string json = boost::json::serialize(root);
  const size_t before = out.bytes.size();
  out.bytes += kMagic;
  out.bytes += json;
  put_number(out.bytes, static_cast<uint32_t>(json.size()));
  put_number(out.bytes, 0);
  out.bytes += kMagic;
  out.footer_size = static_cast<int64_t>(out.bytes.size() - before);
  return out;
}

}  // namespace meesh::lake
