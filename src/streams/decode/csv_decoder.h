// CSV messages: one record of RFC 4180 each.
#pragma once

#include <memory>
#include <vector>

#include "streams/decode/decoder.h"

namespace meesh::streams {

std::unique_ptr<Decoder> make_csv_decoder(const FormatConfig& format,
                                          const std::vector<ColumnConfig>& columns);

}  // namespace meesh::streams
