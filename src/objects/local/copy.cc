// Server-side copies: of the index alone where the stored bytes may serve both, else through the
// content.
#include "objects/crash_points.h"
#include "objects/index/rows.h"
#include "objects/local/local_store.h"
#include "objects/local/multipart.h"
#include "objects/local/reader.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

constexpr size_t kCopyBytes = 1 << 20;

/// Stored bytes may be shared: no encryption on either side, or the store's own on both (the data
/// key comes along, as it is wrapped); and no checksum is asked for that is not known.
bool may_share(const Object& source, const WriteOptions& options) {
  if (source.encryption != options.encryption || source.encryption == Encryption::kCustomer) {
    return false;
  }
  return std::all_of(options.expected.begin(), options.expected.end(), [&](const auto& asked) {
    const auto known = source.checksums.find(asked.first);
    return known != source.checksums.end() && !source.composite &&
           (asked.second.empty() || asked.second == known->second);
  });
}

/// For a copy, every condition that fails is a 412.
Row find_source(Core& core, sqlite::Connection& db, const BucketEntry& bucket,
                const std::string& key, const ReadOptions& options) {
  try {
    return find_to_read(core, db, bucket, key, options);
  } catch (const ObjectError& error) {
    if (error.reason() != Reason::kNotModified) throw;
    throw ObjectError(Reason::kPreconditionFailed,
                      "At least one of the pre-conditions you specified did not hold");
  }
}

std::unique_ptr<NewPayload> write_copy_manifest(Core& core, const std::string& bucket, Row& row) {
  if (row.flags & Row::kInline) return nullptr;
  PayloadDescription description;
  description.kind = PayloadKind::kManifest;
  description.bucket = bucket;
  description.object = row.object;
  for (size_t i = 0; i < row.pieces.size(); ++i) {
    Part part;
    if (i < row.object.parts.size()) {
      part = row.object.parts[i];
    } else {
      part = {.number = static_cast<int>(i) + 1,
              .size = row.pieces[i].size,
              .etag = row.object.etag,
              .checksums = row.object.checksums,
              .modified = row.object.modified};
    }
    description.parts.push_back({row.pieces[i].payload, std::move(part)});
  }
  return write_manifest(core, std::move(description), row);
}

}  // namespace

Object LocalStore::copy(const std::string& from_bucket, const std::string& from_key,
                        const ReadOptions& from, const std::string& bucket, const std::string& key,
                        const std::optional<Attributes>& attributes, const WriteOptions& options,
                        const WriteCondition& condition) {
  check_key(key);
  core_.buckets.get(bucket);
  const auto source_bucket = core_.buckets.get(from_bucket);
  while (true) {
    Row source;
    {
      Index::Reading reading = core_.index.read();
      source = find_source(core_, reading.db(), *source_bucket, from_key, from);
    }
    if (!may_share(source.object, options)) {
      return copy_content(from_bucket, from_key, source.object, from, bucket, key,
                          attributes.value_or(source.object.attributes), options, condition);
    }
    const uint64_t source_seq = source.seq;
    Row row = std::move(source);
    row.seq = 0;
    row.manifest = 0;
    row.object.key = key;
    row.object.modified = now();
    if (attributes) {
      row.object.attributes = *attributes;
    } else {  // a lock is the version's own
      row.object.attributes.retention = {};
      row.object.attributes.legal_hold = false;
    }
    const auto entry = core_.buckets.get(bucket);
    apply_lock_defaults(entry->bucket, row.object.attributes, row.object.modified);
    name_version(core_.index, entry->bucket, row);
    const auto manifest = write_copy_manifest(core_, bucket, row);
    crash_point("copy.before_index");
    bool gone = false;
    core_.change([&](sqlite::Connection& db, std::vector<Event>& events) {
      auto still = rows::version(db, source_bucket->id, from_key, from.version);
      gone = !still || still->seq != source_seq;
      if (gone) return;
      // Its keys may have been wrapped anew since it was read.
      rows::load_layout(db, *still);
      for (size_t i = 0; i < row.pieces.size(); ++i) row.pieces[i].key = still->pieces.at(i).key;
      std::string content;
      if (row.flags & Row::kInline) content = rows::inline_content(db, source_seq).value_or("");
      // Its files gain the new link before a copy onto itself takes the old one.
      for (const Piece& piece : row.pieces) {
        if (!(row.flags & Row::kInline)) rows::link(db, piece.payload);
      }
      install(core_.index, db, *core_.buckets.get(bucket), row, content, condition);
      for (const Piece& piece : row.pieces) {
        if (!(row.flags & Row::kInline)) rows::unlink(db, piece.payload);
      }
      events.push_back({"s3:ObjectCreated:Copy", bucket, row.object});
    });
    if (gone) continue;  // replaced meanwhile: copy what is there now
    if (manifest) manifest->keep();
    return std::move(row.object);
  }
}

Object LocalStore::copy_content(const std::string& from_bucket, const std::string& from_key,
                                const Object& source, const ReadOptions& from,
                                const std::string& bucket, const std::string& key,
                                Attributes attributes, WriteOptions options,
                                const WriteCondition& condition) {
  ReadOptions exactly = from;
  exactly.version = source.version;
  exactly.condition = {.if_match = source.etag};
  const auto reader = get(from_bucket, from_key, exactly);
  options.size = reader->object().size;
  for (const auto& [kind, value] : reader->object().checksums) {
    if (!reader->object().composite) options.expected.try_emplace(kind, value);
  }
  const auto writer = put_as("s3:ObjectCreated:Copy", bucket, key, std::move(attributes), options);
  std::vector<char> buffer(std::min<uint64_t>(kCopyBytes, reader->object().size));
  for (uint64_t at = 0; at < reader->object().size;) {
    const size_t got = reader->read(at, buffer.data(), buffer.size());
    writer->write({buffer.data(), got});
    at += got;
  }
  return writer->commit(condition);
}

}  // namespace meesh::objects
