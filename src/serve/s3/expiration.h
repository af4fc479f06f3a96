// x-amz-expiration: when a bucket's lifecycle will end an object, and by which rule.
#pragma once

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

/// Nothing is set if no rule fits, or the version is not the current one.
void set_expiration_header(Call& call, const objects::Object& object, net::Headers& to);

}  // namespace meesh::serve::s3
