#include "serve/iceberg/call.h"

#include <fmt/format.h>

#include <charconv>

namespace meesh::serve::iceberg {
namespace {

constexpr size_t kMostBody = 16 << 20;
constexpr size_t kPage = 1000;

/// "arn:aws:s3:::bucket/prefix/*" for what lies below "s3://bucket/prefix".
std::string resource(std::string_view location) {
  const size_t scheme = location.find("://");
  std::string_view rest = location.substr(scheme == location.npos ? 0 : scheme + 3);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  return fmt::format("arn:aws:s3:::{}/*", rest);
}

/// The policy of the bucket that a location is in.
std::optional<access::Policy> bucket_policy(const Call& call, const std::string& location) {
  if (call.catalog == nullptr) return std::nullopt;
  std::string_view place = location;
  while (place.ends_with('/')) place.remove_suffix(1);
  const auto bucket =
      call.catalog->files().store().bucket(lake::parse_path(fmt::format("{}/-", place)).bucket);
  const auto text = bucket.documents.find("policy");
  if (text == bucket.documents.end()) return std::nullopt;
  return access::Policy::parse(text->second, access::Policy::Kind::kResource);
}

}  // namespace

lake::Namespace Call::space() const {
  lake::Namespace levels;
  const std::string_view text = request.param("namespace");
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\x1f', at), text.size());
    levels.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return levels;
}

lake::Identifier Call::name() const {
  const std::string_view table = request.param("table");
  return {space(), std::string(table.empty() ? request.param("view") : table)};
}

bool Call::query_flag(std::string_view name) const {
  return request.query_param(name).value_or("") == "true";
}

void Call::read_body(const std::function<void(const lake::JsonNode&)>& read) const {
  const std::string text = request.body(kMostBody);
  lake::read_json(text, Code::kBadRequest, [&](const lake::JsonNode& root) {
    root.expect_object();
    read(root);
  });
}

void Call::answer(const boost::json::value& body, int status) {
  response.status = status;
  response.json(boost::json::serialize(body));
}

void Call::need(std::string_view action, const std::string& location) const {
  access::Question question;
  question.identity = &who.identity;
  question.action = action;
  question.resource = resource(location);
  question.context["aws:sourceip"] = {request.remote_address};
  const auto policy = bucket_policy(*this, location);
  if (policy) question.resource_policy = &*policy;
  if (service.access->decide(question).allowed) return;
  throw Error(
      Code::kPermissionDenied,
      fmt::format("{} may not do {} on {}",
                  who.identity.user.empty() ? "nobody" : who.identity.user, action, location));
}

void Call::need_in(std::string_view action, const lake::Namespace& name) const {
  need(action, catalog->location(name));
}

Refusal refusal(const Error& error, bool view) {
  if (const auto* http = dynamic_cast<const net::HttpError*>(&error)) {
    switch (http->status()) {
      case 401:
        return {401, "NotAuthorizedException"};
      case 404:
        return {404, "NotFoundException"};
      default:
        return {http->status(), "BadRequestException"};
    }
  }
  if (dynamic_cast<const lake::CommitStateUnknown*>(&error)) {
    return {500, "CommitStateUnknownException"};
  }
  switch (error.code()) {
    case Code::kIcebergInvalidMetadata:
    case Code::kIcebergBadData:
    case Code::kIcebergMissingData:
      return {400, "ValidationException"};
    case Code::kInvalidArguments:  // well-formed, but senseless: Java tells the two apart
      return {400, "IllegalArgumentException"};
    case Code::kSchemaNotFound:
      return {404, "NoSuchNamespaceException"};
    case Code::kTableNotFound:
      return {404, view ? "NoSuchViewException" : "NoSuchTableException"};
    case Code::kSchemaAlreadyExists:
    case Code::kTableAlreadyExists:
    case Code::kAlreadyExists:
      return {409, "AlreadyExistsException"};
    case Code::kSchemaNotEmpty:
      return {409, "NamespaceNotEmptyException"};
    case Code::kIcebergCommitError:
    case Code::kTransactionConflict:
      return {409, "CommitFailedException"};
    case Code::kPermissionDenied:
      return {403, "ForbiddenException"};
    case Code::kNotSupported:
      return {406, "UnsupportedOperationException"};
    case Code::kUnavailable:
    case Code::kServerShuttingDown:
    case Code::kDiskFull:
      return {503, "ServiceUnavailableException"};
    default:
      break;
  }
  if (error.kind() == ErrorKind::kUser) return {400, "BadRequestException"};
  return {500, "InternalServerError"};
}

void answer_error(net::Response& response, const Refusal& refusal, const std::string& message) {
  response.status = refusal.status;
  response.json(boost::json::serialize(boost::json::object{
      {"error", {{"message", message}, {"type", refusal.type}, {"code", refusal.status}}}}));
}

namespace {

size_t number(const Call& call, std::string_view name, size_t otherwise) {
  const std::string_view text = call.request.query_param(name).value_or("");
  if (text.empty()) return otherwise;
  size_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    throw Error(Code::kBadRequest, fmt::format("{} '{}' is not one of this server", name, text));
  }
  return value;
}

}  // namespace

size_t page_start(const Call& call) { return number(call, "pageToken", 0); }

size_t page_size(const Call& call) {
  // Clients that give no token expect everything.
  if (!call.request.query_param("pageToken")) return SIZE_MAX;
  return std::max<size_t>(1, number(call, "pageSize", kPage));
}

lake::Namespace read_namespace(const lake::JsonNode& array) {
  lake::Namespace name;
  for (const auto& level : array.as_items()) name.push_back(level.as_text());
  if (name.empty()) array.fail("a namespace has at least one level");
  return name;
}

lake::Identifier read_identifier(const lake::JsonNode& node) {
  return {read_namespace(node.member("namespace")), node.text("name")};
}

boost::json::array to_json(const lake::Namespace& name) {
  boost::json::array levels;
  for (const auto& level : name) levels.push_back(boost::json::value(level));
  return levels;
}

boost::json::object to_json(const lake::Identifier& name) {
  return {{"namespace", to_json(name.space)}, {"name", name.name}};
}

}  // namespace meesh::serve::iceberg
