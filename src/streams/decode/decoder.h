// From a message's bytes to the cells of a row. One decoder an encoding: JSON, Avro, Protobuf, CSV,
// raw.
//
//   SchemaRegistry registry(settings);
//   auto decoder = make_decoder(format, columns, &registry);
//   std::string wrong;
//   if (decoder->decode(value, *rows, first, wrong)) rows->end_row();
//   else rows->drop_row(), dead_letter(message, wrong);
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// Used by one thread.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Sets the cells of columns `first`, `first` + 1, … of the row that is being filled, one for
  /// each column it was made with; a member that is absent or null leaves NULL. False if the value
  /// is none of its encoding or a member is not of the column's type; `wrong` says which, what was
  /// found and what was expected, and the row is to be dropped. Throws only what is not the
  /// message's fault: a registry that does not answer (kExternal).
  virtual bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
                      std::string& wrong) = 0;
};

class SchemaRegistry;  // schema_registry.h

/// `columns` is not empty but for kRaw, which has one: what it is called, varbinary or varchar.
/// `registry` may be null; it outlives the decoder. Throws CONFIG_INVALID for schemas that are none
/// and columns they do not have.
std::unique_ptr<Decoder> make_decoder(const FormatConfig& format,
                                      const std::vector<ColumnConfig>& columns,
                                      SchemaRegistry* registry);

/// The columns that the schema itself gives (Avro, Protobuf; of a registry, the newest of
/// `subject`), for configurations that name none. Throws NOT_FOUND, CONFIG_INVALID.
std::vector<ColumnConfig> columns_of_schema(const FormatConfig& format, const std::string& subject,
                                            SchemaRegistry* registry);

}  // namespace meesh::streams
