#include "ingest/rest/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/http.h"

namespace meesh::ingest {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// What a request line cannot carry, as %XX.
std::string clean(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > ' ' && byte < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

/// Without "." and "..".
std::string plain_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const size_t end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    path.remove_prefix(end);
    const bool last = path.empty();
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      if (last) parts.emplace_back();
    } else if (part == ".") {
      if (last) parts.emplace_back();
    } else {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const auto part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_authority(std::string_view text) {
  if (text.empty() || text.find_first_of("@\\ \"<>^`{|}%") != std::string_view::npos) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) return false;
  size_t end = 0;
  if (text[0] == '[') {
    end = text.find(']');
    if (end == std::string_view::npos) return false;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
  }
  if (end == 0) return false;
  return end == text.size() || (text[end] == ':' && is_port(text.substr(end + 1)));
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  text = text.substr(0, text.find('#'));
  const std::string head = lower(text.substr(0, 8));
  size_t begin = 0;
  if (head.starts_with("https://")) {
    begin = 8;
  } else if (head.starts_with("http://")) {
    begin = 7;
  } else {
    return std::nullopt;
  }
  const size_t end = std::min(text.find_first_of("/?", begin), text.size());
  const auto authority = text.substr(begin, end - begin);
  if (!is_authority(authority)) return std::nullopt;
  Url url;
  url.origin = lower(text.substr(0, end));
  const std::string usual = begin == 8 ? ":443" : ":80";
  if (url.origin.ends_with(usual)) url.origin.resize(url.origin.size() - usual.size());
  const auto rest = text.substr(end);
  url.target = clean(rest);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::optional<Url> resolve(const Url& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const size_t colon = reference.find(':');
  if (colon != std::string_view::npos && colon < reference.find_first_of("/?"))
    return parse_url(reference);
  if (reference.starts_with("//"))
    return parse_url(base.origin.substr(0, base.origin.find(':') + 1) + std::string(reference));
  const size_t query = std::min(base.target.find('?'), base.target.size());
  const std::string path = base.target.substr(0, query);
  if (reference.empty()) return base;
  if (reference[0] == '?') return Url{base.origin, path + clean(reference)};
  const size_t mark = std::min(reference.find('?'), reference.size());
  std::string there(reference.substr(0, mark));
  if (!there.starts_with('/')) there = path.substr(0, path.rfind('/') + 1) + there;
  return Url{base.origin, clean(plain_path(there)) + clean(reference.substr(mark))};
}

std::string without_parameters(std::string_view target, const std::vector<std::string>& names) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::string(target);
  std::string out(target.substr(0, mark));
  std::string_view rest = target.substr(mark + 1);
  char before = '?';
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto name = net::percent_decode(part.substr(0, part.find('=')), true);
    if (part.empty() || (name && std::ranges::count(names, *name) > 0)) continue;
    out += before;
    out += part;
    before = '&';
  }
  return out;
}

std::string add_parameter(std::string target, std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  return target + net::percent_encode(name) + "=" + net::percent_encode(value);
}

std::string with_parameter(std::string_view target, std::string_view name, std::string_view value) {
  return add_parameter(without_parameters(target, {std::string(name)}), name, value);
}

}  // namespace meesh::ingest
