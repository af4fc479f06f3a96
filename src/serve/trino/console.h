// The SQL page at `/`: console/index.html, built into the program.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace meesh::serve::trino {

/// The file's bytes, from a source that the build makes of it.
extern const unsigned char kConsoleHtml[];
extern const unsigned long kConsoleHtmlSize;

/// Answers with the page, or 304 to who has it. The content security policy names the page's own
/// script and style by their hashes, so nothing else runs in it.
class ConsolePage {
 public:
  ConsolePage();
  void serve(const net::Request& request, net::Response& response) const;
  const std::string& policy() const { return policy_; }

 private:
  std::string_view html_;
  std::string etag_, policy_;
};

}  // namespace meesh::serve::trino
