// What our own commands prove themselves with to a closed mesh: the token in MEESH_TOKEN, else, on
// the server's own machine, the one the server keeps in <data>/token for whoever may read that.
#pragma once

#include <filesystem>
#include <string>

#include "net/http.h"

namespace meesh::app {

/// MEESH_TOKEN; "" without it.
std::string given_token();
/// Adds `token`, unless it is "".
void add_token(net::Headers& headers, const std::string& token);
/// The token for `server` (its address) in the file that its answer of 401 names; "" if there is
/// none, if it is not for our eyes, or is another server's.
std::string local_token(const std::string& server, const net::ClientResponse& refused);

/// The file of a server that runs: made when it listens, gone when it ends. Only its owner may read
/// it (mode 0600).
class TokenFile {
 public:
  explicit TokenFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~TokenFile();
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;

  /// Throws IO_ERROR.
  void write(int port, const std::string& token);

 private:
  const std::filesystem::path path_;
  bool written_ = false;
};

}  // namespace meesh::app
