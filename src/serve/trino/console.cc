#include "serve/trino/console.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "serve/trino/json_text.h"

namespace meesh::serve::trino {
namespace {

std::string sha256_base64(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    internal_error("SHA-256 failed");
  }
  JsonText out;
  out.base64_body({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return out.str();
}

/// What stands between <name> and </name>, to the byte: browsers hash exactly that.
std::string_view element_body(std::string_view html, std::string_view name) {
  const auto open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const size_t from = html.find(open);
  const size_t to = html.find(close, from);
  if (from == std::string_view::npos || to == std::string_view::npos) {
    internal_error(fmt::format("the console page has no {}", open));
  }
  return html.substr(from + open.size(), to - from - open.size());
}

}  // namespace

ConsolePage::ConsolePage()
    : html_(reinterpret_cast<const char*>(kConsoleHtml), kConsoleHtmlSize),
      etag_('"' + sha256_base64(html_).substr(0, 22) + '"'),
      policy_(fmt::format("default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; "
                          "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'",
                          sha256_base64(element_body(html_, "script")),
                          sha256_base64(element_body(html_, "style")))) {}

void ConsolePage::serve(const net::Request& request, net::Response& response) const {
  response.headers.set("ETag", etag_);
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("Content-Security-Policy", policy_);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  if (request.headers.get("If-None-Match").value_or("").find(etag_) != std::string_view::npos) {
    response.empty(304);
    return;
  }
  response.text(html_, "text/html; charset=utf-8");
}

}  // namespace meesh::serve::trino
