// What a client needs to reach a table's files: the endpoint, and if it asks keys that open the
// table's folder and nothing else.
#include "serve/iceberg/credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "lake/layout.h"

namespace meesh::serve::iceberg {
namespace {

constexpr auto kLifetime = std::chrono::hours(1);

std::string bucket_and_prefix(std::string_view location) {
  std::string rest(location.substr(location.find("://") + 3));
  while (rest.ends_with('/')) rest.pop_back();
  return rest;
}

/// A policy for what lies below these places; what the caller itself may do still limits it.
std::string policy_for(const std::vector<std::string>& places) {
  boost::json::array statements;
  for (const std::string& location : places) {
    const std::string rest = bucket_and_prefix(location);
    const size_t slash = rest.find('/');
    const std::string bucket = rest.substr(0, slash);
    const std::string prefix = slash == rest.npos ? "" : rest.substr(slash + 1) + "/";
    statements.push_back(
        boost::json::object{{"Effect", "Allow"},
                            {"Action",
                             {"s3:GetObject", "s3:PutObject", "s3:DeleteObject",
                              "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}},
                            {"Resource", fmt::format("arn:aws:s3:::{}/{}*", bucket, prefix)}});
    boost::json::object listing = {{"Effect", "Allow"},
                                   {"Action", "s3:ListBucket"},
                                   {"Resource", fmt::format("arn:aws:s3:::{}", bucket)}};
    if (!prefix.empty()) {
      listing["Condition"] = {{"StringLike", {{"s3:prefix", {prefix + "*"}}}}};
    }
    statements.push_back(std::move(listing));
    statements.push_back(boost::json::object{{"Effect", "Allow"},
                                             {"Action", "s3:GetBucketLocation"},
                                             {"Resource", fmt::format("arn:aws:s3:::{}", bucket)}});
  }
  return boost::json::serialize(
      boost::json::object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}});
}

std::string refresh_path(const Call& call, const lake::Identifier& name) {
  return fmt::format("v1/{}/namespaces/{}/tables/{}/credentials",
                     net::percent_encode(call.catalog->warehouse().name),
                     net::percent_encode(fmt::format("{}", fmt::join(name.space, "\x1f"))),
                     net::percent_encode(name.name));
}

}  // namespace

boost::json::object endpoint_config(const Service& service) {
  boost::json::object config;
  if (!service.s3_endpoint.empty()) config["s3.endpoint"] = service.s3_endpoint;
  config["s3.region"] = service.s3_region;
  config["client.region"] = service.s3_region;
  config["s3.path-style-access"] = service.path_style ? "true" : "false";
  return config;
}

std::vector<std::string> table_places(const Call& call, const lake::TableMetadata& table) {
  std::vector<std::string> places{table.location};
  for (const std::string& named : lake::named_places(table.properties)) {
    const auto known = [&](const std::string& place) { return lake::lies_below(named, place); };
    if (call.catalog->files().holds(named) && std::ranges::none_of(places, known))
      places.push_back(named);
  }
  return places;
}

boost::json::object vended_config(const Call& call, const lake::Identifier& name,
                                  const std::vector<std::string>& places) {
  boost::json::object config = endpoint_config(call.service);
  const access::Credentials session =
      call.service.access->assume(call.who, kLifetime, policy_for(places));
  config["s3.access-key-id"] = session.access_key;
  config["s3.secret-access-key"] = session.secret_key;
  config["s3.session-token"] = session.session_token;
  if (session.expires) {
    config["s3.session-token-expires-at-ms"] =
        std::to_string(session.expires->time_since_epoch().count());
  }
  config["client.refresh-credentials-endpoint"] = refresh_path(call, name);
  return config;
}

bool wants_credentials(const Call& call) {
  const auto header = call.request.headers.get("X-Iceberg-Access-Delegation").value_or("");
  return header.find("vended-credentials") != header.npos;
}

boost::json::array storage_credentials(const boost::json::object& config,
                                       const std::vector<std::string>& places) {
  boost::json::array all;
  for (const std::string& place : places) {
    all.push_back(boost::json::object{{"prefix", place}, {"config", config}});
  }
  return all;
}

}  // namespace meesh::serve::iceberg
