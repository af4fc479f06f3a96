#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serve/api/caller.h"
#include "serve/api/objects_handlers.h"
#include "serve/s3/authentication.h"
#include "serve/s3/values.h"

namespace meesh::serve::api {

namespace json = boost::json;

namespace {

using objects::Reason;

constexpr size_t kBatch = 1000;                  // keys a transaction
constexpr size_t kMostErrors = 100;              // told one by one
constexpr int64_t kLongestLink = 7 * 24 * 3600;  // seconds, as Signature Version 4 allows

/// Deletes keys and prefixes, told in lines as it goes.
class Deletion {
 public:
  Deletion(ObjectsCall& call, bool for_good, const std::stop_token& stop, Lines& out)
      : call_(call), for_good_(for_good), stop_(stop), out_(out) {}

  void one(const std::string& key, const std::string& version) {
    objects::DeleteOptions options;
    options.version = version;
    const char* action = version.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
    try {
      objects::check_key(key);
      call_.asker.require(action, call_.bucket, key);
    } catch (const Error& error) {
      return failed(key, error.message());
    }
    keys_.emplace_back(key, std::move(options));
    if (keys_.size() == kBatch) flush();
  }

  /// Everything that begins so: the objects there are, or every version.
  void all_of(const std::string& prefix, bool exactly) {
    if (for_good_) return all_versions_of(prefix, exactly);
    if (exactly) return one(prefix, "");
    objects::ListOptions wanted;
    wanted.prefix = prefix;
    while (!stop_.stop_requested()) {
      const auto page = call_.store.list(call_.bucket, wanted);
      for (const auto& object : page.objects) one(object.key, "");
      if (!page.truncated) return;
      wanted.after = page.next;
    }
  }

  void end() {
    flush();
    out_.send({{"deleted", deleted_}, {"failed", failed_}, {"errors", std::move(errors_)}});
  }

 private:
  void all_versions_of(const std::string& prefix, bool exactly) {
    objects::VersionListOptions wanted;
    wanted.prefix = prefix;
    while (!stop_.stop_requested()) {
      const auto page = call_.store.list_versions(call_.bucket, wanted);
      for (const auto& version : page.versions) {
        if (exactly && version.key != prefix) return;
        one(version.key, version.version);
      }
      if (!page.truncated) return;
      wanted.key_marker = page.next_key;
      wanted.version_marker = page.next_version;
    }
  }

  void flush() {
    if (keys_.empty()) return;
    const auto outcomes = call_.store.remove_all(call_.bucket, keys_);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      const auto& error = outcomes[i].error;
      if (error && error->reason() != Reason::kNoSuchKey &&
          error->reason() != Reason::kNoSuchVersion) {
        failed(keys_[i].first, error->message());
        continue;
      }
      const bool version = !keys_[i].second.version.empty();
      call_.asker.wrote(version ? "s3:DeleteObjectVersion" : "s3:DeleteObject", call_.bucket,
                        keys_[i].first, 204);
      ++deleted_;
    }
    keys_.clear();
    out_.progress({{"progress", deleted_}});
  }

  void failed(const std::string& key, const std::string& why) {
    ++failed_;
    if (errors_.size() < kMostErrors) errors_.push_back({{"key", readable(key)}, {"message", why}});
  }

  ObjectsCall& call_;
  const bool for_good_;
  const std::stop_token& stop_;
  Lines& out_;
  std::vector<std::pair<std::string, objects::DeleteOptions>> keys_;
  uint64_t deleted_ = 0, failed_ = 0;
  json::array errors_;
};

struct Place {
  std::string key, version;
};

Place place_in(const json::value& value) {
  if (!value.is_object()) throw Error(Code::kBadRequest, "'keys' holds objects with a 'key'");
  return {needed_text(value.get_object(), "key"), text(value.get_object(), "version")};
}

std::vector<Place> places(const json::object& asked) {
  std::vector<Place> all;
  const auto* keys = asked.if_contains("keys");
  if (!keys) return all;
  if (!keys->is_array()) throw Error(Code::kBadRequest, "'keys' is no list");
  for (const auto& value : keys->get_array()) all.push_back(place_in(value));
  return all;
}

std::string needed_key(const json::object& asked, std::string_view name) {
  auto key = needed_text(asked, name);
  objects::check_key(key);
  return key;
}

objects::Object copy(ObjectsCall& call, const Place& from, const std::string& bucket,
                     const std::string& key, bool overwrite) {
  const auto source = head_allowed(call, from.key, from.version);
  call.asker.require("s3:PutObject", bucket, key);
  auto options = write_options(call.asker.bucket(bucket));
  if (source.encryption == objects::Encryption::kS3) options.encryption = source.encryption;
  objects::ReadOptions wanted;
  wanted.version = from.version;
  objects::WriteCondition condition;
  if (!overwrite) condition.if_none_match = "*";
  try {
    auto made = call.store.copy(call.bucket, from.key, wanted, bucket, key, std::nullopt, options,
                                condition);
    call.asker.wrote("s3:PutObject", bucket, key, 200);
    made.key = key;
    return made;
  } catch (const objects::ObjectError& error) {
    if (error.reason() != Reason::kPreconditionFailed) throw;
    net::HttpError taken(412, fmt::format("there is an object '{}' already", key),
                         Code::kAlreadyExists);
    taken.with_hint("\"overwrite\": true replaces it");
    throw taken;
  }
}

/// Under the name that the asker's browser reaches this machine by, where the endpoint has only a
/// name that means "here".
std::string reachable(const std::string& address, const net::Request& request) {
  const auto host = std::string(request.headers.get("Host").value_or(""));
  const size_t bracket = host.find(']'), colon = host.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  const std::string name = has_port ? host.substr(0, colon) : host;
  const bool plain = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  });
  const size_t begin = address.find("://") + 3, end = address.rfind(':');
  const std::string ours = address.substr(begin, end - begin);
  if (!plain || (ours != "0.0.0.0" && ours != "[::]")) return address;
  return address.substr(0, begin) + name + address.substr(end);
}

/// Every browser and most programs would leave such parts of an address out.
bool has_dot_parts(const std::string& key) {
  const std::string path = "/" + key + "/";
  return path.find("/../") != std::string::npos || path.find("/./") != std::string::npos;
}

/// A key of the asker's own to sign with; the administrator's for those who have none by their
/// role.
access::Credentials signer(ObjectsCall& call) {
  auto& access = *call.options.access;
  if (!call.asker.identity()) {
    if (auto root = access.credentials(call.options.root_access_key, "")) return *root;
    throw Error(Code::kNotSupported, "links to objects of this store cannot be signed here");
  }
  for (const auto& user : access.users()) {
    if (user.name != call.request.user) continue;
    for (const auto& id : user.access_keys)
      if (auto found = access.credentials(id, "")) return *found;
  }
  throw Error(Code::kNotFound, fmt::format("'{}' has no key to sign with", call.request.user))
      .with_hint("make a key of your own under Admin");
}

}  // namespace

void delete_objects(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  const auto keys = places(asked);
  const auto prefixes = texts(asked, "prefixes");
  const bool for_good = flag(asked, "for_good");
  if (keys.empty() && prefixes.empty())
    throw Error(Code::kBadRequest, "nothing to delete").with_hint("'keys' or 'prefixes'");
  for (const auto& prefix : prefixes) {
    if (prefix.empty()) throw Error(Code::kBadRequest, "an empty prefix is the whole bucket");
    call.asker.require_list(call.bucket, prefix);
  }
  if (for_good) call.asker.require("s3:ListBucketVersions", call.bucket);
  // One that is refused at once is an error of the whole; others are told of with their keys.
  if (!keys.empty()) {
    const auto& [key, version] = keys.front();
    objects::check_key(key);
    call.asker.require(version.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion", call.bucket,
                       key);
  }
  call.asker.bucket(call.bucket);
  Lines().run(call.request, call.response, [&](const std::stop_token& stop, Lines& out) {
    const objects::ActingFor acting(call.caller());
    Deletion deletion(call, for_good, stop, out);
    for (const auto& place : keys) {
      if (stop.stop_requested()) break;
      if (place.version.empty()) {
        deletion.all_of(place.key, true);
      } else {
        deletion.one(place.key, place.version);
      }
    }
    for (const auto& prefix : prefixes) deletion.all_of(prefix, false);
    deletion.end();
  });
}

void copy_object(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  const Place from{needed_key(asked, "key"), text(asked, "version")};
  const auto bucket = text(asked, "to_bucket", call.bucket);
  const auto key = needed_key(asked, "to_key");
  const bool move = flag(asked, "move");
  if (bucket == call.bucket && key == from.key)
    throw Error(Code::kBadRequest, "the object is there already")
        .with_hint("an older version comes back by restore");
  if (move && !from.version.empty())
    throw Error(Code::kBadRequest, "only the latest version can be moved");
  if (move) call.asker.require("s3:DeleteObject", call.bucket, from.key);
  const auto made = copy(call, from, bucket, key, flag(asked, "overwrite"));
  if (move) {
    call.store.remove(call.bucket, from.key, {});
    call.asker.wrote("s3:DeleteObject", call.bucket, from.key, 204);
  }
  answer(call.response, object_json(made, false));
}

void restore_version(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  const Place from{needed_key(asked, "key"), needed_text(asked, "version")};
  const auto made = copy(call, from, call.bucket, from.key, true);
  answer(call.response, object_json(made, false));
}

void put_tags(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto asked = body_of(call.request);
  const auto key = needed_key(asked, "key");
  const auto version = text(asked, "version");
  objects::Tags tags;
  for (const auto& [name, value] : text_map(asked, "tags"))
    s3::add_tag(tags, name, value, s3::kMaxObjectTags);
  const char* action = version.empty() ? "s3:PutObjectTagging" : "s3:PutObjectVersionTagging";
  call.asker.require(action, call.bucket, key);
  call.store.set_tags(call.bucket, key, version, tags);
  call.asker.wrote(action, call.bucket, key, 200);
  answer(call.response, object_json(call.store.head(call.bucket, key, known_of(version)), true));
}

void share(ObjectsCall& call) {
  const auto asked = body_of(call.request);
  const Place place{needed_key(asked, "key"), text(asked, "version")};
  const auto seconds = number(asked, "seconds", 24 * 3600, kLongestLink);
  head_allowed(call, place.key, place.version);
  const std::string address = call.options.s3_address();
  if (address.empty())
    throw Error(Code::kNotSupported, "the mesh has no S3 endpoint that a link could lead to")
        .with_hint("meesh.yaml: storage: { port: 9000 }");
  if (has_dot_parts(place.key))
    throw Error(Code::kNotSupported, "no link leads to a key with the part '.' or '..'")
        .with_hint("copy the object to another key");
  std::map<std::string, std::string> query;
  if (!place.version.empty()) query["versionId"] = place.version;
  // Whoever has the link gets a file, whatever type it says it is.
  query["response-content-disposition"] = "attachment";
  const auto now = std::chrono::system_clock::now();
  const auto url =
      s3::presign("GET", reachable(address, call.request), "/" + call.bucket + "/" + place.key,
                  query, signer(call), call.options.region, std::chrono::seconds(seconds), now);
  const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(
      (now + std::chrono::seconds(seconds)).time_since_epoch());
  call.asker.wrote("meesh:ShareObject", call.bucket, place.key, 200);
  answer(call.response, json::object{{"url", url}, {"expires_ms", until.count()}});
}

}  // namespace meesh::serve::api
