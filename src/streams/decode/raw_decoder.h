// Messages as they are: one column, varbinary or varchar.
#pragma once

#include <memory>
#include <vector>

#include "streams/decode/decoder.h"

namespace meesh::streams {

std::unique_ptr<Decoder> make_raw_decoder(const std::vector<ColumnConfig>& columns);

}  // namespace meesh::streams
