#include "net/head.h"
#include "serve/s3/acl.h"
#include "serve/s3/copy_source.h"
#include "serve/s3/expiration.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::ObjectError;
using objects::Reason;

constexpr size_t kBuffer = 256 << 10;
constexpr int kTries = 3;

enum class Directive { kCopy, kReplace };

Directive directive(const Call& call, const char* header) {
  std::string_view text = call.header(header);
  if (text.empty() || text == "COPY") return Directive::kCopy;
  if (text == "REPLACE") return Directive::kReplace;
  throw S3Error("InvalidArgument", 400, fmt::format("Unknown {}.", header),
                {{"ArgumentName", header}, {"ArgumentValue", std::string(text)}});
}

// What the copy keeps of its source and what the request says anew.
objects::Attributes copied_attributes(Call& call, const objects::Object& source, bool& changed) {
  objects::Attributes given = read_attributes(call);
  bool replaces = directive(call, "x-amz-metadata-directive") == Directive::kReplace;
  bool retags = directive(call, "x-amz-tagging-directive") == Directive::kReplace;
  objects::Attributes out = replaces ? given : source.attributes;
  out.tags = retags ? given.tags : source.attributes.tags;
  out.owner = given.owner;
  out.acl = given.acl;  // S3 never copies ACLs and locks
  out.retention = given.retention;
  out.legal_hold = given.legal_hold;
  out.storage_class = given.storage_class;
  changed = replaces || retags || given.storage_class != source.attributes.storage_class;
  return out;
}

void add_checksums(XmlAnswer& xml, const objects::Checksums& checksums, bool composite) {
  for (const auto& [kind, value] : checksums) {
    add(xml.root(), fmt::format("Checksum{}", objects::checksum_name(kind)).c_str(), value);
  }
  if (!checksums.empty()) add(xml.root(), "ChecksumType", checksum_type(composite));
}

objects::WriteOptions copy_options(Call& call) {
  objects::WriteOptions options;
  read_encryption(call, options);
  std::string_view algorithm = call.header("x-amz-checksum-algorithm");
  if (algorithm.empty()) return options;
  auto kind = objects::checksum_kind(algorithm);
  if (!kind) {
    throw S3Error(Reason::kInvalidRequest,
                  "Checksum algorithm provided is unsupported. Please try again with any of the "
                  "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  options.expected[*kind] = "";
  return options;
}

void set_source_version(const CopySource& source, const objects::Object& object,
                        net::Headers& headers) {
  if (source.info.versioning != objects::Versioning::kNever) {
    headers.set("x-amz-copy-source-version-id", object.version);
  }
}

void pour_slice(objects::Reader& reader, uint64_t offset, uint64_t size, objects::Writer& writer) {
  std::unique_ptr<char[]> buffer(new char[kBuffer]);
  for (uint64_t at = offset, end = offset + size; at < end;) {
    size_t got = reader.read(at, buffer.get(), std::min<uint64_t>(kBuffer, end - at));
    if (got == 0) throw Error(Code::kIoError, "an object is shorter than its size");
    writer.write({buffer.get(), got});
    at += got;
  }
}

// "bytes=a-b", both told and inside the object.
net::ByteRange copy_range(const Call& call, uint64_t size) {
  std::string_view text = call.header("x-amz-copy-source-range");
  auto bad = [&](const char* why) -> S3Error {
    return {"InvalidArgument",
            400,
            why,
            {{"ArgumentName", "x-amz-copy-source-range"}, {"ArgumentValue", std::string(text)}}};
  };
  net::ByteRange range;
  bool form = text.starts_with("bytes=") && text.find(',') == std::string_view::npos &&
              text.size() > 8 && text[6] != '-' && !text.ends_with('-');
  auto result = form ? net::parse_range(text, size, range) : net::RangeResult::kAll;
  if (result == net::RangeResult::kAll) {
    throw bad(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy");
  }
  auto last = parse_number(text.substr(text.find('-') + 1));
  if (result == net::RangeResult::kUnsatisfiable || !last || *last >= size) {
    throw S3Error(
        "InvalidRange", 416,
        "Range specified is not valid for source object of size: " + std::to_string(size));
  }
  return range;
}

}  // namespace

CopySource::CopySource(Call& call) {
  std::string_view text = call.header("x-amz-copy-source");
  // The key may hold "?", encoded: the version is what follows a plain one.
  size_t mark = text.find("?versionId=");
  auto path = net::percent_decode(text.substr(0, mark), false);
  if (mark != std::string_view::npos) version = text.substr(mark + 11);
  if (path && path->starts_with('/')) path->erase(0, 1);
  size_t slash = path ? path->find('/') : std::string::npos;
  if (slash == std::string::npos || slash == 0 || slash + 1 == path->size() ||
      (mark != std::string_view::npos && version.empty())) {
    throw S3Error("InvalidArgument", 400,
                  "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                  {{"ArgumentName", "x-amz-copy-source"}, {"ArgumentValue", std::string(text)}});
  }
  bucket = path->substr(0, slash);
  key = path->substr(slash + 1);
  options.version = version;
  options.customer_key = read_customer_key(call, "x-amz-copy-source-");
  open(call);
}

// Finds the source and asks whether the caller may read it; hides what it may not know of.
void CopySource::open(Call& call) {
  std::string resource = "arn:aws:s3:::" + bucket + "/" + key;
  std::string_view action = version.empty() ? "s3:GetObject" : "s3:GetObjectVersion";
  std::exception_ptr problem;
  Reason reason{};
  bool known = false;
  std::string acl = std::exchange(call.object_acl, "");
  try {
    info = call.store().bucket(bucket);
    known = true;
    object = call.store().head(bucket, key, options);
    call.object_acl = object.attributes.acl;
    call.add_existing_tags(object.attributes.tags);
  } catch (const ObjectError& e) {
    problem = std::current_exception();
    reason = e.reason();
  }
  const objects::Bucket nowhere{};
  const objects::Bucket* about = known ? &info : &nowhere;
  call.require(action, resource, about);
  call.object_acl = acl;
  if (known) call.require_owner("x-amz-source-expected-bucket-owner", info);
  if (!problem) return;
  bool of_key = reason == Reason::kNoSuchKey || reason == Reason::kNoSuchVersion;
  if (of_key) call.require("s3:ListBucket", "arn:aws:s3:::" + bucket, about);
  if (reason == Reason::kMethodNotAllowed) {
    throw S3Error(Reason::kInvalidRequest,
                  "The source of a copy request may not specifically refer to a delete marker by "
                  "version id.");
  }
  std::rethrow_exception(problem);
}

void check_copy_size(const Call& call, uint64_t size) {
  uint64_t most = call.service.options.max_upload_bytes;
  if (size <= most) return;
  throw S3Error(Reason::kInvalidRequest,
                fmt::format("The specified copy source is larger than the maximum allowable size "
                            "for a copy source: {}",
                            most));
}

void CopySource::check(const Call& call) {
  try {
    check_read_condition(object, read_read_condition(call, "x-amz-copy-source-"));
  } catch (const S3Error& e) {
    // A copy has no 304.
    if (e.status() != 304) throw;
    throw S3Error(Reason::kPreconditionFailed,
                  "At least one of the pre-conditions you specified did not hold");
  }
}

void copy_object(Call& call) {
  objects::check_key(call.key);
  objects::WriteCondition condition = read_write_condition(call);
  objects::WriteOptions options = copy_options(call);
  auto source = std::make_shared<CopySource>(call);
  source->check(call);
  check_copy_size(call, source->object.size);
  bool changed = false;
  objects::Attributes attributes = copied_attributes(call, source->object, changed);
  bool itself = source->bucket == call.bucket && source->key == call.key && source->version.empty();
  bool encrypts = call.request.headers.get("x-amz-server-side-encryption") ||
                  options.encryption == objects::Encryption::kCustomer;
  if (itself && !changed && !encrypts) {
    throw S3Error(
        Reason::kInvalidRequest,
        "This copy request is illegal because it is trying to copy an object to itself "
        "without changing the object's metadata, storage class, website redirect location "
        "or encryption attributes.");
  }
  check_write_condition(call, condition);
  answer_slowly(call, [&](net::Headers& headers) {
    objects::Object made;
    for (int tries = 1;; ++tries) {
      // The source may be replaced between looking at it and copying it.
      source->options.condition.if_match = source->object.etag;
      try {
        made = call.store().copy(source->bucket, source->key, source->options, call.bucket,
                                 call.key, attributes, options, condition);
        break;
      } catch (const ObjectError& e) {
        if (e.reason() != Reason::kPreconditionFailed || condition.if_match ||
            condition.if_none_match || tries == kTries) {
          throw;
        }
        source->options.condition = {};
        source->object = call.store().head(source->bucket, source->key, source->options);
        source->check(call);
        check_copy_size(call, source->object.size);
        attributes = copied_attributes(call, source->object, changed);
      }
    }
    set_source_version(*source, source->object, headers);
    set_version_header(call, made, headers);
    set_expiration_header(call, made, headers);
    set_encryption_headers(made.encryption, made.customer_key_md5, headers);
    XmlAnswer xml("CopyObjectResult");
    add(xml.root(), "LastModified", iso_time(made.modified));
    add(xml.root(), "ETag", quoted_etag(made.etag));
    add_checksums(xml, made.checksums, made.composite);
    return xml;
  });
}

void upload_part_copy(Call& call) {
  int number = part_number(call);
  CopySource source(call);
  source.check(call);
  auto reader = call.store().get(source.bucket, source.key, source.options);
  uint64_t offset = 0, size = reader->object().size;
  if (call.request.headers.get("x-amz-copy-source-range")) {
    net::ByteRange range = copy_range(call, size);
    offset = range.first;
    size = range.last - range.first + 1;
  }
  check_copy_size(call, size);
  objects::WriteOptions options;
  options.size = size;
  options.customer_key = read_customer_key(call);
  if (!options.customer_key.empty()) options.encryption = objects::Encryption::kCustomer;
  auto writer =
      call.store().put_part(call.bucket, call.key, call.query("uploadId"), number, options);
  answer_slowly(call, [&](net::Headers& headers) {
    pour_slice(*reader, offset, size, *writer);
    objects::Object made = writer->commit({});
    set_source_version(source, reader->object(), headers);
    set_encryption_headers(made.encryption, made.customer_key_md5, headers);
    XmlAnswer xml("CopyPartResult");
    add(xml.root(), "LastModified", iso_time(made.modified));
    add(xml.root(), "ETag", quoted_etag(made.etag));
    add_checksums(xml, made.checksums, made.composite);
    return xml;
  });
}

}  // namespace meesh::serve::s3
