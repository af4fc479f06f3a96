#include "base/error.h"
#include "net/aws_signature.h"
#include "serve/s3/authentication.h"

namespace meesh::serve::s3 {
namespace {

// The Host header that a client will send: without the port its scheme stands for.
std::string host_of(const std::string& endpoint) {
  std::string_view host = endpoint;
  std::string_view usual_port = "";
  if (host.starts_with("http://")) {
    host.remove_prefix(7);
    usual_port = ":80";
  } else if (host.starts_with("https://")) {
    host.remove_prefix(8);
    usual_port = ":443";
  } else {
    throw Error(Code::kInvalidArguments,
                fmt::format("'{}' is no http:// or https:// address", endpoint));
  }
  host = host.substr(0, host.find('/'));
  if (host.ends_with(usual_port)) host.remove_suffix(usual_port.size());
  return std::string(host);
}

}  // namespace

std::string presign(const std::string& method, const std::string& endpoint, const std::string& path,
                    const std::map<std::string, std::string>& query,
                    const access::Credentials& credentials, const std::string& region,
                    std::chrono::seconds lifetime, std::chrono::system_clock::time_point now) {
  std::string host = host_of(endpoint);
  const std::vector<std::pair<std::string, std::string>> parameters(query.begin(), query.end());
  std::string target = net::presigned_target(
      {method, host, path, &parameters, {}},
      {credentials.access_key, credentials.secret_key, credentials.session_token}, region, lifetime,
      std::chrono::floor<std::chrono::seconds>(now));
  size_t scheme = endpoint.find("://") + 3;
  return endpoint.substr(0, endpoint.find('/', scheme)) + target;
}

}  // namespace meesh::serve::s3
