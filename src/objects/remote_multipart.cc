// Multipart uploads at another S3.
#include <fmt/format.h>

#include "objects/remote_answers.h"
#include "objects/remote_store.h"
#include "objects/remote_writer.h"

namespace meesh::objects {
Upload RemoteStore::start_upload(const std::string& bucket, const std::string& key,
                                 Attributes attributes, std::optional<ChecksumKind> checksum,
                                 bool composite, const WriteOptions& options) {
  check_key(key);
  RemoteRequest request{.method = "POST", .bucket = bucket, .key = key, .query = {{"uploads", ""}}};
  add_attribute_headers(attributes, request.headers);
  add_encryption_headers(options.encryption, options.customer_key, request.headers);
  if (checksum) {
    request.headers.add("x-amz-checksum-algorithm", std::string(checksum_name(*checksum)));
    request.headers.add("x-amz-checksum-type", composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  RemoteDocument answer(connection_.call(request));
  Upload out;
  out.id = text_of(answer.root(), "UploadId");
  if (out.id.empty()) {
    throw ObjectError(Reason::kInternalError, "The S3 behind this one names no upload.");
  }
  out.key = key;
  out.started = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  out.attributes = std::move(attributes);
  out.checksum = checksum;
  out.composite = composite;
  out.encryption = options.encryption;
  return out;
}

std::unique_ptr<Writer> RemoteStore::put_part(const std::string& bucket, const std::string& key,
                                              const std::string& upload, int number,
                                              const WriteOptions& options) {
  check_key(key);
  if (number < 1 || number > kRemoteMaxParts) {
    throw ObjectError(Reason::kInvalidArgument,
                      "Part number must be an integer between 1 and 10000, inclusive");
  }
  return std::make_unique<RemotePartWriter>(*this, bucket, key, upload, number, options);
}

Object RemoteStore::complete_upload(const std::string& bucket, const std::string& key,
                                    const std::string& upload,
                                    const std::vector<CompletedPart>& parts,
                                    const Checksums& expected, const WriteCondition& condition) {
  RemoteXml xml("CompleteMultipartUpload");
  for (const CompletedPart& part : parts) {
    pugi::xml_node node = xml.root().append_child("Part");
    add_text(node, "PartNumber", std::to_string(part.number));
    add_text(node, "ETag", "\"" + part.etag + "\"");
    for (const auto& [kind, value] : part.checksums) {
      add_text(node, fmt::format("Checksum{}", checksum_name(kind)).c_str(), value);
    }
  }
  std::string body = xml.text();
  RemoteRequest request{.method = "POST",
                        .bucket = bucket,
                        .key = key,
                        .query = {{"uploadId", upload}},
                        .body = body};
  request.headers.add("Content-Type", "application/xml");
  for (const auto& [kind, value] : expected) {
    request.headers.add(std::string(checksum_header(kind)), value);
  }
  add_condition_headers(condition, request.headers);
  net::ClientResponse response = connection_.call(request);
  RemoteDocument answer(response);
  Object done = object_of(key, response.headers);
  done.etag = etag_of(text_of(answer.root(), "ETag"));
  done.size = 0;
  done.attributes = {};
  for (ChecksumKind kind : kChecksumKinds) {
    std::string name = fmt::format("Checksum{}", checksum_name(kind));
    if (auto value = text_of(answer.root(), name.c_str()); !value.empty()) {
      done.checksums[kind] = value;
    }
  }
  done.composite = text_of(answer.root(), "ChecksumType") == "COMPOSITE";
  done.modified = parse_http_date(header_of(response.headers, "Date")).value_or(Time{});
  tell("s3:ObjectCreated:CompleteMultipartUpload", bucket, done);
  return done;
}

void RemoteStore::abort_upload(const std::string& bucket, const std::string& key,
                               const std::string& upload) {
  connection_.call(
      {.method = "DELETE", .bucket = bucket, .key = key, .query = {{"uploadId", upload}}});
}

Upload RemoteStore::upload(const std::string& bucket, const std::string& key,
                           const std::string& upload) {
  net::ClientResponse response =
      connection_.call({.method = "GET",
                        .bucket = bucket,
                        .key = key,
                        .query = {{"uploadId", upload}, {"max-parts", "1"}}});
  RemoteDocument answer(response);
  Upload out;
  out.id = upload;
  out.key = key;
  out.attributes.owner = text_of(answer.root().child("Owner"), "ID");
  if (auto value = text_of(answer.root(), "StorageClass"); !value.empty()) {
    out.attributes.storage_class = value;
  }
  out.checksum = checksum_kind(text_of(answer.root(), "ChecksumAlgorithm"));
  out.composite = text_of(answer.root(), "ChecksumType") != "FULL_OBJECT";
  return out;
}

std::vector<Part> RemoteStore::parts(const std::string& bucket, const std::string& key,
                                     const std::string& upload, int after, size_t limit) {
  std::vector<Part> out;
  // S3 tells at most 1,000 at once.
  while (out.size() < limit) {
    RemoteDocument answer(connection_.call(
        {.method = "GET",
         .bucket = bucket,
         .key = key,
         .query = {{"uploadId", upload},
                   {"part-number-marker", std::to_string(after)},
                   {"max-parts", std::to_string(std::min<size_t>(limit - out.size(), 1000))}}}));
    for (pugi::xml_node node : answer.root().children("Part")) {
      Part part;
      part.number = static_cast<int>(number_of(node, "PartNumber"));
      part.size = number_of(node, "Size");
      part.etag = etag_of(text_of(node, "ETag"));
      part.modified = time_of(node, "LastModified");
      for (ChecksumKind kind : kChecksumKinds) {
        std::string name = fmt::format("Checksum{}", checksum_name(kind));
        if (auto value = text_of(node, name.c_str()); !value.empty()) part.checksums[kind] = value;
      }
      if (part.number <= after) {
        throw ObjectError(Reason::kInternalError, "The S3 behind this one tells a part twice.");
      }
      after = part.number;
      out.push_back(std::move(part));
    }
    if (!flag_of(answer.root(), "IsTruncated")) break;
  }
  return out;
}

UploadListing RemoteStore::list_uploads(const std::string& bucket,
                                        const UploadListOptions& options) {
  RemoteRequest request{.method = "GET",
                        .bucket = bucket,
                        .query = {{"uploads", ""},
                                  {"encoding-type", "url"},
                                  {"max-uploads", std::to_string(options.limit)}}};
  for (const auto& [name, value] :
       {std::pair{"prefix", &options.prefix}, std::pair{"delimiter", &options.delimiter},
        std::pair{"key-marker", &options.key_marker},
        std::pair{"upload-id-marker", &options.id_marker}}) {
    if (!value->empty()) request.query.emplace_back(name, *value);
  }
  RemoteDocument answer(connection_.call(request));
  UploadListing out;
  for (pugi::xml_node node : answer.root().children("Upload")) {
    Upload upload;
    upload.key = key_of(node, "Key");
    upload.id = text_of(node, "UploadId");
    upload.started = time_of(node, "Initiated");
    upload.attributes.owner = text_of(node.child("Owner"), "ID");
    upload.checksum = checksum_kind(text_of(node, "ChecksumAlgorithm"));
    upload.composite = text_of(node, "ChecksumType") != "FULL_OBJECT";
    out.uploads.push_back(std::move(upload));
  }
  for (pugi::xml_node node : answer.root().children("CommonPrefixes")) {
    out.common_prefixes.push_back(key_of(node, "Prefix"));
  }
  out.truncated = flag_of(answer.root(), "IsTruncated");
  out.next_key = key_of(answer.root(), "NextKeyMarker");
  out.next_id = text_of(answer.root(), "NextUploadIdMarker");
  return out;
}

}  // namespace meesh::objects
