#include "net/http.h"

#include <unistd.h>

#include <cerrno>

#include "net/coding.h"
#include "net/head.h"

namespace meesh::net {

void Headers::add(std::string name, std::string value) {
  items_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(items_, [&](const auto& item) { return equals_ignoring_case(item.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : items_) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : items_) {
    if (equals_ignoring_case(key, name)) values.emplace_back(value);
  }
  return values;
}

int http_status(const Error& error) {
  if (const auto* http = dynamic_cast<const HttpError*>(&error)) return http->status();
  switch (error.code()) {
    case Code::kBadRequest:
      return 400;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
    case Code::kCatalogNotFound:
    case Code::kSchemaNotFound:
    case Code::kTableNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kTransactionConflict:
      return 409;
    case Code::kNotSupported:
      return 501;
    case Code::kServerShuttingDown:
    case Code::kServerStartingUp:
    case Code::kUnavailable:
      return 503;
    case Code::kQueryQueueFull:
      return 429;
    case Code::kDiskFull:
      return 507;
    default:
      return error.kind() == ErrorKind::kUser ? 400 : 500;
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

std::string_view Request::param(std::string_view name) const {
  for (const auto& [key, value] : path_params) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> Request::query_param(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Request::body(size_t limit) {
  auto name = headers.get("Content-Encoding").value_or("");
  auto coding = coding_by_name(name);
  if (!coding) {
    throw HttpError(415, fmt::format("Content-Encoding '{}' is not supported, gzip and zstd are",
                                     name.substr(0, 64)));
  }
  std::string out;
  size_t used = 0;
  if (content_length) out.reserve(std::min<uint64_t>(*content_length, limit));
  for (;;) {
    // One byte more than allowed, to tell a full body from one that is too large.
    if (used == out.size()) {
      size_t more = std::max<size_t>(out.size(), content_length ? *content_length + 1 : 16 << 10);
      out.resize(used + std::min<size_t>(std::min<size_t>(more, 1 << 20), limit - used + 1));
    }
    size_t got = read(out.data() + used, out.size() - used);
    if (got == 0) break;
    used += got;
    if (used > limit) {
      throw HttpError(413, fmt::format("the body is larger than the allowed {} bytes", limit));
    }
  }
  out.resize(used);
  return *coding == Coding::kIdentity ? out : decode(*coding, out, limit);
}

void Response::send_file(int fd, uint64_t offset, uint64_t size) {
  std::string buffer(std::min<uint64_t>(size, 256 << 10), '\0');
  while (size > 0) {
    ssize_t got = ::pread(fd, buffer.data(), std::min<uint64_t>(size, buffer.size()),
                          static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error(Code::kIoError, "a file became shorter while it was sent");
    write({buffer.data(), static_cast<size_t>(got)});
    offset += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
}

void Response::text(std::string_view body, std::string_view content_type) {
  headers.set("Content-Type", std::string(content_type));
  headers.set("Content-Length", std::to_string(body.size()));
  write(body);
}

void Response::json(std::string_view body) { text(body, "application/json"); }

void Response::empty(int status_code) {
  status = status_code;
  headers.remove("Content-Type");
  if (status_code >= 200 && status_code != 204 && status_code != 304) {
    headers.set("Content-Length", "0");
  }
}

}  // namespace meesh::net
