// Addresses of pages, as configurations, redirects and links name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::ingest {

struct Url {
  std::string origin;  // "https://api.example.com:8443", lower case
  std::string target;  // "/v1/items?page=2": begins with /, holds no space, no control character
  std::string text() const { return origin + target; }
  bool operator==(const Url&) const = default;
};

/// An absolute http or https address without user and password; a fragment is dropped, what may not
/// stand in a request line is percent-encoded. Nothing if it is none.
std::optional<Url> parse_url(std::string_view text);
/// What `reference` means on the page `base`: absolute, //host/…, /path, ?query, path/below, ../up.
std::optional<Url> resolve(const Url& base, std::string_view reference);

/// The target with the parameter set to this one value.
std::string with_parameter(std::string_view target, std::string_view name, std::string_view value);
/// The target with another value added.
std::string add_parameter(std::string target, std::string_view name, std::string_view value);
std::string without_parameters(std::string_view target, const std::vector<std::string>& names);

}  // namespace meesh::ingest
