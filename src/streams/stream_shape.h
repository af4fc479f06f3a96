// What a file of streams/ may say; checker and JSON Schema both come from here.
#pragma once

#include "base/json_schema.h"

namespace meesh::streams {

const base::Shape& stream_shape();

}  // namespace meesh::streams
