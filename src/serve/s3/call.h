// One S3 request on its way: what it names, who asks, what that one may, and the answer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "objects/caller.h"
#include "objects/store.h"
#include "serve/s3/authentication.h"
#include "serve/s3/error.h"
#include "serve/s3/service.h"
#include "serve/s3/xml.h"

namespace meesh::serve::s3 {

enum class Level { kService, kBucket, kObject };

class Call;

/// A row of the table of operations (operations.cc). The first row whose method, level,
/// `parameter` and `header` are all in the request is the one asked for.
struct Operation {
  std::string_view name;  // "GetObjectTagging"
  std::string_view method;
  Level level;
  std::string_view parameter;       // of the query; "" = whatever the query
  std::string_view header;          // "" = whatever the headers
  std::string_view action;          // what the caller must be allowed; "" = run() asks itself
  std::string_view version_action;  // with versionId; "" = `action`
  enum Flag : unsigned {
    kMutates = 1,         // a line in the audit trail
    kKnowsTags = 2,       // policies may ask for the tags of the object there is
    kNoBucketNeeded = 4,  // run() deals with a bucket that does not exist
  };
  unsigned flags;
  void (*run)(Call&);
};

class Call {
 public:
  using Context = std::map<std::string, std::vector<std::string>>;

  Call(Service& service, net::Request& request, net::Response& response)
      : service(service), request(request), response(response) {}

  Service& service;
  net::Request& request;
  net::Response& response;
  std::string bucket, key;  // "" where none is named
  Authenticated who;
  const Operation* operation = nullptr;
  std::string object_acl;  // of the object asked about, once known; may() takes it into account

  objects::Store& store() const { return *service.options.store; }
  std::string_view header(std::string_view name) const {  // "" if absent
    return request.headers.get(name).value_or("");
  }
  bool has(std::string_view parameter) const { return request.query_param(parameter).has_value(); }
  std::string query(std::string_view parameter) const {  // "" if absent
    return std::string(request.query_param(parameter).value_or(""));
  }
  std::string version() const { return query("versionId"); }
  bool anonymous() const { return who.credentials.access_key.empty(); }
  /// The name that owns what the caller makes.
  std::string owner() const;

  /// The bucket named. Throws NoSuchBucket. Read once for a request.
  const objects::Bucket& bucket_info();
  void forget_bucket() { info_.reset(); }
  /// A document of the bucket, "" if it has none.
  std::string document(const std::string& name);

  std::string bucket_resource() const { return "arn:aws:s3:::" + bucket; }
  std::string resource() const { return "arn:aws:s3:::" + bucket + (key.empty() ? "" : "/" + key); }
  /// What policies may ask about this request; handlers add to it before require().
  Context& context();
  void add_existing_tags(const objects::Tags& tags);
  /// Asks the policies; `about` the bucket of the resource, this request's unless given.
  bool may(std::string_view action, const std::string& resource,
           const objects::Bucket* about = nullptr);
  /// Throws AccessDenied and writes that down.
  void require(std::string_view action, const std::string& resource,
               const objects::Bucket* about = nullptr);
  void require(std::string_view action) { require(action, resource()); }
  /// A client may say in a header whose bucket it means: the owner's name, or the ID that answers
  /// give it. Throws AccessDenied, and writes that down, if `about` is another's. An owner that the
  /// store does not know, being another S3, is nobody's to refuse.
  void require_owner(const char* header_name, const objects::Bucket& about);
  void audit(std::string_view action, const std::string& resource, bool allowed, int status,
             const std::string& reason);

  /// A small body, checked against Content-MD5 and x-amz-checksum-…; throws MalformedXML if it is
  /// larger than `limit`. `digest_needed`: S3 refuses such requests without one of those.
  enum class Digest { kOptional, kNeeded };
  std::string body(size_t limit = kMaxXmlBytes, Digest digest = Digest::kOptional);
  /// Reads a body to its end without keeping it.
  void skip_body();

  void answer(XmlAnswer& xml, int status = 200);
  void answer(XmlAnswer&& xml) { answer(xml); }
  void answer(int status);  // without body
  void set(std::string name, std::string value) {
    response.headers.set(std::move(name), std::move(value));
  }
  /// Bytes of the answer may have gone out: errors cannot be told any more.
  bool begun = false;

  std::string denial;  // why the last may() said no

 private:
  std::optional<objects::Bucket> info_;
  std::optional<Context> context_;
};

/// x-amz-request-id and the like, on every answer.
void set_common_headers(Call& call);
/// The <Error> document. HEAD: status alone.
void answer_error(Call& call, const S3Error& error);
std::string error_document(const S3Error& error, const Call& call);
/// What S3 says for an exception caught; unknown ones become InternalError and are logged.
S3Error to_s3_error(const std::exception& error, const net::Request& request);

/// While it lives, this thread changes the store on behalf of the caller, as notifications tell.
class EventSource {
 public:
  explicit EventSource(const Call& call);

 private:
  const objects::ActingFor acting_;
};

/// Runs `work`, which may take long, and answers with its document; white space is sent meanwhile
/// so that clients keep waiting, as S3 does. An error after the first of it is told in the body.
/// `work` runs on another thread and fills the headers that go out if none went before.
void answer_slowly(Call& call, const std::function<XmlAnswer(net::Headers&)>& work);

}  // namespace meesh::serve::s3
