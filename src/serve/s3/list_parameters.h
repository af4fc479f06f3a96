// What every listing takes: prefix, delimiter, a limit and how keys are written.
#pragma once

#include <string>
#include <vector>

#include "serve/s3/call.h"

namespace meesh::serve::s3 {

struct ListParameters {
  /// `limit_name` "max-keys", "max-uploads". Throws InvalidArgument.
  ListParameters(const Call& call, const char* limit_name);

  std::string prefix, delimiter, encoding;
  size_t limit = 1000;

  std::string encoded(const std::string& text) const;
  void add_prefixes(XmlRows& rows, const std::vector<std::string>& prefixes) const;
  void add_end(pugi::xml_node root, const char* limit_element, bool truncated) const;
};

}  // namespace meesh::serve::s3
