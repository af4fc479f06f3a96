#include "serve/trino/session_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <utility>
#include <vector>

namespace meesh::serve::trino {
namespace {

constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The first value, trimmed; "" if the header is absent.
std::string header(const net::Request& request, std::string_view name) {
  return std::string(trim(request.headers.get(name).value_or("")));
}

/// Comma-separated elements of all values, trimmed, empty ones left out.
std::vector<std::string_view> elements(const std::vector<std::string_view>& values) {
  std::vector<std::string_view> out;
  for (std::string_view value : values) {
    while (true) {
      const size_t comma = value.find(',');
      if (const auto element = trim(value.substr(0, comma)); !element.empty()) {
        out.push_back(element);
      }
      if (comma == std::string_view::npos) break;
      value.remove_prefix(comma + 1);
    }
  }
  return out;
}

[[noreturn]] void invalid(std::string_view name, std::string_view why) {
  throw net::HttpError(400, fmt::format("Invalid {} header: {}", name, why));
}

/// `key=value` elements; values URL-decoded, keys as sent.
std::vector<std::pair<std::string, std::string>> pairs(const net::Request& request,
                                                       std::string_view name) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto element : elements(request.headers.all(name))) {
    const size_t equals = element.find('=');
    if (equals == std::string_view::npos ||
        element.find('=', equals + 1) != std::string_view::npos) {
      invalid(name, "expected key=value with a URL-encoded value");
    }
    const auto value = net::percent_decode(trim(element.substr(equals + 1)), true);
    if (!value) invalid(name, "the value is not URL-encoded");
    out.emplace_back(trim(element.substr(0, equals)), *value);
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void read_properties(const net::Request& request, engine::Session& session) {
  constexpr std::string_view kName = "X-Trino-Session";
  for (auto& [key, value] : pairs(request, kName)) {
    const size_t dot = key.find('.');
    const bool one_dot = dot == std::string::npos || key.find('.', dot + 1) == std::string::npos;
    if (key.empty() || !one_dot || key.front() == '.' || key.back() == '.') {
      invalid(kName, "expected a property or catalog.property name");
    }
    session.properties.insert_or_assign(std::move(key), std::move(value));
  }
}

void read_prepared_statements(const net::Request& request, engine::Session& session) {
  constexpr std::string_view kName = "X-Trino-Prepared-Statement";
  for (auto& [key, value] : pairs(request, kName)) {
    auto name = net::percent_decode(key, true);
    if (!name || name->empty()) invalid(kName, "the name is not URL-encoded");
    session.prepared_statements.insert_or_assign(std::move(*name), std::move(value));
  }
}

/// NONE, ALL or ROLE{name}.
void check_roles(const net::Request& request) {
  constexpr std::string_view kName = "X-Trino-Role";
  for (const auto& [key, value] : pairs(request, kName)) {
    const bool named = value.starts_with("ROLE{") && value.ends_with("}") && value.size() > 6;
    if (key.empty() || !(named || value == "NONE" || value == "ALL")) {
      invalid(kName, "expected catalog=ROLE{name}, NONE or ALL");
    }
  }
}

void check_resource_estimates(const net::Request& request) {
  for (const auto& [key, value] : pairs(request, "X-Trino-Resource-Estimate")) {
    std::string name = key;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (name == "EXECUTION_TIME" || name == "CPU_TIME") {
      parse_duration(value);
    } else if (name == "PEAK_MEMORY") {
      parse_data_size(value);
    } else {
      throw net::HttpError(400, fmt::format("Unsupported resource name {}", key));
    }
  }
}

/// The bytes of base64 text, nullopt if it is none.
std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    uint32_t value;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<uint32_t>(c - 'a') + 26;
    else if (c >= '0' && c <= '9')
      value = static_cast<uint32_t>(c - '0') + 52;
    else if (c == '+')
      value = 62;
    else if (c == '/')
      value = 63;
    else
      return std::nullopt;
    bits = bits << 6 | value;
    if (++count % 4 != 1) out += static_cast<char>(bits >> (6 - 2 * ((count - 1) % 4)) & 0xFF);
  }
  return count % 4 == 1 ? std::nullopt : std::optional(out);
}

/// The user of Basic authentication, "" without one. No passwords are known here, so none is taken.
std::string basic_user(const net::Request& request) {
  const std::string value = header(request, "Authorization");
  const auto same = [](char a, char b) { return (a | 32) == b; };
  constexpr std::string_view kScheme = "basic ";
  if (value.size() < kScheme.size() ||
      !std::equal(kScheme.begin(), kScheme.end() - 1, value.begin(),
                  [&](char want, char got) { return same(got, want); }) ||
      value[kScheme.size() - 1] != ' ') {
    return {};
  }
  const auto decoded = decode_base64(trim(std::string_view(value).substr(kScheme.size())));
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos)
    invalid("Authorization", "expected Basic user:password in base64");
  if (colon + 1 < decoded->size()) {
    throw net::HttpError(401, "Password not allowed for insecure authentication");
  }
  return decoded->substr(0, colon);
}

std::string first_element(const net::Request& request, std::string_view name) {
  const auto found = elements(request.headers.all(name));
  return found.empty() ? std::string() : std::string(found.front());
}

bool is_authority(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

/// As java.net.URLEncoder: letters, digits and ".-*_" stay, a space is '+'.
std::string form_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
        c == '-' || c == '*' || c == '_') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

/// Names go out as they are, unless they could break the header apart.
std::string header_safe(const std::string& text) {
  return has_control(text) ? form_encode(text) : text;
}

struct Unit {
  std::string_view name;
  double factor;
};

/// A number, not negative, and the factor of its unit; nullopt if it is not of that form.
std::optional<double> with_unit(std::string_view text, std::initializer_list<Unit> units) {
  text = trim(text);
  const size_t split = text.find_first_not_of("0123456789.");
  if (split == 0 || split == std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + split, number);
  if (error != std::errc() || end != text.data() + split) return std::nullopt;
  const auto name = trim(text.substr(split));
  for (const auto& unit : units) {
    if (unit.name == name) return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

ClientContext read_client_context(const net::Request& request) {
  ClientContext context;
  engine::Session& session = context.session;
  session.user = header(request, "X-Trino-User");
  const std::string authenticated = basic_user(request);
  if (session.user.empty()) session.user = authenticated;
  if (session.user.empty()) {
    throw net::HttpError(401, "User must be set: send X-Trino-User or Basic authentication");
  }
  session.original_user = header(request, "X-Trino-Original-User");
  if (session.original_user.empty()) session.original_user = session.user;
  session.source = header(request, "X-Trino-Source");
  session.client_info = header(request, "X-Trino-Client-Info");
  session.trace_token = header(request, "X-Trino-Trace-Token");
  session.language = header(request, "X-Trino-Language");
  session.catalog = header(request, "X-Trino-Catalog");
  session.schema = header(request, "X-Trino-Schema");
  session.path = header(request, "X-Trino-Path");
  if (session.catalog.empty() && !session.schema.empty()) {
    throw net::HttpError(400, "Schema is set but catalog is not");
  }
  for (const auto tag : elements(request.headers.all("X-Trino-Client-Tags"))) {
    session.client_tags.emplace_back(tag);
  }
  for (const auto capability : elements(request.headers.all("X-Trino-Client-Capabilities"))) {
    session.client_capabilities.emplace_back(capability);
    if (capability == "PARAMETRIC_DATETIME") context.date_times = DateTimes::kParametric;
  }
  for (const auto wanted : request.headers.all("X-Trino-Query-Data-Encoding")) {
    if (!context.encoding) context.encoding = choose_encoding(wanted);
  }
  read_properties(request, session);
  // SET TIME ZONE is a session property, and goes before the client's own zone.
  std::string zone = header(request, "X-Trino-Time-Zone");
  if (const auto set = session.properties.find("time_zone_id"); set != session.properties.end())
    zone = set->second;
  context.zone = zone.empty() ? TimeZone::utc() : TimeZone::find(zone);
  if (!context.zone) throw net::HttpError(400, fmt::format("Time zone not supported: {}", zone));
  session.time_zone = context.zone->id();

  read_prepared_statements(request, session);
  check_roles(request);
  check_resource_estimates(request);
  pairs(request, "X-Trino-Extra-Credential");  // checked, not kept: no catalog takes any

  session.transaction_id = header(request, "X-Trino-Transaction-Id");
  std::string transaction = session.transaction_id;
  std::transform(transaction.begin(), transaction.end(), transaction.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (transaction == "none") session.transaction_id.clear();
  session.remote_address = request.remote_address;
  session.user_agent = header(request, "User-Agent");
  return context;
}

std::string base_uri(const net::Request& request) {
  std::string scheme = first_element(request, "X-Forwarded-Proto");
  if (scheme != "http" && scheme != "https") scheme = request.tls ? "https" : "http";
  std::string host = first_element(request, "X-Forwarded-Host");
  if (host.empty()) host = header(request, "Host");
  if (!is_authority(host)) {
    throw net::HttpError(400, "the Host header (or X-Forwarded-Host) is missing or malformed");
  }
  const std::string port = first_element(request, "X-Forwarded-Port");
  const bool digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool has_port =
      host.find(':', host.find(']') == std::string::npos ? 0 : host.find(']')) != std::string::npos;
  const bool usual = (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  if (digits && !has_port && !usual) host += ":" + port;
  return scheme + "://" + host;
}

void add_session_changes(const engine::SessionChanges& changes, net::Headers& headers) {
  const auto text = [&](const char* name, const std::optional<std::string>& value) {
    if (value) headers.add(name, header_safe(*value));
  };
  text("X-Trino-Set-Catalog", changes.set_catalog);
  text("X-Trino-Set-Schema", changes.set_schema);
  text("X-Trino-Set-Path", changes.set_path);
  for (const auto& [name, value] : changes.set_properties) {
    headers.add("X-Trino-Set-Session", header_safe(name) + "=" + form_encode(value));
  }
  for (const auto& name : changes.reset_properties) {
    headers.add("X-Trino-Clear-Session", header_safe(name));
  }
  for (const auto& [catalog, role] : changes.set_roles) {
    headers.add("X-Trino-Set-Role", header_safe(catalog) + "=" + form_encode(role));
  }
  for (const auto& [name, sql] : changes.added_prepare) {
    headers.add("X-Trino-Added-Prepare", form_encode(name) + "=" + form_encode(sql));
  }
  for (const auto& name : changes.deallocated_prepare) {
    headers.add("X-Trino-Deallocated-Prepare", form_encode(name));
  }
  text("X-Trino-Started-Transaction-Id", changes.started_transaction_id);
  if (changes.clear_transaction_id) headers.add("X-Trino-Clear-Transaction-Id", "true");
  text("X-Trino-Set-Authorization-User", changes.set_authorization_user);
  if (changes.reset_authorization_user) headers.add("X-Trino-Reset-Authorization-User", "true");
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  const auto millis = with_unit(
      text,
      {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}});
  if (!millis) {
    throw net::HttpError(
        400, fmt::format("'{}' is no duration: a number and ns, us, ms, s, m, h or d", text));
  }
  return std::chrono::milliseconds(static_cast<int64_t>(std::min(*millis, 1e15)));
}

uint64_t parse_data_size(std::string_view text) {
  constexpr double kK = 1024;
  const auto bytes = with_unit(text, {{"B", 1},
                                      {"kB", kK},
                                      {"MB", kK * kK},
                                      {"GB", kK * kK * kK},
                                      {"TB", kK * kK * kK * kK},
                                      {"PB", kK * kK * kK * kK * kK}});
  if (!bytes) {
    throw net::HttpError(
        400, fmt::format("'{}' is no data size: a number and B, kB, MB, GB, TB or PB", text));
  }
  return static_cast<uint64_t>(std::min(*bytes, 1e18));
}

}  // namespace meesh::serve::trino
