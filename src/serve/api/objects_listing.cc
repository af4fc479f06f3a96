#include <boost/json.hpp>

#include "base/text.h"
#include "serve/api/objects_handlers.h"

namespace meesh::serve::api {

namespace json = boost::json;

namespace {

constexpr uint64_t kPage = 500, kMostPage = 1000;

json::array texts_json(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

void check_text(const std::string& text) {
  if (!base::valid_utf8(text)) throw Error(Code::kBadRequest, "keys are UTF-8");
}

/// Where a listing of versions goes on: "<version>/<key>"; a version holds no slash.
std::string place_of(const objects::VersionListing& page) {
  return page.next_version + "/" + page.next_key;
}

void go_on(objects::VersionListOptions& wanted, const std::string& cursor) {
  if (cursor.empty()) return;
  const size_t slash = cursor.find('/');
  if (slash == std::string::npos)
    throw Error(Code::kBadRequest, "'cursor' is none that was given out");
  wanted.version_marker = cursor.substr(0, slash);
  wanted.key_marker = cursor.substr(slash + 1);
}

json::array objects_json(const std::vector<objects::Object>& objects) {
  json::array told;
  for (const auto& object : objects) told.push_back(object_json(object, false));
  return told;
}

void list_all_versions(ObjectsCall& call, const objects::ListOptions& asked) {
  call.asker.require("s3:ListBucketVersions", call.bucket);
  objects::VersionListOptions wanted;
  wanted.prefix = asked.prefix;
  wanted.delimiter = asked.delimiter;
  wanted.limit = asked.limit;
  go_on(wanted, asked.after);
  const auto page = call.store.list_versions(call.bucket, wanted);
  json::object told{{"prefixes", texts_json(page.common_prefixes)},
                    {"objects", objects_json(page.versions)}};
  if (page.truncated) told["next"] = place_of(page);
  answer(call.response, told);
}

}  // namespace

void list_objects(ObjectsCall& call) {
  objects::ListOptions wanted;
  wanted.prefix = query_text(call.request, "prefix");
  wanted.delimiter = query_text(call.request, "delimiter", "/");
  wanted.after = query_text(call.request, "cursor");
  wanted.limit = query_number(call.request, "limit", kPage, 1, kMostPage);
  if (wanted.prefix.size() > 1024 || wanted.delimiter.size() > 1024)
    throw Error(Code::kBadRequest, "no key begins with more than 1,024 bytes");
  for (const auto* text : {&wanted.prefix, &wanted.delimiter, &wanted.after}) check_text(*text);
  call.asker.require_list(call.bucket, wanted.prefix);
  call.asker.bucket(call.bucket);
  if (query_flag(call.request, "versions")) return list_all_versions(call, wanted);
  const auto page = call.store.list(call.bucket, wanted);
  json::object told{{"prefixes", texts_json(page.common_prefixes)},
                    {"objects", objects_json(page.objects)}};
  if (page.truncated) told["next"] = page.next;
  answer(call.response, told);
}

objects::Object head_allowed(ObjectsCall& call, const std::string& key,
                             const std::string& version) {
  const char* action = version.empty() ? "s3:GetObject" : "s3:GetObjectVersion";
  std::optional<objects::Object> found;
  std::exception_ptr problem;
  try {
    found = call.store.head(call.bucket, key, known_of(version));
  } catch (const objects::ObjectError&) {
    problem = std::current_exception();
  }
  // Without the right nothing is told, not even that there is no such object.
  call.asker.require(action, call.bucket, key, found ? &*found : nullptr);
  if (problem) std::rethrow_exception(problem);
  return std::move(*found);
}

void tell_object(ObjectsCall& call) {
  const auto object = head_allowed(call, call.key(), call.version());
  answer(call.response, object_json(object, true));
}

void list_versions(ObjectsCall& call) {
  const auto key = call.key();
  call.asker.require("s3:ListBucketVersions", call.bucket);
  call.asker.bucket(call.bucket);
  objects::VersionListOptions wanted;
  wanted.prefix = key;
  wanted.limit = query_number(call.request, "limit", 100, 1, kMostPage);
  go_on(wanted, query_text(call.request, "cursor"));
  const auto page = call.store.list_versions(call.bucket, wanted);
  json::array versions;
  for (const auto& version : page.versions)
    if (version.key == key) versions.push_back(object_json(version, false));
  json::object told{{"versions", std::move(versions)}};
  // Of keys that only begin like this one nobody has asked.
  if (page.truncated && !page.versions.empty() && page.versions.back().key == key)
    told["next"] = place_of(page);
  answer(call.response, told);
}

}  // namespace meesh::serve::api
