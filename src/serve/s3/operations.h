// The table of what can be asked.
#pragma once

#include <span>

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

std::span<const Operation> operations();
/// The row a request asks for. Throws MethodNotAllowed.
const Operation& find_operation(const Call& call);

}  // namespace meesh::serve::s3
