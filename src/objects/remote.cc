// Objects of another S3.
#include <fmt/format.h>

#include <thread>

#include "base/text.h"
#include "objects/caller.h"
#include "objects/payload.h"
#include "objects/remote_answers.h"
#include "objects/remote_reader.h"
#include "objects/remote_store.h"
#include "objects/remote_writer.h"

namespace meesh::objects {
namespace {

constexpr size_t kDeleteAtOnce = 1000;

RemoteRequest about(const char* method, const std::string& bucket, const std::string& key,
                    const std::string& version) {
  RemoteRequest request{.method = method, .bucket = bucket, .key = key};
  if (!version.empty()) request.query.emplace_back("versionId", version);
  return request;
}

// "bytes 5-9/20" → 5.
uint64_t first_of_range(const std::string& content_range) {
  uint64_t first = 0;
  for (char c : content_range) {
    if (c == '-') break;
    if (c >= '0' && c <= '9') first = first * 10 + static_cast<uint64_t>(c - '0');
  }
  return first;
}

// What a HEAD was refused for: its answer has no body, so the same is asked with one.
[[noreturn]] void throw_refusal(RemoteConnection& connection, RemoteRequest request,
                                const net::ClientResponse& refused) {
  if (refused.status == 304 || refused.status == 412) throw remote_error(refused, false);
  request.method = "GET";
  bool of_part = std::any_of(request.query.begin(), request.query.end(),
                             [](const auto& item) { return item.first == "partNumber"; });
  if (!of_part) request.headers.set("Range", "bytes=0-0");
  net::ClientResponse told = connection.try_call(request);
  throw remote_error(told.status >= 300 ? told : refused, false);
}

Deleted deleted_of(const net::Headers& headers) {
  return {.delete_marker = header_of(headers, "x-amz-delete-marker") == "true",
          .version = header_of(headers, "x-amz-version-id")};
}

}  // namespace

std::unique_ptr<Store> open_remote(const RemoteOptions& options) {
  return std::make_unique<RemoteStore>(
      options, [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); });
}

void RemoteStore::tell(const char* event, const std::string& bucket, const Object& object) const {
  if (listener_) listener_({event, bucket, object, ActingFor::current()});
}

std::unique_ptr<Writer> RemoteStore::put(const std::string& bucket, const std::string& key,
                                         Attributes attributes, const WriteOptions& options) {
  check_key(key);
  return std::make_unique<RemoteObjectWriter>(*this, bucket, key, std::move(attributes), options);
}

void RemoteStore::read_tags(const std::string& bucket, const net::Headers& answer, Object& object) {
  if (header_of(answer, "x-amz-tagging-count").empty()) return;
  RemoteRequest request = about("GET", bucket, object.key, object.version);
  if (object.version == kNullVersion) request.query.clear();
  request.query.emplace_back("tagging", "");
  object.attributes.tags = tags_of(RemoteDocument(connection_.call(request)).root());
}

std::shared_ptr<Reader> RemoteStore::get(const std::string& bucket, const std::string& key,
                                         const ReadOptions& options) {
  uint64_t first = 0;
  Object object = head_of(bucket, key, options, &first);
  return std::make_shared<RemoteReader>(connection_, bucket, std::move(object), first, options);
}

Object RemoteStore::head(const std::string& bucket, const std::string& key,
                         const ReadOptions& options) {
  return head_of(bucket, key, options, nullptr);
}

Object RemoteStore::head_of(const std::string& bucket, const std::string& key,
                            const ReadOptions& options, uint64_t* first) {
  check_key(key);
  RemoteRequest request = about("HEAD", bucket, key, options.version);
  if (options.part != 0) request.query.emplace_back("partNumber", std::to_string(options.part));
  request.headers.add("x-amz-checksum-mode", "ENABLED");
  if (!options.without_content) {
    add_customer_key_headers(options.customer_key, "x-amz-", request.headers);
  }
  add_condition_headers(options.condition, "", request.headers);
  net::ClientResponse response = connection_.try_call(request);
  if (response.status >= 300) throw_refusal(connection_, request, response);
  Object object = object_of(key, response.headers);
  object.latest = options.version.empty();
  if (first != nullptr) *first = first_of_range(header_of(response.headers, "Content-Range"));
  read_tags(bucket, response.headers, object);
  return object;
}

Deleted RemoteStore::remove(const std::string& bucket, const std::string& key,
                            const DeleteOptions& options) {
  check_key(key);
  RemoteRequest request = about("DELETE", bucket, key, options.version);
  if (options.bypass_governance) {
    request.headers.add("x-amz-bypass-governance-retention", "true");
  }
  add_condition_headers(options.condition, request.headers);
  Deleted out = deleted_of(connection_.call(request).headers);
  Object gone;
  gone.key = key;
  if (!out.version.empty()) gone.version = out.version;
  gone.delete_marker = out.delete_marker;
  bool made_marker = out.delete_marker && options.version.empty();
  tell(made_marker ? "s3:ObjectRemoved:DeleteMarkerCreated" : "s3:ObjectRemoved:Delete", bucket,
       gone);
  return out;
}

std::vector<Store::DeleteOutcome> RemoteStore::remove_all(
    const std::string& bucket, const std::vector<std::pair<std::string, DeleteOptions>>& keys) {
  std::vector<DeleteOutcome> out(keys.size());
  for (bool bypass : {false, true}) {
    std::vector<size_t> which;
    for (size_t i = 0; i < keys.size(); ++i) {
      const DeleteOptions& options = keys[i].second;
      if (options.bypass_governance != bypass) continue;
      // Control characters and conditions: by itself, where XML is not in the way.
      bool plain = std::all_of(keys[i].first.begin(), keys[i].first.end(),
                               [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
      if (plain && !options.condition.if_match && !options.condition.if_none_match) {
        which.push_back(i);
        continue;
      }
      try {
        out[i].deleted = remove(bucket, keys[i].first, options);
      } catch (const ObjectError& e) {
        out[i].error = e;
      }
    }
    for (size_t at = 0; at < which.size(); at += kDeleteAtOnce) {
      size_t count = std::min(kDeleteAtOnce, which.size() - at);
      auto begin = which.begin() + static_cast<std::ptrdiff_t>(at);
      remove_some(bucket, keys, {begin, begin + static_cast<std::ptrdiff_t>(count)}, bypass, out);
    }
  }
  return out;
}

void RemoteStore::remove_some(const std::string& bucket,
                              const std::vector<std::pair<std::string, DeleteOptions>>& keys,
                              const std::vector<size_t>& which, bool bypass_governance,
                              std::vector<DeleteOutcome>& outcomes) {
  RemoteXml xml("Delete");
  std::map<std::pair<std::string, std::string>, std::vector<size_t>> index;
  for (size_t i : which) {
    const auto& [key, options] = keys[i];
    pugi::xml_node object = xml.root().append_child("Object");
    add_text(object, "Key", key);
    if (!options.version.empty()) add_text(object, "VersionId", options.version);
    index[{key, options.version}].push_back(i);
  }
  std::string body = xml.text();
  Md5 md5;
  md5.update(body);
  RemoteRequest request{
      .method = "POST", .bucket = bucket, .query = {{"delete", ""}}, .body = body};
  request.headers.add("Content-Type", "application/xml");
  request.headers.add("Content-MD5", base::to_base64(md5.raw()));
  if (bypass_governance) request.headers.add("x-amz-bypass-governance-retention", "true");
  RemoteDocument answer(connection_.call(request));
  for (pugi::xml_node node : answer.root().children()) {
    auto found = index.find({text_of(node, "Key"), text_of(node, "VersionId")});
    if (found == index.end()) continue;
    for (size_t i : found->second) {
      if (std::string_view(node.name()) == "Error") {
        net::ClientResponse failed{.status = 400};
        failed.body = "<Error><Code>" + text_of(node, "Code") + "</Code></Error>";
        ObjectError error = remote_error(failed, false);
        outcomes[i].error = ObjectError(error.reason(), text_of(node, "Message"));
        continue;
      }
      Deleted& deleted = outcomes[i].deleted;
      deleted.delete_marker = flag_of(node, "DeleteMarker");
      deleted.version =
          text_of(node, deleted.delete_marker ? "DeleteMarkerVersionId" : "VersionId");
      Object gone;
      gone.key = keys[i].first;
      tell("s3:ObjectRemoved:Delete", bucket, gone);
    }
  }
}

Object RemoteStore::copy(const std::string& from_bucket, const std::string& from_key,
                         const ReadOptions& from, const std::string& bucket, const std::string& key,
                         const std::optional<Attributes>& attributes, const WriteOptions& options,
                         const WriteCondition& condition) {
  check_key(from_key);
  check_key(key);
  RemoteRequest request{.method = "PUT", .bucket = bucket, .key = key};
  std::string source = net::canonical_path("/" + from_bucket + "/" + from_key);
  if (!from.version.empty()) source += "?versionId=" + net::percent_encode(from.version);
  request.headers.add("x-amz-copy-source", source);
  add_customer_key_headers(from.customer_key, "x-amz-copy-source-", request.headers);
  add_condition_headers(from.condition, "x-amz-copy-source-", request.headers);
  request.headers.add("x-amz-metadata-directive", attributes ? "REPLACE" : "COPY");
  request.headers.add("x-amz-tagging-directive", attributes ? "REPLACE" : "COPY");
  if (attributes) add_attribute_headers(*attributes, request.headers);
  add_encryption_headers(options.encryption, options.customer_key, request.headers);
  add_condition_headers(condition, request.headers);
  if (!options.expected.empty()) {
    request.headers.add("x-amz-checksum-algorithm",
                        std::string(checksum_name(options.expected.begin()->first)));
  }
  net::ClientResponse response = connection_.call(request);
  RemoteDocument answer(response);
  std::string version = header_of(response.headers, "x-amz-version-id");
  Object done = head(bucket, key, {.version = version, .customer_key = options.customer_key});
  done.latest = true;
  tell("s3:ObjectCreated:Copy", bucket, done);
  return done;
}

void RemoteStore::set_tags(const std::string& bucket, const std::string& key,
                           const std::string& version, const Tags& tags) {
  RemoteRequest request = about(tags.empty() ? "DELETE" : "PUT", bucket, key, version);
  request.query.emplace_back("tagging", "");
  std::string body = tags.empty() ? "" : tagging_document(tags);
  request.body = body;
  connection_.call(request);
}

void RemoteStore::set_acl(const std::string& bucket, const std::string& key,
                          const std::string& version, const std::string& canned) {
  RemoteRequest request = about("PUT", bucket, key, version);
  request.query.emplace_back("acl", "");
  request.headers.add("x-amz-acl", canned);
  connection_.call(request);
}

void RemoteStore::set_retention(const std::string& bucket, const std::string& key,
                                const std::string& version, const Retention& retention,
                                bool bypass_governance) {
  RemoteRequest request = about("PUT", bucket, key, version);
  request.query.emplace_back("retention", "");
  RemoteXml xml("Retention");
  if (retention.mode != LockMode::kNone) {
    add_text(xml.root(), "Mode",
             retention.mode == LockMode::kGovernance ? "GOVERNANCE" : "COMPLIANCE");
    add_text(xml.root(), "RetainUntilDate", iso_date(retention.until));
  }
  if (bypass_governance) request.headers.add("x-amz-bypass-governance-retention", "true");
  std::string body = xml.text();
  Md5 md5;
  md5.update(body);
  request.headers.add("Content-MD5", base::to_base64(md5.raw()));
  request.body = body;
  connection_.call(request);
}

void RemoteStore::set_legal_hold(const std::string& bucket, const std::string& key,
                                 const std::string& version, bool on) {
  RemoteRequest request = about("PUT", bucket, key, version);
  request.query.emplace_back("legal-hold", "");
  RemoteXml xml("LegalHold");
  add_text(xml.root(), "Status", on ? "ON" : "OFF");
  std::string body = xml.text();
  Md5 md5;
  md5.update(body);
  request.headers.add("Content-MD5", base::to_base64(md5.raw()));
  request.body = body;
  connection_.call(request);
}

}  // namespace meesh::objects
