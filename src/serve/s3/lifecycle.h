// What a lifecycle configuration may say. The store runs it.
#pragma once

#include <string_view>

namespace meesh::serve::s3 {

/// Throws MalformedXML, InvalidArgument, InvalidRequest, and NotImplemented for transitions.
void check_lifecycle(std::string_view xml);

}  // namespace meesh::serve::s3
