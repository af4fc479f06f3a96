// The console: the web app of console/, built into the program and served from memory.
//
//   serve::console::register_console(server);   // before server.start()
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace meesh::serve::console {

/// What console/embed.mjs packs: a line of JSON, then the files' bytes.
class Pack {
 public:
  struct File {
    std::string type, etag;
    std::string_view bytes;
    bool gzip = false;  // how the bytes are packed
  };

  /// Refers to `packed`, which stays. Throws an internal error when it is no pack.
  explicit Pack(std::string_view packed);

  /// First segments of the addresses at which the app shows a page of its own.
  const std::vector<std::string>& pages() const { return pages_; }
  const std::map<std::string, File>& files() const { return files_; }  // by path: "/assets/a.js"

 private:
  std::vector<std::string> pages_;
  std::map<std::string, File> files_;
};

/// The pack that this program carries.
const Pack& built_in_pack();

/// Adds the pages and the files they are made of.
void register_console(net::Server& server, const Pack& pack = built_in_pack());

}  // namespace meesh::serve::console
