#include "serve/s3/s3.h"

#include "base/log.h"
#include "net/head.h"
#include "serve/s3/admin.h"
#include "serve/s3/call.h"
#include "serve/s3/handlers.h"
#include "serve/s3/notifications.h"
#include "serve/s3/operations.h"

namespace meesh::serve::s3 {
namespace {

using objects::ObjectError;
using objects::Reason;

// Framing (aws-chunked, multipart/form-data) around the largest object.
constexpr uint64_t kFraming = 1ull << 40;

// The bucket a virtual host names, nothing for path style.
std::optional<std::string> bucket_of_host(std::string_view host,
                                          const std::vector<std::string>& domains) {
  if (size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
    host = host.substr(0, colon);
  }
  std::string_view longest;
  for (const std::string& domain : domains) {
    if (net::equals_ignoring_case(host, domain)) return std::nullopt;
    bool below = host.size() > domain.size() + 1 && host[host.size() - domain.size() - 1] == '.' &&
                 net::equals_ignoring_case(host.substr(host.size() - domain.size()), domain);
    if (below && domain.size() > longest.size()) longest = domain;
  }
  if (longest.empty()) return std::nullopt;
  std::string bucket(host.substr(0, host.size() - longest.size() - 1));
  for (char& c : bucket) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return bucket;
}

void find_target(Call& call) {
  std::string_view path = call.request.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (auto bucket = bucket_of_host(call.header("Host"), call.service.options.domains)) {
    call.bucket = *bucket;
    call.key = path;
    return;
  }
  size_t slash = path.find('/');
  call.bucket = path.substr(0, slash);
  if (call.bucket.empty() && !path.empty()) {
    throw S3Error(Reason::kInvalidBucketName, "The specified bucket is not valid.");
  }
  if (slash != std::string_view::npos) call.key = path.substr(slash + 1);
}

// Policies may ask for the tags and, through ACLs, the object itself decides.
void look_at_object(Call& call) {
  try {
    objects::Object object = call.store().head(
        call.bucket, call.key, {.version = call.version(), .without_content = true});
    call.object_acl = object.attributes.acl;
    call.add_existing_tags(object.attributes.tags);
  } catch (const ObjectError&) {
    call.object_acl.clear();  // the operation will say that there is none, if that may be told
  }
}

void authorize(Call& call) {
  const Operation& operation = *call.operation;
  bool versioned = !operation.version_action.empty() && call.has("versionId");
  std::string_view action = versioned ? operation.version_action : operation.action;
  if ((operation.flags & Operation::kKnowsTags) != 0) look_at_object(call);
  if (action.empty()) return;
  call.require(action);
  // Who may ask about the bucket is told that there is none.
  if (operation.level != Level::kService && (operation.flags & Operation::kNoBucketNeeded) == 0) {
    call.bucket_info();
  }
}

// Of a bucket that does not exist the operation tells.
void check_expected_owner(Call& call) {
  constexpr const char* kHeader = "x-amz-expected-bucket-owner";
  if (call.bucket.empty() || !call.request.headers.get(kHeader)) return;
  std::optional<objects::Bucket> bucket;
  try {
    bucket = call.bucket_info();
  } catch (const ObjectError&) {
    return;
  }
  call.require_owner(kHeader, *bucket);
}

bool is_form(const Call& call) {
  std::string_view type = call.header("Content-Type");
  constexpr std::string_view kForm = "multipart/form-data";
  return call.operation->run == post_object && type.size() >= kForm.size() &&
         net::equals_ignoring_case(type.substr(0, kForm.size()), kForm);
}

void serve(Call& call) {
  find_target(call);
  if (call.request.method == "OPTIONS") {
    answer_preflight(call);
    return;
  }
  const Operation* admin = find_admin_operation(call);
  call.operation = admin ? admin : &find_operation(call);
  if (call.has("versionId") && call.version().empty()) {
    throw S3Error("InvalidArgument", 400, "Version id cannot be the empty string",
                  {{"ArgumentName", "versionId"}, {"ArgumentValue", ""}});
  }
  if (!is_form(call)) {
    auto virtual_bucket = bucket_of_host(call.header("Host"), call.service.options.domains);
    call.who = call.service.authenticator.authenticate(call.request, virtual_bucket.value_or(""));
  }
  if (call.operation->level != Level::kService) add_cors_headers(call);
  authorize(call);
  check_expected_owner(call);
  EventSource source(call);
  call.operation->run(call);
}

// A caller who may not list must not learn which keys there are. Who may list only below a prefix,
// as those whose keys the catalog vends, may know it of the keys there.
bool must_hide(Call& call, Reason reason) {
  if (reason != Reason::kNoSuchKey && reason != Reason::kNoSuchVersion) return false;
  if (call.key.empty()) return false;
  call.context()["s3:prefix"] = {call.key};
  return !call.may(call.has("versionId") ? "s3:ListBucketVersions" : "s3:ListBucket",
                   call.bucket_resource());
}

void failed(Call& call, const std::exception& problem) {
  if (call.begun) return;
  S3Error error = to_s3_error(problem, call.request);
  if (const auto* told = dynamic_cast<const ObjectError*>(&problem)) {
    if (must_hide(call, told->reason())) {
      error = S3Error(Reason::kAccessDenied, "Access Denied.");
    } else {
      if (told->delete_marker) call.set("x-amz-delete-marker", "true");
      if (!told->version.empty()) call.set("x-amz-version-id", told->version);
    }
  }
  answer_error(call, error);
}

void handle(const std::shared_ptr<Service>& service, net::Request& request,
            net::Response& response) {
  Call call(*service, request, response);
  set_common_headers(call);
  std::exception_ptr lost;
  try {
    serve(call);
  } catch (const std::exception& e) {
    failed(call, e);
    if (call.begun) lost = std::current_exception();
  }
  if (call.operation != nullptr && (call.operation->flags & Operation::kMutates) != 0 &&
      response.status != 403) {
    std::string action(call.operation->action.empty() ? call.operation->name
                                                      : call.operation->action);
    call.audit(action, call.resource(), true, response.status, std::string(call.operation->name));
  }
  if (lost) std::rethrow_exception(lost);
}

void add_health(net::Server& server, const std::shared_ptr<Service>& service) {
  for (const char* path : {"live", "ready", "cluster"}) {
    bool live = std::string_view(path) == "live";
    server.route("GET", fmt::format("/minio/health/{}", path),
                 [service, live](net::Request&, net::Response& response) {
                   if (live) return response.empty(200);
                   try {
                     service->options.store->buckets();
                     response.empty(200);
                   } catch (const std::exception& e) {
                     log::warn("the object store cannot be read", {{"error", e.what()}});
                     response.empty(503);
                   }
                 });
  }
}

}  // namespace

Service::Service(Options given)
    : options(std::move(given)), authenticator(*options.access, {.region = options.region}) {
  if (options.webhooks.empty() && options.kafka.empty()) return;
  notifications =
      std::make_shared<Notifications>(*options.store, make_targets(options), options.region);
  options.store->on_event([weak = std::weak_ptr(notifications)](const objects::Event& event) {
    if (auto live = weak.lock()) live->tell(event);
  });
}

Service::~Service() = default;

void register_s3(net::Server& server, Options options) {
  net::RouteOptions route;
  route.max_body_bytes = options.max_object_bytes + kFraming;
  route.compress = false;
  auto service = std::make_shared<Service>(std::move(options));
  add_health(server, service);
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}) {
    server.route(
        method, "/{path...}",
        [service](net::Request& request, net::Response& response) {
          handle(service, request, response);
        },
        route);
  }
}

}  // namespace meesh::serve::s3
