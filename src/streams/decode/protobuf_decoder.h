// Protobuf messages: plain ones of the configuration's schema, or in Confluent's framing, whose
// schemas come from a registry.
#pragma once

#include <memory>
#include <vector>

#include "streams/decode/decoder.h"
#include "streams/decode/protobuf_schema.h"

namespace meesh::streams {

std::unique_ptr<Decoder> make_protobuf_decoder(const FormatConfig& format,
                                               const std::vector<ColumnConfig>& columns,
                                               SchemaRegistry* registry);

}  // namespace meesh::streams
