#include "app/lake/server_upkeep.h"

#include <boost/json.hpp>
#include <filesystem>
#include <optional>

#include "net/aws_signature.h"
#include "net/http.h"
#include "objects/remote_answers.h"
#include "serve/s3/admin.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr size_t kMostOfError = 64 << 10;

/// JSON lines as they come: progress told, the last one kept.
class Lines {
 public:
  explicit Lines(const objects::Progress& progress) : progress_(progress) {}

  void add(std::string_view bytes) {
    if (beginning_.size() < kMostOfError) beginning_ += bytes;
    text_ += bytes;
    for (size_t end = 0; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      read(std::string_view(text_).substr(0, end));
    }
  }
  /// The answer as it came, if it is an error's document.
  const std::string& beginning() const { return beginning_; }

  json::object report() {
    if (error_) throw Error(*error_);
    if (report_) return std::move(*report_);
    throw Error(Code::kUnavailable, "the server's answer ended before its report")
        .with_hint("it may have been stopped: look at its log, then start again");
  }

 private:
  void read(std::string_view line) {
    boost::system::error_code failed;
    json::value value = json::parse(line, failed);
    if (failed || !value.is_object()) return;  // no answer of this protocol: report() tells
    json::object& told = value.as_object();
    if (const auto* report = told.if_contains("report"); report && report->is_object()) {
      report_ = report->as_object();
    } else if (const auto* error = told.if_contains("error"); error && error->is_object()) {
      error_ = error_of(error->as_object());
    } else if (const auto* done = told.if_contains("done")) {
      const auto* total = told.if_contains("total");
      if (progress_ && total && done->is_number() && total->is_number()) {
        progress_(done->to_number<uint64_t>(failed), total->to_number<uint64_t>(failed));
      }
    }
  }

  static Error error_of(const json::object& told) {
    const auto text = [&](const char* name) {
      const auto* value = told.if_contains(name);
      return value && value->is_string() ? std::string(value->as_string()) : std::string();
    };
    Error error(Code::kGenericUserError, fmt::format("{}: {}", text("code"), text("message")));
    if (!text("hint").empty()) error.with_hint(text("hint"));
    return error;
  }

  const objects::Progress& progress_;
  std::string beginning_, text_;
  std::optional<json::object> report_;
  std::optional<Error> error_;
};

}  // namespace

json::object maintain_at(const ServerAddress& server, const S3Keys& keys, std::string_view work,
                         const std::string& folder, const objects::Progress& progress) {
  const std::string path = fmt::format("{}{}", serve::s3::kAdminPath, work);
  std::vector<std::pair<std::string, std::string>> query;
  if (!folder.empty())
    query.emplace_back("folder", std::filesystem::absolute(folder).lexically_normal().string());
  const size_t scheme = server.endpoint.find("://");
  if (scheme == std::string::npos) {
    throw Error(Code::kInvalidArguments,
                fmt::format("'{}' is no http:// or https:// address", server.endpoint));
  }
  std::string host = server.endpoint.substr(scheme + 3);
  host.resize(std::min(host.size(), host.find('/')));
  net::Headers headers;
  net::sign_request({.method = "POST",
                     .host = host,
                     .path = path,
                     .query = &query,
                     .payload_hash = net::kEmptySha256},
                    {keys.access_key, keys.secret_key, keys.session_token}, server.region,
                    std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                    headers);
  std::string target = net::canonical_path(path);
  if (!query.empty()) target += "?" + net::canonical_query(query);
  net::Client client(server.endpoint.substr(0, scheme + 3) + host,
                     net::ClientOptions{.ca_file = "", .server_certificate = server.certificate});
  Lines lines(progress);
  net::ClientResponse response = client.request("POST", target, headers, "",
                                                [&](std::string_view bytes) { lines.add(bytes); });
  if (response.status != 200) {
    response.body = lines.beginning();
    throw objects::remote_error(response, false);
  }
  return lines.report();
}

}  // namespace meesh::app
