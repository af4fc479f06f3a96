// Multipart uploads. Parts are payload files; completing makes an object that refers to them in
// order and writes nothing of their content again.
#include "objects/local/multipart.h"

#include <fmt/format.h>

#include "base/error.h"
#include "objects/crash_points.h"
#include "objects/index/rows.h"
#include "objects/local/local_store.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using sqlite::Bytes;
using sqlite::Connection;
using sqlite::Query;

constexpr int kMostParts = 10'000;

[[noreturn]] void no_such_upload() {
  throw ObjectError(Reason::kNoSuchUpload,
                    "The specified upload does not exist. The upload ID may be invalid, or the "
                    "upload may have been aborted or completed.");
}

UploadRow find_upload(Connection& db, int64_t bucket, const std::string& key,
                      const std::string& id) {
  const auto seq = seq_of_id(id);
  if (!seq) no_such_upload();
  Query query(db, "SELECT id, record FROM uploads WHERE bucket = ? AND key = ? AND seq = ?", bucket,
              Bytes(key), *seq);
  if (!query.next() || query.bytes(0) != id) no_such_upload();
  UploadRow row;
  row.seq = *seq;
  row.upload.id = id;
  row.upload.key = key;
  decode_upload(query.bytes(1), row);
  return row;
}

void check_part_number(int number) {
  if (number < 1 || number > kMostParts) {
    throw ObjectError(Reason::kInvalidArgument,
                      "Part number must be an integer between 1 and 10000, inclusive");
  }
}

/// A part that is there already gives way.
void replace_part(Connection& db, uint64_t upload, const PartRow& row) {
  {
    Query query(db, "SELECT record FROM parts WHERE upload = ? AND number = ?", upload,
                row.part.number);
    if (query.next()) rows::unlink(db, decode_part(query.bytes(0)).piece.payload);
  }
  db.run("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", upload, row.part.number,
         Bytes(encode_part(row)));
  rows::link(db, row.piece.payload);
}

class PartWriter final : public Writer {
 public:
  PartWriter(Core& core, std::string bucket, UploadRow upload, int number,
             const WriteOptions& options)
      : core_(core), bucket_(std::move(bucket)), upload_(std::move(upload)) {
    row_.part.number = number;
    const Encryption encryption = upload_.upload.encryption;
    if (encryption == Encryption::kCustomer || !options.customer_key.empty()) {
      core.open_key(encryption, upload_.check, options.customer_key);
    }
    Checksums expected = options.expected;
    if (upload_.upload.checksum) expected.try_emplace(*upload_.upload.checksum);
    const DataKey data_key = core.new_key(encryption, options.customer_key);
    content_.emplace(core.files, ContentOptions{.may_be_inline = false,
                                                .declared_size = options.size,
                                                .expected = std::move(expected),
                                                .md5 = options.md5,
                                                .data_key = data_key.key,
                                                .wrapped_key = data_key.wrapped});
  }

  void write(std::string_view bytes) override { content_->write(bytes); }
  void expect(ChecksumKind kind, std::string value) override {
    content_->expect(kind, std::move(value));
  }

  Object commit(const WriteCondition&) override {
    if (committed_) internal_error("a writer commits once");
    committed_ = true;
    row_.part.modified = now();
    const Content content = content_->finish([&](const Content& known) { return describe(known); });
    row_.piece = content.piece;
    crash_point("part.before_index");
    core_.index.change([&](Connection& db) {
      const auto bucket = core_.buckets.get(bucket_);
      find_upload(db, bucket->id, upload_.upload.key, upload_.upload.id);
      if (bucket->bucket.quota != 0 &&
          rows::usage(db, bucket->id).bytes + row_.part.size > bucket->bucket.quota) {
        throw ObjectError(Reason::kQuotaExceeded, "The quota of the bucket is exceeded.");
      }
      replace_part(db, upload_.seq, row_);
    });
    content.file->keep();
    return as_object();
  }

 private:
  Object as_object() const {
    Object object;
    object.key = upload_.upload.key;
    object.size = row_.part.size;
    object.etag = row_.part.etag;
    object.checksums = row_.part.checksums;
    object.modified = row_.part.modified;
    object.encryption = upload_.upload.encryption;
    return object;
  }
  PayloadDescription describe(const Content& content) {
    row_.part.size = content.size;
    row_.part.etag = content.etag;
    row_.part.checksums = content.checksums;
    PayloadDescription description;
    description.kind = PayloadKind::kPart;
    description.payload = content.piece.payload;
    description.bucket = bucket_;
    description.object = as_object();
    description.stored = content.piece.stored;
    description.data_key = content.piece.key;
    description.upload = upload_.upload.id;
    description.part_number = row_.part.number;
    return description;
  }

  Core& core_;
  const std::string bucket_;
  const UploadRow upload_;
  PartRow row_;
  std::optional<ContentWriter> content_;
  bool committed_ = false;
};

/// What was asked, so that the same question gets the same answer.
std::string fingerprint(const std::vector<CompletedPart>& parts) {
  Md5 md5;
  for (const CompletedPart& part : parts)
    md5.update(fmt::format("{} {}\n", part.number, part.etag));
  return md5.raw();
}

std::optional<Object> earlier_answer(Connection& db, int64_t bucket, const std::string& key,
                                     const std::string& id,
                                     const std::vector<CompletedPart>& parts) {
  const auto seq = seq_of_id(id);
  if (!seq) return std::nullopt;
  Query query(db, "SELECT id, bucket, key, asked, seq, record FROM completed WHERE upload = ?",
              *seq);
  if (!query.next() || query.bytes(0) != id || query.number(1) != bucket || query.bytes(2) != key ||
      query.bytes(3) != fingerprint(parts)) {
    return std::nullopt;
  }
  Row row;
  row.seq = static_cast<uint64_t>(query.number(4));
  row.object.key = key;
  const std::string_view record = query.bytes(5);
  // Its first byte tells whether it became a null version, the next eight its size.
  row.flags = static_cast<uint8_t>(record.at(0));
  std::memcpy(&row.object.size, record.data() + 1, sizeof row.object.size);
  decode_record(record.substr(1 + sizeof row.object.size), row);
  return row.object;
}

void remember_answer(Connection& db, int64_t bucket, const UploadRow& upload, const Row& row,
                     const std::vector<CompletedPart>& parts, Time time) {
  std::string record(1, static_cast<char>(row.flags));
  record.append(reinterpret_cast<const char*>(&row.object.size), sizeof row.object.size);
  record += encode_record(row);
  db.run("INSERT INTO completed VALUES (?, ?, ?, ?, ?, ?, ?, ?)", upload.seq, upload.upload.id,
         bucket, Bytes(row.object.key), Bytes(fingerprint(parts)), row.seq,
         time.time_since_epoch().count(), Bytes(record));
}

std::map<int, PartRow> all_parts(Connection& db, uint64_t upload) {
  std::map<int, PartRow> found;
  for (Query query(db, "SELECT number, record FROM parts WHERE upload = ?", upload);
       query.next();) {
    found.emplace(static_cast<int>(query.number(0)), decode_part(query.bytes(1)));
  }
  return found;
}

/// Removes the upload; parts in `kept` stay, now being the object's.
void forget_upload(Connection& db, int64_t bucket, const UploadRow& upload,
                   const std::map<int, PartRow>& parts) {
  for (const auto& [number, row] : parts) rows::unlink(db, row.piece.payload);
  db.run("DELETE FROM parts WHERE upload = ?", upload.seq);
  db.run("DELETE FROM uploads WHERE bucket = ? AND key = ? AND seq = ?", bucket,
         Bytes(upload.upload.key), upload.seq);
}

/// One attempt to complete: what was read, what comes of it.
struct Completion {
  UploadRow upload;
  std::map<int, PartRow> found;
  Row row;
};

std::optional<Object> read_completion(Core& core, const std::string& bucket, const std::string& key,
                                      const std::string& id,
                                      const std::vector<CompletedPart>& parts,
                                      Completion& completion) {
  const auto entry = core.buckets.get(bucket);
  Index::Reading reading = core.index.read();
  // Both look-ups see one state: the upload goes in the transaction that brings the answer.
  reading.db().run("BEGIN");
  std::optional<Object> answer;
  try {
    answer = earlier_answer(reading.db(), entry->id, key, id, parts);
    if (!answer) {
      completion.upload = find_upload(reading.db(), entry->id, key, id);
      completion.found = all_parts(reading.db(), completion.upload.seq);
    }
  } catch (...) {
    reading.db().run("COMMIT");
    throw;
  }
  reading.db().run("COMMIT");
  return answer;
}

bool same_parts(const std::map<int, PartRow>& a, const std::map<int, PartRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.piece.payload == y.second.piece.payload &&
           x.second.piece.key.bytes == y.second.piece.key.bytes;
  });
}

/// The file that lets the object be found again without the index.
std::unique_ptr<NewPayload> write_parts_manifest(Core& core, const std::string& bucket,
                                                 Completion& completion) {
  PayloadDescription description;
  description.kind = PayloadKind::kManifest;
  description.bucket = bucket;
  description.object = completion.row.object;
  description.upload = completion.upload.upload.id;
  for (size_t i = 0; i < completion.row.pieces.size(); ++i) {
    description.parts.push_back({completion.row.pieces[i].payload, completion.row.object.parts[i]});
  }
  return write_manifest(core, std::move(description), completion.row);
}

}  // namespace

std::unique_ptr<NewPayload> write_manifest(Core& core, PayloadDescription description, Row& row) {
  auto file = core.files.create();
  description.payload = row.manifest = file->id();
  file->append(payload_footer(description));
  file->sync();
  return file;
}

void abort_upload(Connection& db, int64_t bucket, const std::string& key, const std::string& id) {
  const UploadRow upload = find_upload(db, bucket, key, id);
  forget_upload(db, bucket, upload, all_parts(db, upload.seq));
}

Upload LocalStore::start_upload(const std::string& bucket, const std::string& key,
                                Attributes attributes, std::optional<ChecksumKind> checksum,
                                bool composite, const WriteOptions& options) {
  check_key(key);
  if (!checksum) {  // as S3 does, and as of a single PUT
    checksum = ChecksumKind::kCrc64Nvme;
    composite = false;
  }
  if (!composite && !has_full_object_form(*checksum)) {
    throw ObjectError(Reason::kInvalidRequest,
                      fmt::format("The FULL_OBJECT checksum type cannot be used with the {} "
                                  "checksum algorithm.",
                                  checksum_name(*checksum)));
  }
  UploadRow row;
  row.upload.key = key;
  row.upload.started = now();
  row.upload.attributes = std::move(attributes);
  row.upload.checksum = checksum;
  row.upload.composite = composite;
  row.upload.encryption = options.encryption;
  // Refused now rather than at the end; the default is applied when the object is made.
  Attributes checked = row.upload.attributes;
  apply_lock_defaults(core_.buckets.get(bucket)->bucket, checked, row.upload.started);
  row.check = core_.new_key(options.encryption, options.customer_key).wrapped;
  row.seq = core_.index.next_seq();
  row.upload.id = make_id(row.seq);
  core_.index.change([&](Connection& db) {
    db.run("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", core_.buckets.get(bucket)->id, Bytes(key),
           row.seq, row.upload.id, Bytes(encode_upload(row)));
  });
  if (row.upload.encryption == Encryption::kCustomer) {
    row.upload.customer_key_md5 = customer_key_md5(options.customer_key);
  }
  return row.upload;
}

std::unique_ptr<Writer> LocalStore::put_part(const std::string& bucket, const std::string& key,
                                             const std::string& upload, int number,
                                             const WriteOptions& options) {
  check_part_number(number);
  const auto entry = core_.buckets.get(bucket);
  Index::Reading reading = core_.index.read();
  return std::make_unique<PartWriter>(
      core_, bucket, find_upload(reading.db(), entry->id, key, upload), number, options);
}

Object LocalStore::complete_upload(const std::string& bucket, const std::string& key,
                                   const std::string& upload,
                                   const std::vector<CompletedPart>& parts,
                                   const Checksums& expected, const WriteCondition& condition) {
  while (true) {
    Completion completion;
    if (auto answer = read_completion(core_, bucket, key, upload, parts, completion)) {
      return *answer;
    }
    completion.row = assemble(completion.upload.upload, completion.found, parts, expected);
    Row& row = completion.row;
    row.object.modified = now();
    const auto entry = core_.buckets.get(bucket);
    apply_lock_defaults(entry->bucket, row.object.attributes, row.object.modified);
    name_version(core_.index, entry->bucket, row);
    crash_point("complete.before_manifest");
    const auto manifest = write_parts_manifest(core_, bucket, completion);
    crash_point("complete.before_index");
    bool changed = false;
    std::optional<Object> answer;
    core_.change([&](Connection& db, std::vector<Event>& events) {
      const auto target = core_.buckets.get(bucket);
      answer = earlier_answer(db, target->id, key, upload, parts);
      if (answer) return;
      const UploadRow still = find_upload(db, target->id, key, upload);
      changed = !same_parts(all_parts(db, still.seq), completion.found);
      if (changed) return;
      install(core_.index, db, *target, row, {}, condition);
      forget_upload(db, target->id, still, completion.found);
      remember_answer(db, target->id, still, row, parts, row.object.modified);
      events.push_back({"s3:ObjectCreated:CompleteMultipartUpload", bucket, row.object});
    });
    if (answer) return *answer;  // a twin was faster
    if (changed) continue;
    crash_point("complete.after_index");
    manifest->keep();
    return std::move(row.object);
  }
}

void LocalStore::abort_upload(const std::string& bucket, const std::string& key,
                              const std::string& upload) {
  core_.buckets.get(bucket);
  core_.index.change([&](Connection& db) {
    objects::abort_upload(db, core_.buckets.get(bucket)->id, key, upload);
  });
}

Upload LocalStore::upload(const std::string& bucket, const std::string& key,
                          const std::string& upload) {
  const auto entry = core_.buckets.get(bucket);
  Index::Reading reading = core_.index.read();
  return find_upload(reading.db(), entry->id, key, upload).upload;
}

std::vector<Part> LocalStore::parts(const std::string& bucket, const std::string& key,
                                    const std::string& upload, int after, size_t limit) {
  const auto entry = core_.buckets.get(bucket);
  Index::Reading reading = core_.index.read();
  const UploadRow row = find_upload(reading.db(), entry->id, key, upload);
  std::vector<Part> found;
  for (Query query(reading.db(),
                   "SELECT record FROM parts WHERE upload = ? AND number > ? ORDER BY number "
                   "LIMIT ?",
                   row.seq, after, std::min<size_t>(limit, kMostParts));
       query.next();) {
    found.push_back(decode_part(query.bytes(0)).part);
  }
  return found;
}

}  // namespace meesh::objects
