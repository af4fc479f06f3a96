#include "serve/console/console.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <boost/json.hpp>

#include "net/coding.h"

// From a source that the build makes of console/dist/console.pack.
extern "C" const unsigned char meesh_console_pack[];
extern "C" const unsigned char meesh_console_pack_end[];

namespace meesh::serve::console {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view kNoncePlace = "{{nonce}}";
constexpr size_t kMostUnpacked = 64 << 20;

/// 128 random bits, anew for every page: the styles that the app makes carry it.
std::string new_nonce() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) internal_error("no random bytes");
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string policy(const std::string& nonce) {
  return fmt::format(
      "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; img-src 'self' data: "
      "blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
      "form-action 'none'; frame-ancestors 'none'",
      nonce);
}

void protect(Response& response) {
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "same-origin");
}

void send_page(const Pack::File& page, Response& response) {
  const std::string nonce = new_nonce();
  std::string html(page.bytes);
  for (size_t at = 0; (at = html.find(kNoncePlace, at)) != std::string::npos;)
    html.replace(at, kNoncePlace.size(), nonce);
  protect(response);
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Content-Security-Policy", policy(nonce));
  response.headers.set("X-Frame-Options", "DENY");
  response.text(html, page.type);
}

void send_file(const Pack::File& file, bool immutable, const Request& request, Response& response) {
  protect(response);
  // The names of assets hold a hash of their content.
  response.headers.set("Cache-Control",
                       immutable ? "public, max-age=31536000, immutable" : "no-cache");
  const std::string etag = '"' + file.etag + '"';
  response.headers.set("ETag", etag);
  response.headers.set("Vary", "Accept-Encoding");
  if (request.headers.get("If-None-Match").value_or("").find(etag) != std::string_view::npos) {
    response.empty(304);
    return;
  }
  if (!file.gzip) return response.text(file.bytes, file.type);
  const auto accepted = request.headers.get("Accept-Encoding").value_or("");
  if (accepted.find("gzip") == std::string_view::npos)
    return response.text(net::decode(net::Coding::kGzip, file.bytes, kMostUnpacked), file.type);
  response.headers.set("Content-Encoding", "gzip");
  response.text(file.bytes, file.type);
}

}  // namespace

Pack::Pack(std::string_view packed) {
  const size_t end = packed.find('\n');
  if (end == std::string_view::npos) internal_error("the console's pack has no first line");
  const auto told = boost::json::parse(packed.substr(0, end)).as_object();
  const std::string_view bytes = packed.substr(end + 1);
  for (const auto& page : told.at("pages").as_array()) pages_.emplace_back(page.as_string());
  for (const auto& value : told.at("files").as_array()) {
    const auto& one = value.as_object();
    File file;
    file.type = one.at("type").as_string();
    file.etag = one.at("etag").as_string();
    file.gzip = one.at("coding").as_string() == "gzip";
    file.bytes =
        bytes.substr(one.at("offset").to_number<size_t>(), one.at("size").to_number<size_t>());
    files_.emplace(std::string(one.at("path").as_string()), std::move(file));
  }
  if (!files_.contains("/index.html")) internal_error("the console's pack has no index.html");
}

const Pack& built_in_pack() {
  static const Pack pack({reinterpret_cast<const char*>(meesh_console_pack),
                          static_cast<size_t>(meesh_console_pack_end - meesh_console_pack)});
  return pack;
}

void register_console(net::Server& server, const Pack& pack) {
  const auto& page = pack.files().at("/index.html");
  const auto show = [&page](Request&, Response& response) { send_page(page, response); };
  server.route("GET", "/", show);
  for (const auto& name : pack.pages()) {
    server.route("GET", "/" + name, show);
    server.route("GET", "/" + name + (name == "shared" ? "/{token}" : "/{rest...}"), show);
  }
  for (const auto& [path, file] : pack.files()) {
    if (&file == &page) continue;
    const bool immutable = path.starts_with("/assets/");
    server.route("GET", path,
                 [&file, immutable](Request& request, Response& response) {
                   send_file(file, immutable, request, response);
                 },
                 {.max_body_bytes = {}, .compress = false});
  }
}

}  // namespace meesh::serve::console
