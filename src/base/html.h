// Text inside HTML.
#pragma once

#include <string>
#include <string_view>

namespace meesh::base {

/// & < > " ' as entities: good between tags and in quoted attributes.
std::string html_text(std::string_view text);

}  // namespace meesh::base
