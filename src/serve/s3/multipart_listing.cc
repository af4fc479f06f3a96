#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/list_parameters.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

uint64_t number_parameter(const Call& call, const char* name, uint64_t otherwise) {
  if (!call.has(name)) return otherwise;
  auto number = parse_number(call.query(name));
  if (!number || *number > INT32_MAX) {
    throw S3Error("InvalidArgument", 400,
                  fmt::format("Argument {} must be an integer between 0 and 2147483647", name),
                  {{"ArgumentName", name}, {"ArgumentValue", call.query(name)}});
  }
  return *number;
}

void add_part(pugi::xml_node root, const objects::Part& part) {
  pugi::xml_node node = add(root, "Part");
  add(node, "PartNumber", static_cast<uint64_t>(part.number));
  add(node, "LastModified", iso_time(part.modified));
  add(node, "ETag", quoted_etag(part.etag));
  add(node, "Size", part.size);
  for (const auto& [kind, value] : part.checksums) {
    add(node, fmt::format("Checksum{}", objects::checksum_name(kind)).c_str(), value);
  }
}

void add_upload(pugi::xml_node root, const objects::Upload& upload, const ListParameters& with) {
  pugi::xml_node node = add(root, "Upload");
  add(node, "Key", with.encoded(upload.key));
  add(node, "UploadId", upload.id);
  add_owner(node, "Initiator", upload.attributes.owner);
  add_owner(node, "Owner", upload.attributes.owner);
  add(node, "StorageClass", upload.attributes.storage_class);
  add(node, "Initiated", iso_time(upload.started));
  if (upload.checksum) {
    add(node, "ChecksumAlgorithm", objects::checksum_name(*upload.checksum));
    add(node, "ChecksumType", checksum_type(upload.composite));
  }
}

}  // namespace

void list_parts(Call& call) {
  uint64_t after = number_parameter(call, "part-number-marker", 0);
  size_t limit = std::min<uint64_t>(number_parameter(call, "max-parts", 1000), 1000);
  std::string id = call.query("uploadId");
  objects::Upload upload = call.store().upload(call.bucket, call.key, id);
  auto parts = call.store().parts(call.bucket, call.key, id,
                                  static_cast<int>(std::min<uint64_t>(after, 10000)), limit + 1);
  bool more = limit > 0 && parts.size() > limit;
  if (parts.size() > limit) parts.resize(limit);
  set_encryption_headers(upload.encryption, upload.customer_key_md5, call.response.headers);
  XmlAnswer xml("ListPartsResult");
  add(xml.root(), "Bucket", call.bucket);
  add(xml.root(), "Key", call.key);
  add(xml.root(), "UploadId", id);
  add(xml.root(), "PartNumberMarker", after);
  if (!parts.empty()) {
    add(xml.root(), "NextPartNumberMarker", static_cast<uint64_t>(parts.back().number));
  }
  add(xml.root(), "MaxParts", limit);
  add_flag(xml.root(), "IsTruncated", more);
  for (const auto& part : parts) add_part(xml.root(), part);
  add_owner(xml.root(), "Initiator", upload.attributes.owner);
  add_owner(xml.root(), "Owner", upload.attributes.owner);
  add(xml.root(), "StorageClass", upload.attributes.storage_class);
  if (upload.checksum) {
    add(xml.root(), "ChecksumAlgorithm", objects::checksum_name(*upload.checksum));
    add(xml.root(), "ChecksumType", checksum_type(upload.composite));
  }
  call.answer(xml);
}

void list_uploads(Call& call) {
  ListParameters with(call, "max-uploads");
  std::string key = call.query("key-marker"), id = call.query("upload-id-marker");
  if (key.empty()) id.clear();  // S3 ignores it then
  objects::UploadListing page;
  if (with.limit > 0) {
    page = call.store().list_uploads(call.bucket, {.prefix = with.prefix,
                                                   .delimiter = with.delimiter,
                                                   .key_marker = key,
                                                   .id_marker = id,
                                                   .limit = with.limit});
  }
  XmlAnswer xml("ListMultipartUploadsResult");
  add(xml.root(), "Bucket", call.bucket);
  add(xml.root(), "KeyMarker", with.encoded(key));
  add(xml.root(), "UploadIdMarker", id);
  if (page.truncated) {
    add(xml.root(), "NextKeyMarker", with.encoded(page.next_key));
    add(xml.root(), "NextUploadIdMarker", page.next_id);
  }
  add(xml.root(), "Prefix", with.encoded(with.prefix));
  with.add_end(xml.root(), "MaxUploads", page.truncated);
  for (const auto& upload : page.uploads) add_upload(xml.root(), upload, with);
  with.add_prefixes(xml.rows(), page.common_prefixes);
  call.answer(xml);
}

}  // namespace meesh::serve::s3
