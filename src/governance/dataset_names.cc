#include "governance/dataset_names.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "sql/lexer.h"

namespace meesh::governance {
namespace {

struct Place {
  std::string scheme, host;
  int port = 0;
};

/// "scheme://host:port"; "[::1]:5432" too. Port 0: none is written.
std::optional<Place> place_of(std::string_view uri) {
  const size_t slashes = uri.find("://");
  if (slashes == std::string_view::npos || slashes == 0) return std::nullopt;
  Place place{sql::lower(uri.substr(0, slashes)), {}, 0};
  std::string_view authority = uri.substr(slashes + 3);
  authority = authority.substr(0, authority.find('/'));
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), place.port);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    authority = authority.substr(0, colon);
  }
  place.host = sql::lower(authority);
  return place;
}

bool is_this_machine(const std::string& host) {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) == 0 && host == sql::lower(name)) return true;
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "::1" ||
         host == "0.0.0.0";
}

bool same_host(const std::string& a, const std::string& b) {
  return a == b || (is_this_machine(a) && is_this_machine(b));
}

/// The three parts of "a.b.c", lower case; nothing for any other number of them.
std::optional<sql::TableName> three_parts(std::string_view name) {
  const size_t first = name.find('.');
  const size_t last = name.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const std::string_view middle = name.substr(first + 1, last - first - 1);
  sql::TableName out{sql::lower(name.substr(0, first)), sql::lower(middle),
                     sql::lower(name.substr(last + 1))};
  const bool three = middle.find('.') == std::string_view::npos && !out.catalog.empty() &&
                     !out.schema.empty() && !out.table.empty();
  return three ? std::optional(out) : std::nullopt;
}

std::optional<sql::TableName> in_database(const std::vector<KnownDatabase>& databases,
                                          const Place& place, const sql::TableName& name) {
  std::optional<sql::TableName> found;
  for (const auto& database : databases) {
    if (!same_host(sql::lower(database.host), place.host) || database.port != place.port ||
        sql::lower(database.database) != name.catalog) {
      continue;
    }
    if (found) return std::nullopt;  // two catalogs of one database: which is meant?
    found = sql::TableName{database.catalog, name.schema, name.table};
  }
  return found;
}

}  // namespace

Dataset split_address(std::string_view address) {
  constexpr std::string_view kFile = "file:///";
  if (address.starts_with(kFile)) return {"file", std::string(address.substr(kFile.size() - 1))};
  const size_t scheme = address.find("://");
  const size_t slash = scheme == std::string_view::npos ? scheme : address.find('/', scheme + 3);
  if (slash == std::string_view::npos) return {std::string(address), "/"};
  return {std::string(address.substr(0, slash)), std::string(address.substr(slash + 1))};
}

Dataset DatasetNames::resolve(const Dataset& written) const {
  if (written.of_mesh()) return {"", sql::lower(written.name)};
  auto place = place_of(written.name_space);
  if (!place) return written;
  if (place->scheme == "trino") {
    const auto ours = place_of(known_.address());
    const auto name = three_parts(written.name);
    const bool here = ours && place->port == ours->port && same_host(place->host, ours->host);
    if (here && name && known_.has_catalog(name->catalog)) return Dataset::of(*name);
  } else if (place->scheme == "postgres" || place->scheme == "postgresql") {
    if (place->port == 0) place->port = 5432;
    if (const auto name = three_parts(written.name)) {
      if (const auto ours = in_database(known_.databases, *place, *name)) return Dataset::of(*ours);
    }
  } else if (place->scheme == "s3" || place->scheme == "s3a" || place->scheme == "s3n") {
    std::string_view path = written.name;
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    // Buckets' names keep their case, which host names do not.
    std::string bucket = written.name_space.substr(written.name_space.find("://") + 3);
    while (bucket.ends_with('/')) bucket.pop_back();
    if (const auto table = known_.table_at("s3://" + bucket + "/" + std::string(path))) {
      return Dataset::of(*table);
    }
    return {"s3://" + bucket, path.empty() ? "/" : std::string(path)};
  }
  return written;
}

Dataset DatasetNames::shown(const Dataset& dataset) const {
  if (!dataset.of_mesh()) return dataset;
  const auto ours = place_of(known_.address());
  if (!ours) return {"trino://localhost", dataset.name};
  return {"trino://" + ours->host + (ours->port > 0 ? ":" + std::to_string(ours->port) : ""),
          dataset.name};
}

Dataset DatasetNames::parse(std::string_view written) const {
  if (written.find("://") == std::string_view::npos) return {"", sql::lower(written)};
  return resolve(split_address(written));
}

}  // namespace meesh::governance
