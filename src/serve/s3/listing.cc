#include "base/text.h"
#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/list_parameters.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

void add_checksums(XmlRows& rows, const objects::Object& object) {
  if (object.checksums.empty()) return;
  for (const auto& [kind, value] : object.checksums) {
    rows.add("ChecksumAlgorithm", objects::checksum_name(kind));
  }
  rows.add("ChecksumType", checksum_type(object.composite));
}

// <Owner>, made once for all rows of the same.
class Owners {
 public:
  void add(XmlRows& rows, const std::string& name) {
    if (id_.empty() || name != name_) {
      name_ = name;
      id_ = owner_id(name);
    }
    rows.open("Owner");
    rows.add("ID", id_);
    rows.add("DisplayName", name);
    rows.close("Owner");
  }

 private:
  std::string name_, id_;
};

void add_objects(XmlRows& rows, const std::vector<objects::Object>& objects,
                 const ListParameters& with, bool owner) {
  Owners owners;
  rows.expect(objects.size());
  for (const objects::Object& object : objects) {
    rows.open("Contents");
    rows.add("Key", with.encoded(object.key));
    rows.add("LastModified", iso_time(object.modified));
    rows.add("ETag", quoted_etag(object.etag));
    add_checksums(rows, object);
    rows.add("Size", object.size);
    rows.add("StorageClass", object.attributes.storage_class);
    if (owner) owners.add(rows, object.attributes.owner);
    rows.close("Contents");
  }
}

void add_versions(XmlRows& rows, const std::vector<objects::Object>& versions,
                  const ListParameters& with) {
  Owners owners;
  for (const objects::Object& object : versions) {
    const char* element = object.delete_marker ? "DeleteMarker" : "Version";
    rows.open(element);
    rows.add("Key", with.encoded(object.key));
    rows.add("VersionId", object.version);
    rows.add("IsLatest", object.latest ? "true" : "false");
    rows.add("LastModified", iso_time(object.modified));
    if (!object.delete_marker) {
      rows.add("ETag", quoted_etag(object.etag));
      add_checksums(rows, object);
      rows.add("Size", object.size);
      rows.add("StorageClass", object.attributes.storage_class);
    }
    owners.add(rows, object.attributes.owner);
    rows.close(element);
  }
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

void ListParameters::add_prefixes(XmlRows& rows, const std::vector<std::string>& prefixes) const {
  for (const std::string& one : prefixes) {
    rows.open("CommonPrefixes");
    rows.add("Prefix", encoded(one));
    rows.close("CommonPrefixes");
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
  add_objects(xml.rows(), page.objects, with, true);
  with.add_prefixes(xml.rows(), page.common_prefixes);
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
  add_objects(xml.rows(), page.objects, with, owner);
  with.add_prefixes(xml.rows(), page.common_prefixes);
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
  add_versions(xml.rows(), page.versions, with);
  with.add_prefixes(xml.rows(), page.common_prefixes);
  call.answer(xml);
}

}  // namespace meesh::serve::s3
