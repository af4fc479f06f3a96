#include "app/server_token.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "mesh/private_files.h"
#include "serve/api/gate.h"

namespace meesh::app {
namespace {

/// "http://localhost:8080" → "8080", for addresses of this machine alone.
std::string loopback_port(const std::string& server) {
  const size_t scheme = server.find("://");
  if (scheme == std::string::npos) return "";
  std::string authority = server.substr(scheme + 3);
  authority.resize(std::min(authority.find('/'), authority.size()));
  const size_t colon = authority.rfind(':');
  const std::string host = authority.substr(0, colon);
  const bool near =
      host == "localhost" || host == "[::1]" ||
      (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
  if (!near) return "";
  if (colon == std::string::npos) return server.starts_with("https") ? "443" : "80";
  return authority.substr(colon + 1);
}

/// Ours or root's, and for nobody else.
bool private_file(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_uid == ::geteuid() || status.st_uid == 0) && (status.st_mode & 077) == 0;
}

}  // namespace

std::string given_token() {
  const char* token = std::getenv("MEESH_TOKEN");
  return token ? token : "";
}

void add_token(net::Headers& headers, const std::string& token) {
  if (!token.empty()) headers.set("Authorization", "Bearer " + token);
}

std::string local_token(const std::string& server, const net::ClientResponse& refused) {
  const auto named = refused.headers.get(serve::api::kTokenFileHeader);
  const std::string port = loopback_port(server);
  if (refused.status != 401 || !named || port.empty()) return "";
  const std::string path(*named);
  if (std::filesystem::path(path).filename() != "token" || !private_file(path)) return "";
  const auto text = mesh::read_file(path).value_or("");
  // The server that listens there may be a stranger who names the file of another: the file says
  // which port its token is for.
  const std::string wanted = port + "\n" + std::string(access::kTokenPrefix);
  if (!text.starts_with(wanted)) return "";
  const std::string token = text.substr(port.size() + 1);
  return token.substr(0, token.find('\n'));
}

TokenFile::~TokenFile() {
  std::error_code failed;
  if (written_) std::filesystem::remove(path_, failed);
}

void TokenFile::write(int port, const std::string& token) {
  mesh::write_file(path_, fmt::format("{}\n{}\n", port, token));
  written_ = true;
}

}  // namespace meesh::app
