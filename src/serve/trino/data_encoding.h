// Encodings of the spooled protocol: how the rows of one segment are packed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::serve::trino {

enum class DataEncoding { kJson, kJsonLz4, kJsonZstd };

/// "json", "json+lz4", "json+zstd"
std::string_view encoding_name(DataEncoding encoding);

/// The first encoding of X-Trino-Query-Data-Encoding that is known here; none: rows stand in the
/// page itself, as for clients that do not ask.
std::optional<DataEncoding> choose_encoding(std::string_view wanted);

/// The packed form of a segment's rows: one LZ4 block, one Zstandard frame. Nothing if they stay as
/// they are: because the encoding says so, they are few, or packing them does not make them
/// smaller.
std::optional<std::string> pack(DataEncoding encoding, std::string_view rows);

}  // namespace meesh::serve::trino
