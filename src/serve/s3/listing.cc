#include "base/text.h"
#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/list_parameters.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

void add_checksums(pugi::xml_node node, const objects::Object& object) {
  if (object.checksums.empty()) return;
  for (const auto& [kind, value] : object.checksums) {
    add(node, "ChecksumAlgorithm", objects::checksum_name(kind));
  }
  add(node, "ChecksumType", std::string_view(object.composite ? "COMPOSITE" : "FULL_OBJECT"));
}

void add_contents(pugi::xml_node list, const objects::Object& object, const ListParameters& with,
                  bool owner) {
  pugi::xml_node node = add(list, "Contents");
  add(node, "Key", with.encoded(object.key));
  add(node, "LastModified", iso_time(object.modified));
  add(node, "ETag", quoted_etag(object.etag));
  add_checksums(node, object);
  add(node, "Size", object.size);
  add(node, "StorageClass", object.attributes.storage_class);
  if (owner) add_owner(node, "Owner", object.attributes.owner);
}

void add_version(pugi::xml_node list, const objects::Object& object, const ListParameters& with) {
  pugi::xml_node node = add(list, object.delete_marker ? "DeleteMarker" : "Version");
  add(node, "Key", with.encoded(object.key));
  add(node, "VersionId", object.version);
  add_flag(node, "IsLatest", object.latest);
  add(node, "LastModified", iso_time(object.modified));
  if (!object.delete_marker) {
    add(node, "ETag", quoted_etag(object.etag));
    add_checksums(node, object);
    add(node, "Size", object.size);
    add(node, "StorageClass", object.attributes.storage_class);
  }
  add_owner(node, "Owner", object.attributes.owner);
}

// What the two listings of objects share.
objects::Listing find(Call& call, const ListParameters& with, const std::string& after) {
  if (with.limit == 0) {
    call.bucket_info();
    return {};
  }
  return call.store().list(
      call.bucket,
      {.prefix = with.prefix, .delimiter = with.delimiter, .after = after, .limit = with.limit});
}

void begin(XmlAnswer& xml, Call& call, const ListParameters& with) {
  add(xml.root(), "Name", call.bucket);
  add(xml.root(), "Prefix", with.encoded(with.prefix));
}

}  // namespace

ListParameters::ListParameters(const Call& call, const char* limit_name) {
  prefix = call.query("prefix");
  delimiter = call.query("delimiter");
  encoding = call.query("encoding-type");
  if (!encoding.empty() && encoding != "url") {
    throw S3Error("InvalidArgument", 400, "Invalid Encoding Method specified in Request",
                  {{"ArgumentName", "encoding-type"}, {"ArgumentValue", encoding}});
  }
  for (const std::string* text : {&prefix, &delimiter}) {
    if (!base::valid_utf8(*text)) {
      throw S3Error(Reason::kInvalidArgument, "A prefix or delimiter is not UTF-8");
    }
  }
  if (!call.has(limit_name)) return;
  std::string text = call.query(limit_name);
  auto number = parse_number(text);
  if (!number || *number > INT32_MAX) {
    throw S3Error(
        "InvalidArgument", 400,
        fmt::format("Argument {} must be an integer between 0 and 2147483647", limit_name),
        {{"ArgumentName", limit_name}, {"ArgumentValue", text}});
  }
  limit = std::min<size_t>(*number, 1000);
}

std::string ListParameters::encoded(const std::string& text) const {
  return encoding.empty() ? text : encode_key(text);
}

void ListParameters::add_prefixes(pugi::xml_node root,
                                  const std::vector<std::string>& prefixes) const {
  for (const std::string& one : prefixes) {
    add(add(root, "CommonPrefixes"), "Prefix", encoded(one));
  }
}

void ListParameters::add_end(pugi::xml_node root, const char* limit_element, bool truncated) const {
  add(root, limit_element, limit);
  if (!delimiter.empty()) add(root, "Delimiter", encoded(delimiter));
  if (!encoding.empty()) add(root, "EncodingType", encoding);
  add_flag(root, "IsTruncated", truncated);
}

void list_objects(Call& call) {
  ListParameters with(call, "max-keys");
  std::string marker = call.query("marker");
  objects::Listing page = find(call, with, marker);
  XmlAnswer xml("ListBucketResult");
  begin(xml, call, with);
  add(xml.root(), "Marker", with.encoded(marker));
  if (page.truncated && !with.delimiter.empty()) {
    add(xml.root(), "NextMarker", with.encoded(page.next));
  }
  with.add_end(xml.root(), "MaxKeys", page.truncated);
  for (const auto& object : page.objects) add_contents(xml.root(), object, with, true);
  with.add_prefixes(xml.root(), page.common_prefixes);
  call.answer(xml);
}

void list_objects_v2(Call& call) {
  if (call.query("list-type") != "2") {
    list_objects(call);
    return;
  }
  ListParameters with(call, "max-keys");
  std::string after = call.query("start-after");
  if (call.has("continuation-token")) {
    auto token = read_token(call.query("continuation-token"));
    if (!token) {
      throw S3Error("InvalidArgument", 400, "The continuation token provided is incorrect",
                    {{"ArgumentName", "continuation-token"}});
    }
    after = *token;
  }
  objects::Listing page = find(call, with, after);
  XmlAnswer xml("ListBucketResult");
  begin(xml, call, with);
  if (call.has("continuation-token")) {
    add(xml.root(), "ContinuationToken", call.query("continuation-token"));
  }
  if (call.has("start-after")) {
    add(xml.root(), "StartAfter", with.encoded(call.query("start-after")));
  }
  add(xml.root(), "KeyCount", page.objects.size() + page.common_prefixes.size());
  if (page.truncated) add(xml.root(), "NextContinuationToken", make_token(page.next));
  with.add_end(xml.root(), "MaxKeys", page.truncated);
  bool owner = call.query("fetch-owner") == "true";
  for (const auto& object : page.objects) add_contents(xml.root(), object, with, owner);
  with.add_prefixes(xml.root(), page.common_prefixes);
  call.answer(xml);
}

void list_object_versions(Call& call) {
  ListParameters with(call, "max-keys");
  std::string key = call.query("key-marker"), version = call.query("version-id-marker");
  if (call.has("version-id-marker") && key.empty()) {
    throw S3Error("InvalidArgument", 400,
                  "A version-id marker cannot be specified without a key marker.",
                  {{"ArgumentName", "version-id-marker"}, {"ArgumentValue", version}});
  }
  objects::VersionListing page;
  if (with.limit > 0) {
    page = call.store().list_versions(call.bucket, {.prefix = with.prefix,
                                                    .delimiter = with.delimiter,
                                                    .key_marker = key,
                                                    .version_marker = version,
                                                    .limit = with.limit});
  }
  XmlAnswer xml("ListVersionsResult");
  begin(xml, call, with);
  add(xml.root(), "KeyMarker", with.encoded(key));
  add(xml.root(), "VersionIdMarker", version);
  if (page.truncated) {
    add(xml.root(), "NextKeyMarker", with.encoded(page.next_key));
    if (!page.next_version.empty()) add(xml.root(), "NextVersionIdMarker", page.next_version);
  }
  with.add_end(xml.root(), "MaxKeys", page.truncated);
  for (const auto& object : page.versions) add_version(xml.root(), object, with);
  with.add_prefixes(xml.root(), page.common_prefixes);
  call.answer(xml);
}

}  // namespace meesh::serve::s3
