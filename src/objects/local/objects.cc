// Single objects: put, get, head, remove, and what may change of a version.
#include "base/error.h"
#include "objects/crash_points.h"
#include "objects/index/rows.h"
#include "objects/local/local_store.h"
#include "objects/local/reader.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

/// How often a reader looks again when a version was replaced between finding and opening it.
constexpr int kMostTries = 100;

class ObjectWriter final : public Writer {
 public:
  ObjectWriter(Core& core, std::string bucket, std::string key, Attributes attributes,
               const WriteOptions& options, const char* event)
      : core_(core),
        bucket_(std::move(bucket)),
        customer_key_(options.customer_key),
        event_(event) {
    row_.object.key = std::move(key);
    row_.object.attributes = std::move(attributes);
    row_.object.encryption = options.encryption;
    const DataKey data_key = core.new_key(options.encryption, options.customer_key);
    content_.emplace(core.files, ContentOptions{.inline_bytes = core.options.inline_bytes,
                                                .declared_size = options.size,
                                                .expected = options.expected,
                                                .md5 = options.md5,
                                                .data_key = data_key.key,
                                                .wrapped_key = data_key.wrapped});
  }

  void write(std::string_view bytes) override { content_->write(bytes); }
  void expect(ChecksumKind kind, std::string value) override {
    content_->expect(kind, std::move(value));
  }

  Object commit(const WriteCondition& condition) override {
    if (committed_) internal_error("a writer commits once");
    committed_ = true;
    const auto bucket = core_.buckets.get(bucket_);
    row_.object.modified = now();
    apply_lock_defaults(bucket->bucket, row_.object.attributes, row_.object.modified);
    name_version(core_.index, bucket->bucket, row_);
    Content content = content_->finish([&](const Content& known) { return describe(known); });
    take(content);
    row_.pieces = {content.piece};
    if (content.is_inline) row_.flags |= Row::kInline;
    crash_point("put.before_index");
    core_.change([&](sqlite::Connection& db, std::vector<Event>& events) {
      const auto target = core_.buckets.get(bucket_);
      install(core_.index, db, *target, row_, content.inline_bytes, condition);
      events.push_back({event_, bucket_, row_.object});
    });
    crash_point("put.after_index");
    if (content.file) content.file->keep();
    if (row_.object.encryption == Encryption::kCustomer) {
      row_.object.customer_key_md5 = customer_key_md5(customer_key_);
    }
    return std::move(row_.object);
  }

 private:
  void take(const Content& content) {
    row_.object.size = content.size;
    row_.object.etag = content.etag;
    row_.object.checksums = content.checksums;
  }
  PayloadDescription describe(const Content& content) {
    take(content);
    PayloadDescription description;
    description.payload = content.piece.payload;
    description.bucket = bucket_;
    description.object = row_.object;
    description.stored = content.piece.stored;
    description.data_key = content.piece.key;
    return description;
  }

  Core& core_;
  const std::string bucket_;
  const CustomerKey customer_key_;
  const char* const event_;
  Row row_;
  std::optional<ContentWriter> content_;
  bool committed_ = false;
};

}  // namespace

std::unique_ptr<Writer> LocalStore::put(const std::string& bucket, const std::string& key,
                                        Attributes attributes, const WriteOptions& options) {
  return put_as("s3:ObjectCreated:Put", bucket, key, std::move(attributes), options);
}

std::unique_ptr<Writer> LocalStore::put_as(const char* event, const std::string& bucket,
                                           const std::string& key, Attributes attributes,
                                           const WriteOptions& options) {
  check_key(key);
  core_.buckets.get(bucket);
  return std::make_unique<ObjectWriter>(core_, bucket, key, std::move(attributes), options, event);
}

std::shared_ptr<Reader> LocalStore::get(const std::string& bucket, const std::string& key,
                                        const ReadOptions& options) {
  const auto entry = core_.buckets.get(bucket);
  for (int tries = 0; tries < kMostTries; ++tries) {
    Index::Reading reading = core_.index.read();
    Row row = find_to_read(core_, reading.db(), *entry, key, options);
    const uint64_t seq = row.seq;
    const bool several = row.pieces.size() > 1;
    std::optional<std::string> content;
    if (row.flags & Row::kInline) {
      content = rows::inline_content(reading.db(), seq);
      if (!content) continue;
    }
    auto reader = std::make_shared<LocalReader>(core_, std::move(row),
                                                std::move(content).value_or(""), options);
    if (reader->open_failed()) continue;
    // Pinned now: if the version is still there, its files were not garbage before.
    if (several) {
      const auto again = rows::version(reading.db(), entry->id, key, options.version);
      if (!again || again->seq != seq) continue;
    }
    return reader;
  }
  throw ObjectError(Reason::kInternalError, "The object's content is missing.");
}

Object LocalStore::head(const std::string& bucket, const std::string& key,
                        const ReadOptions& options) {
  const auto entry = core_.buckets.get(bucket);
  Index::Reading reading = core_.index.read();
  return find_to_read(core_, reading.db(), *entry, key, options).object;
}

Deleted LocalStore::remove(const std::string& bucket, const std::string& key,
                           const DeleteOptions& options) {
  check_key(key);
  core_.buckets.get(bucket);
  Deleted deleted;
  crash_point("delete.before_index");
  core_.change([&](sqlite::Connection& db, std::vector<Event>& events) {
    deleted =
        objects::remove(core_.index, db, *core_.buckets.get(bucket), key, options, now(), events);
  });
  crash_point("delete.after_index");
  return deleted;
}

std::vector<Store::DeleteOutcome> LocalStore::remove_all(
    const std::string& bucket, const std::vector<std::pair<std::string, DeleteOptions>>& keys) {
  core_.buckets.get(bucket);
  std::vector<DeleteOutcome> outcomes(keys.size());
  crash_point("delete.before_index");
  core_.change([&](sqlite::Connection& db, std::vector<Event>& events) {
    const auto entry = core_.buckets.get(bucket);
    for (size_t i = 0; i < keys.size(); ++i) {
      try {
        check_key(keys[i].first);
        // A refusal comes before anything is written, so it takes nothing back.
        outcomes[i].deleted =
            objects::remove(core_.index, db, *entry, keys[i].first, keys[i].second, now(), events);
      } catch (const ObjectError& refused) {
        if (refused.reason() == Reason::kStorageFull) throw;
        outcomes[i].error = refused;
      }
    }
  });
  crash_point("delete.after_index");
  return outcomes;
}

/// One version's row, changed in place.
void LocalStore::edit_version(const std::string& bucket, const std::string& key,
                              const std::string& version, const char* event,
                              const std::function<void(const Bucket&, Row&)>& edit) {
  core_.buckets.get(bucket);
  core_.change([&](sqlite::Connection& db, std::vector<Event>& events) {
    const auto entry = core_.buckets.get(bucket);
    auto row = rows::version(db, entry->id, key, version);
    if (!row || (row->marker() && version.empty())) {
      throw version.empty()
          ? ObjectError(Reason::kNoSuchKey, "The specified key does not exist.")
          : ObjectError(Reason::kNoSuchVersion, "The specified version does not exist.");
    }
    if (row->marker()) {
      throw ObjectError(Reason::kMethodNotAllowed,
                        "The specified method is not allowed against this resource.");
    }
    edit(entry->bucket, *row);
    rows::update(db, entry->id, *row);
    events.push_back({event, bucket, row->object});
  });
}

void LocalStore::set_tags(const std::string& bucket, const std::string& key,
                          const std::string& version, const Tags& tags) {
  edit_version(bucket, key, version,
               tags.empty() ? "s3:ObjectTagging:Delete" : "s3:ObjectTagging:Put",
               [&](const Bucket&, Row& row) { row.object.attributes.tags = tags; });
}

void LocalStore::set_acl(const std::string& bucket, const std::string& key,
                         const std::string& version, const std::string& canned) {
  edit_version(bucket, key, version, "s3:ObjectAcl:Put",
               [&](const Bucket&, Row& row) { row.object.attributes.acl = canned; });
}

static void check_lock_enabled(const Bucket& bucket) {
  if (!bucket.lock_enabled) {
    throw ObjectError(Reason::kInvalidRequest, "Bucket is missing Object Lock Configuration");
  }
}

void LocalStore::set_retention(const std::string& bucket, const std::string& key,
                               const std::string& version, const Retention& retention,
                               bool bypass_governance) {
  edit_version(bucket, key, version, "s3:ObjectRetention:Put", [&](const Bucket& known, Row& row) {
    check_lock_enabled(known);
    Retention& kept = row.object.attributes.retention;
    check_retention_change(kept, retention, bypass_governance, now());
    kept = retention;
  });
}

void LocalStore::set_legal_hold(const std::string& bucket, const std::string& key,
                                const std::string& version, bool on) {
  edit_version(bucket, key, version, "s3:ObjectLegalHold:Put", [&](const Bucket& known, Row& row) {
    check_lock_enabled(known);
    row.object.attributes.legal_hold = on;
  });
}

}  // namespace meesh::objects
