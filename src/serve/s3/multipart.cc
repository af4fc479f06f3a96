#include <set>

#include "serve/s3/copy_source.h"
#include "serve/s3/expiration.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/upload.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::ChecksumKind;
using objects::Reason;

constexpr int kMostParts = 10000;
constexpr size_t kMostXml = 4 << 20;  // 10,000 parts with their checksums

struct Checks {
  ChecksumKind kind;
  bool composite;
};

// Nothing without an algorithm: the store then keeps what S3 keeps, a CRC64NVME of the whole object
// ("Checking object integrity", API reference of UploadPart and ObjectPart). Parts may bring other
// checksums all the same, which S3 refuses: older SDKs send them unasked.
std::optional<Checks> wanted_checksum(const Call& call) {
  std::string_view algorithm = call.header("x-amz-checksum-algorithm");
  std::string_view type = call.header("x-amz-checksum-type");
  if (algorithm.empty()) {
    if (type.empty()) return std::nullopt;
    throw S3Error(Reason::kInvalidRequest,
                  "The x-amz-checksum-type header can only be used with the "
                  "x-amz-checksum-algorithm header.");
  }
  auto kind = objects::checksum_kind(algorithm);
  if (!kind) {
    throw S3Error(Reason::kInvalidRequest,
                  "Checksum algorithm provided is unsupported. Please try again with any of the "
                  "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  Checks out{*kind, *kind != ChecksumKind::kCrc64Nvme};
  if (type == "COMPOSITE" && *kind == ChecksumKind::kCrc64Nvme) {
    throw S3Error(Reason::kInvalidRequest,
                  "The COMPOSITE checksum type cannot be used with the crc64nvme checksum "
                  "algorithm.");
  }
  if (type == "FULL_OBJECT") {
    if (!objects::has_full_object_form(*kind)) {
      throw S3Error(Reason::kInvalidRequest,
                    fmt::format("The FULL_OBJECT checksum type cannot be used with the {} checksum "
                                "algorithm.",
                                objects::checksum_name(*kind)));
    }
    out.composite = false;
  } else if (!type.empty() && type != "COMPOSITE") {
    throw S3Error(Reason::kInvalidRequest, "Value for x-amz-checksum-type header is invalid.");
  }
  return out;
}

objects::CompletedPart read_part(pugi::xml_node node) {
  only_children(node, {"PartNumber", "ETag", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME",
                       "ChecksumSHA1", "ChecksumSHA256", "Size"});
  objects::CompletedPart part;
  auto number = child_number(node, "PartNumber");
  if (!number || *number < 1 || *number > kMostParts) {
    throw S3Error(Reason::kInvalidArgument,
                  "PartNumber must be an integer between 1 and 10000, inclusive");
  }
  part.number = static_cast<int>(*number);
  part.etag = plain_etag(needed_text(node, "ETag"));
  for (auto kind : objects::kChecksumKinds) {
    auto name = fmt::format("Checksum{}", objects::checksum_name(kind));
    if (auto value = child_text(node, name.c_str())) part.checksums[kind] = *value;
  }
  return part;
}

// The largest object there may be, and x-amz-mp-object-size, held against the parts there are.
void check_total_size(Call& call, const std::vector<objects::CompletedPart>& parts) {
  const Options& limits = call.service.options;
  auto header = call.request.headers.get("x-amz-mp-object-size");
  bool perhaps_too_large = parts.size() > limits.max_object_bytes / limits.max_upload_bytes;
  if (!header && !perhaps_too_large) return;
  auto told = header ? parse_number(*header) : std::nullopt;
  if (header && !told) {
    throw S3Error(Reason::kInvalidRequest, "Value for x-amz-mp-object-size header is invalid.");
  }
  std::set<int> numbers;
  for (const auto& part : parts) numbers.insert(part.number);
  uint64_t total = 0;
  try {
    for (const auto& part :
         call.store().parts(call.bucket, call.key, call.query("uploadId"), 0, kMostParts)) {
      if (numbers.contains(part.number)) total += part.size;
    }
  } catch (const objects::ObjectError& e) {
    if (e.reason() == Reason::kNoSuchUpload) return;  // completed before, perhaps: the store knows
    throw;
  }
  if (total > limits.max_object_bytes) {
    throw S3Error("EntityTooLarge", 400,
                  "Your proposed upload exceeds the maximum allowed object size.",
                  {{"ProposedSize", std::to_string(total)},
                   {"MaxSizeAllowed", std::to_string(limits.max_object_bytes)}});
  }
  if (told && total != *told) {
    throw S3Error(Reason::kInvalidRequest,
                  fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match "
                              "what was computed: {}",
                              *told, total));
  }
}

std::string location(const Call& call) {
  return fmt::format("{}://{}{}", call.request.tls ? "https" : "http", call.header("Host"),
                     call.request.target.substr(0, call.request.target.find('?')));
}

}  // namespace

std::vector<objects::CompletedPart> parse_completed_parts(std::string_view text) {
  XmlRequest xml(text, "CompleteMultipartUpload");
  only_children(xml.root(), {"Part"});
  std::vector<objects::CompletedPart> parts;
  for (pugi::xml_node node : xml.root().children("Part")) {
    if (parts.size() == kMostParts) malformed_xml("more than 10000 parts");
    parts.push_back(read_part(node));
    if (parts.size() > 1 && parts[parts.size() - 2].number >= parts.back().number) {
      throw S3Error(Reason::kInvalidPartOrder,
                    "The list of parts was not in ascending order. The parts list must be "
                    "specified in order by part number.");
    }
  }
  if (parts.empty()) malformed_xml("no parts");
  return parts;
}

int part_number(const Call& call) {
  auto number = parse_number(call.query("partNumber"));
  if (!number || *number < 1 || *number > kMostParts) {
    throw S3Error("InvalidArgument", 400,
                  "Part number must be an integer between 1 and 10000, inclusive",
                  {{"ArgumentName", "partNumber"}, {"ArgumentValue", call.query("partNumber")}});
  }
  return static_cast<int>(*number);
}

void create_upload(Call& call) {
  objects::check_key(call.key);
  std::optional<Checks> checks = wanted_checksum(call);
  objects::Attributes attributes = read_attributes(call);
  objects::WriteOptions options;
  read_encryption(call, options);
  call.skip_body();
  objects::Upload upload = call.store().start_upload(
      call.bucket, call.key, std::move(attributes),
      checks ? std::optional(checks->kind) : std::nullopt, checks && checks->composite, options);
  if (checks) {
    call.set("x-amz-checksum-algorithm", std::string(objects::checksum_name(checks->kind)));
    call.set("x-amz-checksum-type", std::string(checksum_type(checks->composite)));
  }
  set_encryption_headers(upload.encryption, upload.customer_key_md5, call.response.headers);
  XmlAnswer xml("InitiateMultipartUploadResult");
  add(xml.root(), "Bucket", call.bucket);
  add(xml.root(), "Key", call.key);
  add(xml.root(), "UploadId", upload.id);
  call.answer(xml);
}

void upload_part(Call& call) {
  int number = part_number(call);
  objects::WriteOptions options;
  options.size = call.who.body->length();
  check_size(call, options.size);
  read_digests(call, options);
  options.customer_key = read_customer_key(call);
  if (!options.customer_key.empty()) options.encryption = objects::Encryption::kCustomer;
  auto writer =
      call.store().put_part(call.bucket, call.key, call.query("uploadId"), number, options);
  pour(call, *writer);
  objects::Object made = writer->commit({});
  call.set("ETag", quoted_etag(made.etag));
  set_encryption_headers(made.encryption, made.customer_key_md5, call.response.headers);
  for (const auto& [kind, value] : made.checksums) {
    call.set(std::string(objects::checksum_header(kind)), value);
  }
  call.answer(200);
}

void complete_upload(Call& call) {
  objects::WriteCondition condition = read_write_condition(call);
  objects::Checksums expected = read_checksum_values(call);
  // These headers are of the object, not of this document.
  for (const auto& [kind, value] : expected) {
    call.request.headers.remove(objects::checksum_header(kind));
  }
  std::vector<objects::CompletedPart> parts = parse_completed_parts(call.body(kMostXml));
  check_total_size(call, parts);
  check_write_condition(call, condition);
  answer_slowly(call, [&](net::Headers& headers) {
    objects::Object made = call.store().complete_upload(
        call.bucket, call.key, call.query("uploadId"), parts, expected, condition);
    set_version_header(call, made, headers);
    set_expiration_header(call, made, headers);
    set_encryption_headers(made.encryption, made.customer_key_md5, headers);
    XmlAnswer xml("CompleteMultipartUploadResult");
    add(xml.root(), "Location", location(call));
    add(xml.root(), "Bucket", call.bucket);
    add(xml.root(), "Key", call.key);
    add(xml.root(), "ETag", quoted_etag(made.etag));
    for (const auto& [kind, value] : made.checksums) {
      add(xml.root(), fmt::format("Checksum{}", objects::checksum_name(kind)).c_str(), value);
    }
    if (!made.checksums.empty()) add(xml.root(), "ChecksumType", checksum_type(made.composite));
    return xml;
  });
}

void abort_upload(Call& call) {
  call.store().abort_upload(call.bucket, call.key, call.query("uploadId"));
  call.answer(204);
}

}  // namespace meesh::serve::s3
