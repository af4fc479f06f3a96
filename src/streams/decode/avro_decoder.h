// Avro messages: plain ones of the configuration's schema, or in Confluent's framing, whose schemas
// come from a registry.
#pragma once

#include <memory>
#include <vector>

#include "streams/decode/avro_schema.h"
#include "streams/decode/decoder.h"

namespace meesh::streams {

/// With a registry, `format.schema` is the reader's: its defaults stand in for fields that a
/// message's schema lacks, its aliases are looked for as well.
std::unique_ptr<Decoder> make_avro_decoder(const FormatConfig& format,
                                           const std::vector<ColumnConfig>& columns,
                                           SchemaRegistry* registry);

}  // namespace meesh::streams
