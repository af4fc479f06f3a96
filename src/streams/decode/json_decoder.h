// JSON messages: one object each.
#pragma once

#include <memory>
#include <vector>

#include "streams/decode/decoder.h"

namespace meesh::streams {

std::unique_ptr<Decoder> make_json_decoder(const std::vector<ColumnConfig>& columns);

}  // namespace meesh::streams
