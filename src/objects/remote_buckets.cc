// Buckets of another S3, and their listings.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "objects/payload.h"
#include "objects/remote_answers.h"
#include "objects/remote_store.h"

namespace meesh::objects {
namespace {

using Clock = std::chrono::steady_clock;

// Documents kept as text, under their subresource's name.
constexpr const char* kDocuments[] = {"policy",     "cors",    "lifecycle",
                                      "encryption", "tagging", "notification"};

// Behind every key that begins with a common prefix: no key goes on with this character.
constexpr char kBehindAll[] = "\xF4\x8F\xBF\xBF";

std::string after_of(const std::string& after, const std::string& prefix,
                     const std::string& delimiter) {
  bool is_common_prefix = !delimiter.empty() && after.size() > prefix.size() &&
                          after.starts_with(prefix) && after.ends_with(delimiter) &&
                          after.find(delimiter, prefix.size()) == after.size() - delimiter.size();
  return is_common_prefix ? after + kBehindAll : after;
}

Object listed(pugi::xml_node node) {
  Object o;
  o.key = key_of(node, "Key");
  o.size = number_of(node, "Size");
  o.etag = etag_of(text_of(node, "ETag"));
  o.modified = time_of(node, "LastModified");
  if (auto value = text_of(node, "StorageClass"); !value.empty()) {
    o.attributes.storage_class = value;
  }
  o.attributes.owner = text_of(node.child("Owner"), "ID");
  return o;
}

std::string versioning_document(Versioning versioning) {
  RemoteXml xml("VersioningConfiguration");
  add_text(xml.root(), "Status", versioning == Versioning::kEnabled ? "Enabled" : "Suspended");
  return xml.text();
}

std::string lock_document(const DefaultRetention& retention) {
  RemoteXml xml("ObjectLockConfiguration");
  add_text(xml.root(), "ObjectLockEnabled", "Enabled");
  if (retention.mode != LockMode::kNone) {
    auto fields = xml.root().append_child("Rule").append_child("DefaultRetention");
    add_text(fields, "Mode", retention.mode == LockMode::kGovernance ? "GOVERNANCE" : "COMPLIANCE");
    add_text(fields, retention.years != 0 ? "Years" : "Days",
             std::to_string(retention.years != 0 ? retention.years : retention.days));
  }
  return xml.text();
}

void read_lock(pugi::xml_node root, Bucket& bucket) {
  bucket.lock_enabled = text_of(root, "ObjectLockEnabled") == "Enabled";
  pugi::xml_node fields = root.child("Rule").child("DefaultRetention");
  if (!fields) return;
  bucket.default_retention.mode =
      text_of(fields, "Mode") == "COMPLIANCE" ? LockMode::kCompliance : LockMode::kGovernance;
  bucket.default_retention.days = static_cast<int>(number_of(fields, "Days"));
  bucket.default_retention.years = static_cast<int>(number_of(fields, "Years"));
}

bool same(const DefaultRetention& a, const DefaultRetention& b) {
  return a.mode == b.mode && a.days == b.days && a.years == b.years;
}

}  // namespace

void RemoteStore::create_bucket(const Bucket& bucket) {
  check_bucket_name(bucket.name);
  RemoteRequest request{.method = "PUT", .bucket = bucket.name};
  std::string body;
  const std::string& region = connection_.options().region;
  if (region != "us-east-1") {
    RemoteXml xml("CreateBucketConfiguration");
    add_text(xml.root(), "LocationConstraint", region);
    body = xml.text();
    request.body = body;
  }
  if (bucket.lock_enabled) request.headers.add("x-amz-bucket-object-lock-enabled", "true");
  connection_.call(request);
  forget(bucket.name);
  Bucket made;
  made.name = bucket.name;
  made.lock_enabled = bucket.lock_enabled;
  if (bucket.lock_enabled) made.versioning = Versioning::kEnabled;
  Bucket wanted = bucket;
  if (wanted.versioning == Versioning::kNever) wanted.versioning = made.versioning;
  write_settings(made, wanted);
}

void RemoteStore::delete_bucket(const std::string& name) {
  check_bucket_name(name);
  connection_.call({.method = "DELETE", .bucket = name});
  forget(name);
}

Bucket RemoteStore::bucket(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    auto found = buckets_.find(name);
    if (found != buckets_.end() && Clock::now() < found->second.until) return found->second.bucket;
  }
  Bucket fresh = read_bucket(name);
  const std::lock_guard lock(mutex_);
  buckets_[name] = {fresh, Clock::now() + kBucketMemory};
  return fresh;
}

void RemoteStore::forget(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  buckets_.erase(bucket);
}

Bucket RemoteStore::read_bucket(const std::string& name) {
  check_bucket_name(name);
  Bucket out;
  out.name = name;
  RemoteRequest request{.method = "GET", .bucket = name, .query = {{"versioning", ""}}};
  net::ClientResponse response = connection_.call(request);
  std::string status = text_of(RemoteDocument(response).root(), "Status");
  if (status == "Enabled") out.versioning = Versioning::kEnabled;
  if (status == "Suspended") out.versioning = Versioning::kSuspended;
  if (auto region = header_of(response.headers, "x-amz-bucket-region"); !region.empty()) {
    out.region = region;
  }
  // What a bucket has not, or another S3 has not at all, is an error without interest here.
  request.query = {{"object-lock", ""}};
  response = connection_.try_call(request);
  if (response.status < 300) read_lock(RemoteDocument(response).root(), out);
  for (const char* document : kDocuments) {
    request.query = {{document, ""}};
    response = connection_.try_call(request);
    if (response.status < 300 && !response.body.empty()) {
      out.documents[document] = response.body;
    }
  }
  return out;
}

std::vector<Bucket> RemoteStore::buckets() {
  RemoteDocument answer(connection_.call({.method = "GET"}));
  std::string owner = text_of(answer.root().child("Owner"), "ID");
  std::vector<Bucket> out;
  for (pugi::xml_node node : answer.root().child("Buckets").children("Bucket")) {
    Bucket bucket;
    bucket.name = text_of(node, "Name");
    bucket.owner = owner;
    bucket.created = time_of(node, "CreationDate");
    if (auto region = text_of(node, "BucketRegion"); !region.empty()) bucket.region = region;
    out.push_back(std::move(bucket));
  }
  return out;
}

void RemoteStore::edit_bucket(const std::string& name, const std::function<void(Bucket&)>& edit) {
  Bucket before = read_bucket(name);
  Bucket after = before;
  edit(after);
  write_settings(before, after);
  forget(name);
}

void RemoteStore::write_settings(const Bucket& before, const Bucket& after) {
  if (after.quota != before.quota) {
    throw ObjectError(Reason::kNotImplemented,
                      "Quotas of buckets at another S3 are not supported.");
  }
  auto send = [&](const char* method, const std::string& what, const std::string& body) {
    RemoteRequest request{
        .method = method, .bucket = after.name, .query = {{what, ""}}, .body = body};
    if (!body.empty()) {
      Md5 md5;
      md5.update(body);
      request.headers.add("Content-MD5", base::to_base64(md5.raw()));
    }
    connection_.call(request);
  };
  if (after.versioning != before.versioning) {
    send("PUT", "versioning", versioning_document(after.versioning));
  }
  if (after.lock_enabled && (after.lock_enabled != before.lock_enabled ||
                             !same(after.default_retention, before.default_retention))) {
    send("PUT", "object-lock", lock_document(after.default_retention));
  }
  for (const auto& [document, text] : after.documents) {
    auto old = before.documents.find(document);
    if (old == before.documents.end() || old->second != text) send("PUT", document, text);
  }
  for (const auto& [document, text] : before.documents) {
    if (!after.documents.contains(document)) send("DELETE", document, "");
  }
}

Usage RemoteStore::usage(const std::string& bucket) {
  Usage out;
  VersionListOptions options;
  for (;;) {
    VersionListing page = list_versions(bucket, options);
    for (const Object& version : page.versions) {
      ++out.versions;
      out.bytes += version.size;
      if (version.latest && !version.delete_marker) ++out.objects;
    }
    if (!page.truncated) return out;
    options.key_marker = page.next_key;
    options.version_marker = page.next_version;
  }
}

Listing RemoteStore::list(const std::string& bucket, const ListOptions& options) {
  RemoteRequest request{.method = "GET",
                        .bucket = bucket,
                        .query = {{"list-type", "2"},
                                  {"encoding-type", "url"},
                                  {"fetch-owner", "true"},
                                  {"max-keys", std::to_string(options.limit)}}};
  if (!options.prefix.empty()) request.query.emplace_back("prefix", options.prefix);
  if (!options.delimiter.empty()) request.query.emplace_back("delimiter", options.delimiter);
  if (!options.after.empty()) {
    request.query.emplace_back("start-after",
                               after_of(options.after, options.prefix, options.delimiter));
  }
  RemoteDocument answer(connection_.call(request));
  Listing out;
  for (pugi::xml_node node : answer.root().children("Contents")) {
    out.objects.push_back(listed(node));
  }
  for (pugi::xml_node node : answer.root().children("CommonPrefixes")) {
    out.common_prefixes.push_back(key_of(node, "Prefix"));
  }
  out.truncated = flag_of(answer.root(), "IsTruncated");
  if (!out.objects.empty()) out.next = out.objects.back().key;
  if (!out.common_prefixes.empty()) out.next = std::max(out.next, out.common_prefixes.back());
  return out;
}

VersionListing RemoteStore::list_versions(const std::string& bucket,
                                          const VersionListOptions& options) {
  RemoteRequest request{
      .method = "GET",
      .bucket = bucket,
      .query = {
          {"versions", ""}, {"encoding-type", "url"}, {"max-keys", std::to_string(options.limit)}}};
  for (const auto& [name, value] :
       {std::pair{"prefix", &options.prefix}, std::pair{"delimiter", &options.delimiter},
        std::pair{"key-marker", &options.key_marker},
        std::pair{"version-id-marker", &options.version_marker}}) {
    if (!value->empty()) request.query.emplace_back(name, *value);
  }
  RemoteDocument answer(connection_.call(request));
  VersionListing out;
  for (pugi::xml_node node : answer.root().children()) {
    std::string_view name = node.name();
    if (name == "CommonPrefixes") out.common_prefixes.push_back(key_of(node, "Prefix"));
    if (name != "Version" && name != "DeleteMarker") continue;
    Object version = listed(node);
    version.version = text_of(node, "VersionId");
    version.latest = flag_of(node, "IsLatest");
    version.delete_marker = name == "DeleteMarker";
    out.versions.push_back(std::move(version));
  }
  out.truncated = flag_of(answer.root(), "IsTruncated");
  out.next_key = key_of(answer.root(), "NextKeyMarker");
  out.next_version = text_of(answer.root(), "NextVersionIdMarker");
  return out;
}

}  // namespace meesh::objects
