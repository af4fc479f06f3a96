#include <fmt/format.h>

#include <algorithm>

#include "engine/functions/kernels.h"

namespace meesh::engine {
namespace {

using View = std::string_view;

struct Url {
  std::string protocol, host, port, path, query, fragment;
  bool valid = false;
};

/// RFC 3986's generic form; a text with spaces or control characters is no URL.
Url read_url(View text) {
  Url out;
  for (unsigned char c : text) {
    if (c <= ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' ||
        c == '{' || c == '|' || c == '}')
      return out;
  }
  out.valid = true;
  if (auto at = text.find('#'); at != View::npos) {
    out.fragment = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (auto at = text.find('?'); at != View::npos) {
    out.query = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const auto colon = text.find(':');
  if (colon != View::npos && colon < text.find('/')) {
    out.protocol = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    auto authority = text.substr(0, text.find('/'));
    text.remove_prefix(authority.size());
    if (auto at = authority.rfind('@'); at != View::npos) authority.remove_prefix(at + 1);
    const auto bracket = authority.find(']');
    const auto port = authority.find(':', bracket == View::npos ? 0 : bracket);
    out.host = authority.substr(0, port);
    if (port != View::npos) out.port = authority.substr(port + 1);
  }
  out.path = text;
  return out;
}

std::optional<std::string> decode(View text, bool plus) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
        return std::nullopt;
      out += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// Whether it is a name in ASCII or an address in brackets; others are none to Trino.
bool plain_host(View host) {
  if (host.starts_with('[')) return host.ends_with(']');
  return std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '-' || c == '.');
  });
}

std::optional<std::string> url_part(View text, View part) {
  const Url url = read_url(text);
  if (!url.valid) return std::nullopt;
  if (part == "host") return plain_host(url.host) ? url.host : std::string();
  if (part == "port") return url.port.empty() ? std::nullopt : std::optional(url.port);
  if (part == "protocol") return url.protocol;
  if (part == "query") return decode(url.query, false);
  if (part == "fragment") return decode(url.fragment, false);
  return decode(url.path, false);
}

std::optional<std::string> url_parameter(View text, View name) {
  const Url url = read_url(text);
  View query = url.query;
  while (url.valid && !query.empty()) {
    const View pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equal = pair.find('=');
    if (decode(pair.substr(0, equal), true) == std::string(name)) {
      return equal == View::npos ? std::optional<std::string>("")
                                 : decode(pair.substr(equal + 1), true);
    }
  }
  return std::nullopt;
}

std::string url_encode(View text) {
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '*') {
      out += static_cast<char>(c);
    } else if (c == ' ') {
      out += '+';
    } else {
      out += {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
    }
  }
  return out;
}

/// What is wrong with the first escape that is none, as Trino words it.
std::string wrong_escape(View text) {
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  for (size_t i = text.find('%'); i != View::npos; i = text.find('%', i + 3)) {
    if (i + 2 >= text.size()) break;
    for (char c : text.substr(i + 1, 2)) {
      if (is_hex(c)) continue;
      const auto code = static_cast<unsigned char>(c);
      return fmt::format(
          "Illegal hex characters in escape (%) pattern - "
          "not a hexadecimal digit: \"{}\" = {}",
          c, code);
    }
  }
  return "Incomplete trailing escape (%) pattern";
}

std::string url_decode(View text) {
  auto out = decode(text, true);
  if (!out) raise(Code::kInvalidFunctionArgument, "URLDecoder: " + wrong_escape(text));
  return *out;
}

}  // namespace

void register_url_kernels(duckdb::ExtensionLoader& loader) {
  add_kernel<View, View>(loader, "meesh_url_part", {kText, kText}, kText, url_part);
  add_kernel<View, View>(loader, "meesh_url_parameter", {kText, kText}, kText, url_parameter);
  add_kernel<View>(loader, "meesh_url_encode", {kText}, kText, url_encode);
  add_kernel<View>(loader, "meesh_url_decode", {kText}, kText, url_decode);
}

}  // namespace meesh::engine
