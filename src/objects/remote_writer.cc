#include "objects/remote_writer.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "objects/remote_answers.h"

namespace meesh::objects {
namespace {

constexpr uint64_t kMiB = 1 << 20;

[[noreturn]] void bad_digest(std::string_view of) {
  throw ObjectError(Reason::kBadDigest,
                    fmt::format("The {} you specified did not match the calculated checksum.", of));
}

}  // namespace

RemoteDigests::RemoteDigests(const WriteOptions& options)
    : declared_(options.size), expected_md5_(options.md5), expected_(options.expected) {
  for (const auto& [kind, value] : expected_) running_[kind] = Checksum::start(kind);
}

void RemoteDigests::update(std::string_view bytes) {
  size_ += bytes.size();
  if (declared_ && size_ > *declared_) {
    throw ObjectError(Reason::kIncompleteBody, "There are more bytes than were declared.");
  }
  md5_.update(bytes);
  for (auto& [kind, running] : running_) running->update(bytes);
}

void RemoteDigests::expect(ChecksumKind kind, std::string value) {
  if (!running_.contains(kind)) internal_error("a checksum is expected that was not announced");
  expected_[kind] = std::move(value);
}

void RemoteDigests::finish() {
  if (declared_ && size_ != *declared_) {
    throw ObjectError(Reason::kIncompleteBody,
                      "You did not provide the number of bytes specified by the Content-Length "
                      "HTTP header");
  }
  md5_raw_ = md5_.raw();
  if (expected_md5_ && *expected_md5_ != md5_raw_) bad_digest("Content-MD5");
  for (auto& [kind, running] : running_) {
    computed_[kind] = base::to_base64(running->raw());
    const std::string& expected = expected_[kind];
    if (!expected.empty() && expected != computed_[kind]) bad_digest(checksum_name(kind));
  }
}

RemoteObjectWriter::RemoteObjectWriter(RemoteStore& store, std::string bucket, std::string key,
                                       Attributes attributes, const WriteOptions& options)
    : store_(store),
      bucket_(std::move(bucket)),
      key_(std::move(key)),
      attributes_(std::move(attributes)),
      options_(options),
      digests_(options) {}

RemoteObjectWriter::~RemoteObjectWriter() {
  if (upload_.empty()) return;
  part_.reset();
  try {
    store_.abort_upload(bucket_, key_, upload_);
  } catch (const std::exception& e) {
    log::warn("an upload to the remote S3 could not be aborted",
              {{"bucket", bucket_}, {"key", key_}, {"error", e.what()}});
  }
}

// Parts of a size that is enough for the whole; larger ones than kRemotePartBytes are streamed.
size_t RemoteObjectWriter::part_bytes() const {
  uint64_t needed = options_.size.value_or(0) / kRemoteMaxParts / kMiB * kMiB + kMiB;
  return static_cast<size_t>(std::max<uint64_t>(kRemotePartBytes, needed));
}

void RemoteObjectWriter::write(std::string_view bytes) {
  digests_.update(bytes);
  if (upload_.empty() && pending_.size() + bytes.size() <= kRemotePartBytes) {
    pending_ += bytes;
    return;
  }
  if (upload_.empty()) {
    WriteOptions options;
    options.encryption = options_.encryption;
    options.customer_key = options_.customer_key;
    upload_ = store_.start_upload(bucket_, key_, attributes_, std::nullopt, false, options).id;
  }
  std::string first = std::move(pending_);
  pending_.clear();
  for (std::string_view rest : {std::string_view(first), bytes}) {
    while (!rest.empty()) {
      uint64_t size = part_bytes();
      if (!part_) begin_part();
      auto take = static_cast<size_t>(std::min<uint64_t>(rest.size(), size - in_part_));
      part_->write(rest.substr(0, take));
      in_part_ += take;
      rest.remove_prefix(take);
      if (in_part_ == size) send_part();
    }
  }
}

void RemoteObjectWriter::begin_part() {
  if (parts_.size() == kRemoteMaxParts) {
    throw ObjectError(Reason::kEntityTooLarge,
                      "The size of an object that large must be told beforehand.");
  }
  WriteOptions options;
  options.encryption = options_.encryption;
  options.customer_key = options_.customer_key;
  if (options_.size) {
    uint64_t before = parts_.size() * part_bytes();
    options.size = std::min<uint64_t>(part_bytes(), *options_.size - before);
  }
  int number = static_cast<int>(parts_.size()) + 1;
  part_ = store_.put_part(bucket_, key_, upload_, number, options);
  in_part_ = 0;
}

void RemoteObjectWriter::send_part() {
  CompletedPart part;
  part.number = static_cast<int>(parts_.size()) + 1;
  part.etag = part_->commit({}).etag;
  parts_.push_back(std::move(part));
  part_.reset();
}

void RemoteObjectWriter::expect(ChecksumKind kind, std::string value) {
  digests_.expect(kind, std::move(value));
}

Object RemoteObjectWriter::commit(const WriteCondition& condition) {
  if (options_.size && digests_.size() != *options_.size) part_.reset();
  digests_.finish();
  Object done = upload_.empty() ? put_whole(condition) : complete(condition);
  done.attributes = attributes_;
  done.size = digests_.size();
  if (done.checksums.empty()) done.checksums = digests_.checksums();
  done.encryption = options_.encryption;
  if (upload_.empty() && parts_.empty()) store_.tell("s3:ObjectCreated:Put", bucket_, done);
  return done;
}

Object RemoteObjectWriter::put_whole(const WriteCondition& condition) {
  RemoteRequest request{.method = "PUT", .bucket = bucket_, .key = key_, .body = pending_};
  add_attribute_headers(attributes_, request.headers);
  add_encryption_headers(options_.encryption, options_.customer_key, request.headers);
  add_condition_headers(condition, request.headers);
  request.headers.set("Content-MD5", base::to_base64(digests_.md5()));
  // S3 takes one checksum with a PUT.
  if (!digests_.checksums().empty()) {
    const auto& [kind, value] = *digests_.checksums().begin();
    request.headers.set(std::string(checksum_header(kind)), value);
  }
  int attempts = 0;
  net::ClientResponse response = store_.connection().try_call(request, &attempts);
  bool lost_answer = response.status == 412 && attempts > 1;
  if (response.status >= 300 && !(lost_answer && is_ours())) {
    throw remote_error(response, false);
  }
  if (lost_answer) return store_.head(bucket_, key_, {.customer_key = options_.customer_key});
  Object done = object_of(key_, response.headers);
  done.modified = parse_http_date(header_of(response.headers, "Date")).value_or(Time{});
  done.composite = false;
  return done;
}

// A conditional PUT was repeated because its answer was lost: what is there may be what was put.
bool RemoteObjectWriter::is_ours() {
  try {
    Object there = store_.head(bucket_, key_, {.customer_key = options_.customer_key});
    return there.etag == base::to_hex(digests_.md5());
  } catch (const ObjectError&) {
    return false;
  }
}

Object RemoteObjectWriter::complete(const WriteCondition& condition) {
  if (part_) send_part();
  Object done = store_.complete_upload(bucket_, key_, upload_, parts_, {}, condition);
  upload_.clear();
  return done;
}

RemotePartWriter::RemotePartWriter(RemoteStore& store, std::string bucket, std::string key,
                                   std::string upload, int number, const WriteOptions& options)
    : store_(store),
      bucket_(std::move(bucket)),
      key_(std::move(key)),
      upload_(std::move(upload)),
      number_(number),
      options_(options),
      digests_(options) {}

RemoteRequest RemotePartWriter::request() const {
  RemoteRequest request{.method = "PUT",
                        .bucket = bucket_,
                        .key = key_,
                        .query = {{"partNumber", std::to_string(number_)}, {"uploadId", upload_}}};
  add_customer_key_headers(options_.customer_key, "x-amz-", request.headers);
  return request;
}

void RemotePartWriter::write(std::string_view bytes) {
  digests_.update(bytes);
  if (!options_.size || *options_.size <= kRemotePartBytes) {
    pending_ += bytes;
    if (pending_.size() > kRemotePartBytes) {
      throw ObjectError(Reason::kInvalidRequest,
                        "The size of a part that large must be told beforehand.");
    }
    return;
  }
  if (!streamed_) {
    RemoteRequest begun = request();
    // Values that were told beforehand are held against the bytes at the other side as well.
    for (const auto& [kind, value] : options_.expected) {
      if (value.empty()) continue;
      begun.headers.set(std::string(checksum_header(kind)), value);
      break;
    }
    if (options_.md5) begun.headers.set("Content-MD5", base::to_base64(*options_.md5));
    streamed_ = store_.connection().stream(begun, *options_.size);
  }
  streamed_->write(bytes);
}

void RemotePartWriter::expect(ChecksumKind kind, std::string value) {
  digests_.expect(kind, std::move(value));
}

Object RemotePartWriter::commit(const WriteCondition&) {
  digests_.finish();
  net::ClientResponse response;
  if (streamed_) {
    response = streamed_->finish();
    streamed_.reset();
  } else {
    RemoteRequest whole = request();
    whole.body = pending_;
    whole.headers.set("Content-MD5", base::to_base64(digests_.md5()));
    if (!digests_.checksums().empty()) {
      const auto& [kind, value] = *digests_.checksums().begin();
      whole.headers.set(std::string(checksum_header(kind)), value);
    }
    response = store_.connection().call(whole);
  }
  Object done = object_of(key_, response.headers);
  done.size = digests_.size();
  if (done.checksums.empty()) done.checksums = digests_.checksums();
  return done;
}

}  // namespace meesh::objects
