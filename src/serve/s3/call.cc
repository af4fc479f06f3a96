#include "serve/s3/call.h"

#include <future>

#include "base/log.h"
#include "base/text.h"
#include "serve/s3/acl.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

void add_header_key(Call& call, const char* key, const char* header, Call::Context& context) {
  if (auto value = call.request.headers.get(header)) context[key] = {std::string(*value)};
}

void add_query_key(Call& call, const char* key, const char* parameter, Call::Context& context) {
  if (call.has(parameter)) context[key] = {call.query(parameter)};
}

void add_requested_tags(Call& call, Call::Context& context) {
  auto header = call.request.headers.get("x-amz-tagging");
  if (!header) return;
  auto& keys = context["s3:requestobjecttagkeys"];
  for (const auto& [key, value] : parse_tagging_header(*header)) {
    context["s3:requestobjecttag/" + key] = {value};
    keys.push_back(key);
  }
}

// What the caller says of itself and of what it wants, in the words policies use.
Call::Context make_context(Call& call) {
  Call::Context context;
  auto at = now();
  context["aws:sourceip"] = {call.request.remote_address};
  context["aws:securetransport"] = {call.request.tls ? "true" : "false"};
  context["aws:currenttime"] = {iso_time(at)};
  context["aws:epochtime"] = {std::to_string(at.time_since_epoch().count() / 1000)};
  const auto& credentials = call.who.credentials;
  context["aws:principaltype"] = {call.anonymous() ? "Anonymous" : "User"};
  if (!call.anonymous()) {
    context["aws:username"] = context["aws:userid"] = {credentials.identity.user};
    context["s3:signatureversion"] = {call.who.signature_version};
    context["s3:authtype"] = {call.who.presigned ? "REST-QUERY-STRING" : "REST-HEADER"};
  }
  add_header_key(call, "aws:referer", "Referer", context);
  add_header_key(call, "aws:useragent", "User-Agent", context);
  add_header_key(call, "s3:x-amz-acl", "x-amz-acl", context);
  add_header_key(call, "s3:x-amz-content-sha256", "x-amz-content-sha256", context);
  add_header_key(call, "s3:x-amz-copy-source", "x-amz-copy-source", context);
  add_header_key(call, "s3:x-amz-metadata-directive", "x-amz-metadata-directive", context);
  add_header_key(call, "s3:x-amz-server-side-encryption", "x-amz-server-side-encryption", context);
  add_header_key(call, "s3:x-amz-server-side-encryption-customer-algorithm",
                 "x-amz-server-side-encryption-customer-algorithm", context);
  add_header_key(call, "s3:x-amz-storage-class", "x-amz-storage-class", context);
  add_header_key(call, "s3:object-lock-mode", "x-amz-object-lock-mode", context);
  add_header_key(call, "s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date",
                 context);
  add_header_key(call, "s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold", context);
  add_query_key(call, "s3:versionid", "versionId", context);
  add_query_key(call, "s3:prefix", "prefix", context);
  add_query_key(call, "s3:delimiter", "delimiter", context);
  add_query_key(call, "s3:max-keys", "max-keys", context);
  add_requested_tags(call, context);
  return context;
}

void check_digests(Call& call, const std::string& body, bool needed) {
  bool given = false;
  if (auto header = call.request.headers.get("Content-MD5")) {
    auto raw = base::from_base64(*header);
    if (!raw || raw->size() != 16) {
      throw S3Error("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    }
    if (*raw != md5(body)) {
      throw S3Error(Reason::kBadDigest,
                    "The Content-MD5 you specified did not match what we received.");
    }
    given = true;
  }
  objects::Checksums told = call.who.body->trailers();
  for (auto kind : objects::kChecksumKinds) {
    if (auto value = call.request.headers.get(objects::checksum_header(kind))) told[kind] = *value;
  }
  for (const auto& [kind, value] : told) {
    auto sum = objects::Checksum::start(kind);
    sum->update(body);
    if (base::to_base64(sum->raw()) != value) {
      throw S3Error(Reason::kBadDigest,
                    fmt::format("The {} you specified did not match the calculated checksum.",
                                objects::checksum_name(kind)));
    }
    given = true;
  }
  if (needed && !given) {
    throw S3Error(Reason::kInvalidRequest,
                  "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
}

}  // namespace

std::string Call::owner() const {
  const auto& identity = who.credentials.identity;
  if (!identity.domain.empty()) return identity.domain;
  return identity.user.empty() ? who.credentials.access_key : identity.user;
}

const objects::Bucket& Call::bucket_info() {
  if (!info_) info_ = store().bucket(bucket);
  return *info_;
}

std::string Call::document(const std::string& name) {
  const auto& documents = bucket_info().documents;
  auto it = documents.find(name);
  return it == documents.end() ? "" : it->second;
}

Call::Context& Call::context() {
  if (!context_) context_ = make_context(*this);
  return *context_;
}

void Call::add_existing_tags(const objects::Tags& tags) {
  for (const auto& [name, value] : tags) context()["s3:existingobjecttag/" + name] = {value};
}

bool Call::may(std::string_view action, const std::string& resource_name,
               const objects::Bucket* about) {
  if (about == nullptr && !bucket.empty()) {
    try {
      about = &bucket_info();
    } catch (const objects::ObjectError&) {
      about = nullptr;  // the identity's own policies alone decide
    }
  }
  access::Question question;
  question.identity = &who.credentials.identity;
  question.action = std::string(action);
  question.resource = resource_name;
  question.context = context();
  std::shared_ptr<const access::Policy> policy;
  if (about != nullptr) {
    auto text = about->documents.find("policy");
    if (text != about->documents.end()) {
      policy = service.policies.get(text->second, [](const std::string& json) {
        return access::Policy::parse(json, access::Policy::Kind::kResource);
      });
      question.resource_policy = policy.get();
    }
    if (anonymous() && blocks_public(*about, "RestrictPublicBuckets")) {
      denial = "the bucket restricts public access";
      return false;
    }
    question.resource_public = acl_allows(*about, object_acl, action, !anonymous());
  }
  auto decision = service.options.access->decide(question);
  denial = decision.reason;
  return decision.allowed;
}

void Call::require(std::string_view action, const std::string& resource_name,
                   const objects::Bucket* about) {
  if (may(action, resource_name, about)) return;
  audit(action, resource_name, false, 403, denial);
  throw S3Error(Reason::kAccessDenied, "Access Denied.");
}

void Call::require_owner(const char* header_name, const objects::Bucket& about) {
  auto expected = request.headers.get(header_name);
  if (!expected || about.owner.empty() || *expected == about.owner ||
      *expected == owner_id(about.owner)) {
    return;
  }
  audit(operation->action.empty() ? operation->name : operation->action,
        "arn:aws:s3:::" + about.name, false, 403, fmt::format("{} is another", header_name));
  throw S3Error(Reason::kAccessDenied, "Access Denied.");
}

void Call::audit(std::string_view action, const std::string& resource_name, bool allowed,
                 int status, const std::string& reason) {
  access::AuditEvent event;
  event.time = now();
  event.request_id = request.id;
  event.user = who.credentials.identity.user;
  event.access_key = who.credentials.access_key;
  event.remote_address = request.remote_address;
  event.action = std::string(action);
  event.resource = resource_name;
  event.outcome = allowed ? "allowed" : "denied";
  event.status = status;
  event.reason = reason;
  service.options.access->audit(std::move(event));
}

std::string Call::body(size_t limit, Digest digest) {
  std::string text;
  char piece[16 << 10];
  while (size_t got = who.body->read(piece, sizeof piece)) {
    text.append(piece, got);
    if (text.size() > limit) {
      malformed_xml(fmt::format("the body is larger than the allowed {} bytes", limit));
    }
  }
  check_digests(*this, text, digest == Digest::kNeeded);
  return text;
}

void Call::skip_body() {
  char piece[16 << 10];
  while (who.body->read(piece, sizeof piece) > 0) {
  }
}

void Call::answer(XmlAnswer& xml, int status) {
  const std::string text = xml.take_text();
  response.status = status;
  set("Content-Type", "application/xml");
  set("Content-Length", std::to_string(text.size()));
  begun = true;
  response.write(text);
}

void Call::answer(int status) {
  begun = true;
  response.empty(status);
}

void set_common_headers(Call& call) {
  call.set("x-amz-request-id", call.request.id);
  call.set("x-amz-id-2", sha256_hex(call.request.id).substr(0, 32));
  call.set("Server", "DataMeesh");
  call.set("X-Content-Type-Options", "nosniff");
  call.set("Accept-Ranges", "bytes");
}

std::string error_document(const S3Error& error, const Call& call) {
  const std::string& path = call.request.path;
  const std::string& request_id = call.request.id;
  XmlAnswer xml("Error", nullptr);
  add(xml.root(), "Code", error.name());
  add(xml.root(), "Message", error.message());
  for (const auto& [name, value] : error.elements()) {
    if (base::valid_utf8(value)) add(xml.root(), name.c_str(), value);
  }
  add(xml.root(), "Resource", base::valid_utf8(path) ? path : encode_key(path));
  add(xml.root(), "RequestId", request_id);
  add(xml.root(), "HostId", sha256_hex(request_id).substr(0, 32));
  return xml.take_text();
}

void answer_error(Call& call, const S3Error& error) {
  call.response.status = error.status();
  call.response.headers.remove("Content-Length");
  call.response.headers.remove("Content-Encoding");
  // Of the content that could not be read; clients would hold them against the error's document.
  for (auto kind : objects::kChecksumKinds) {
    call.response.headers.remove(objects::checksum_header(kind));
  }
  if (call.request.method == "HEAD" || error.status() == 304) {
    call.response.headers.remove("Content-Type");
    return;
  }
  std::string text = error_document(error, call);
  call.set("Content-Type", "application/xml");
  call.set("Content-Length", std::to_string(text.size()));
  call.response.write(text);
}

S3Error to_s3_error(const std::exception& error, const net::Request& request) {
  if (const auto* own = dynamic_cast<const S3Error*>(&error)) return *own;
  if (const auto* of_store = dynamic_cast<const objects::ObjectError*>(&error)) {
    // Where the disk is that is full is not for clients.
    if (of_store->reason() != Reason::kInternalError && of_store->code() != Code::kDiskFull) {
      return S3Error(of_store->reason(), of_store->message());
    }
  } else if (const auto* http = dynamic_cast<const net::HttpError*>(&error)) {
    // Only reading a body throws these.
    if (http->status() == 413) {
      return S3Error(Reason::kEntityTooLarge,
                     "Your proposed upload exceeds the maximum allowed object size.");
    }
    if (http->status() == 408) {
      return S3Error(Reason::kRequestTimeout,
                     "Your socket connection to the server was not read from or written to within "
                     "the timeout period.");
    }
    return S3Error(Reason::kIncompleteBody,
                   "The body is not as its headers told: " + http->message());
  }
  if (const auto* ours = dynamic_cast<const Error*>(&error)) {
    if (ours->code() == Code::kServerShuttingDown || ours->code() == Code::kUnavailable) {
      return S3Error(Reason::kServiceUnavailable, "Please reduce your request rate.");
    }
    if (ours->code() == Code::kDiskFull) {
      log::error("S3 request failed", {{"id", request.id}, {"error", error.what()}});
      return S3Error(Reason::kStorageFull, "The storage is full.");
    }
    if (ours->code() == Code::kPermissionDenied) {
      return S3Error(Reason::kAccessDenied, "Access Denied.");
    }
  }
  log::error("S3 request failed",
             {{"id", request.id}, {"path", request.path}, {"error", error.what()}});
  return S3Error(Reason::kInternalError, "We encountered an internal error. Please try again.");
}

EventSource::EventSource(const Call& call)
    : acting_({call.who.credentials.identity.user, call.request.remote_address, call.request.id}) {}

void answer_slowly(Call& call, const std::function<XmlAnswer(net::Headers&)>& work) {
  net::Headers headers;
  auto running = std::async(std::launch::async, [&] {
    EventSource source(call);
    return work(headers).take_text(false);
  });
  constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  call.set("Content-Type", "application/xml");
  bool waited = false;
  while (running.wait_for(call.service.patience) != std::future_status::ready) {
    call.begun = true;
    call.response.write(waited ? std::string_view(" ") : kDeclaration);
    call.response.flush();
    waited = true;
  }
  std::string text;
  try {
    text = running.get();
  } catch (const std::exception& e) {
    if (!waited) throw;
    S3Error error = to_s3_error(e, call.request);
    std::string document = error_document(error, call);
    text = document.substr(document.find("?>\n") + 3);
  }
  if (!waited) {
    for (const auto& [name, value] : headers.items()) call.set(name, value);
    text.insert(0, kDeclaration);
    call.set("Content-Length", std::to_string(text.size()));
    call.begun = true;
  }
  call.response.write(text);
}

}  // namespace meesh::serve::s3
