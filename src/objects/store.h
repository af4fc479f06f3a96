// The object store as the rest of the program sees it: buckets of keys, each with versions. One
// interface, two engines: on local disk (open_local) and any remote S3 (open_remote).
//
//   auto store = objects::open_local({.folder = "data/objects"});
//   auto writer = store->put("datalake", "raw/a.csv", attributes, {});
//   writer->write(bytes);                    // as they come
//   Object done = writer->commit({});        // durable when it returns; destroyed before: no trace
//
// Thread-safe. Keys are UTF-8 of 1 to 1,024 bytes, ordered by bytes. Every call throws ObjectError
// with S3's reason; nothing is ever half-visible: a reader sees a whole object or the one before.
// Writers and readers do not outlive their store. No access control and no HTTP here.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/checksum.h"
#include "objects/error.h"

namespace meesh::objects {

struct Caller;  // caller.h

/// Milliseconds since 1970, UTC.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Tags = std::map<std::string, std::string>;

enum class Versioning { kNever, kEnabled, kSuspended };
inline constexpr std::string_view kNullVersion = "null";

enum class LockMode { kNone, kGovernance, kCompliance };
struct Retention {
  LockMode mode = LockMode::kNone;
  Time until{};
};
struct DefaultRetention {
  LockMode mode = LockMode::kNone;
  int days = 0, years = 0;  // one of them
};

/// What is known of a bucket. Documents that only others read (policy JSON, CORS, lifecycle,
/// notification and encryption XML …) are kept as text under their subresource's name.
struct Bucket {
  std::string name, owner, region = "us-east-1";
  Time created{};
  Versioning versioning = Versioning::kNever;
  bool lock_enabled = false;
  DefaultRetention default_retention;
  uint64_t quota = 0;  // bytes of all versions; 0 = none
  std::map<std::string, std::string> documents;
};

/// What the client gives with an object and gets back with it.
struct Attributes {
  std::string content_type, cache_control, content_disposition, content_encoding, content_language,
      expires;
  std::map<std::string, std::string> metadata;  // x-amz-meta-…, names lower case without prefix
  Tags tags;
  std::string storage_class = "STANDARD";
  std::string acl = "private";  // canned: private, public-read …
  std::string owner;
  Retention retention;
  bool legal_hold = false;
};

enum class Encryption { kNone, kS3, kCustomer };
/// SSE-C: the caller's 32-byte key, never kept (its MD5 is, salted, to refuse wrong ones).
using CustomerKey = std::string;

struct Part {
  int number = 0;  // 1 … 10,000
  uint64_t size = 0;
  std::string etag;  // MD5 in hex, no quotes
  Checksums checksums;
  Time modified{};
};

/// One version of one key.
struct Object {
  std::string key, version = std::string(kNullVersion);
  bool latest = true, delete_marker = false;
  uint64_t size = 0;  // of the content as the client sees it
  std::string etag;   // no quotes: MD5 in hex, "…-N" for N parts
  Time modified{};
  Checksums checksums;
  bool composite = false;  // checksums are of the parts' checksums ("…-N")
  Attributes attributes;
  Encryption encryption = Encryption::kNone;
  std::string customer_key_md5;  // kCustomer: base64
  std::vector<Part> parts;       // of a multipart upload; sizes and checksums, in order
};

/// Checked in the transaction that commits, so that of two writers with the same condition one
/// fails. ETags without quotes, "*" = any.
struct WriteCondition {
  std::optional<std::string> if_match, if_none_match;
};
/// As HTTP defines them (RFC 9110, 13.2.2). Failing: kPreconditionFailed or kNotModified.
struct ReadCondition {
  std::optional<std::string> if_match, if_none_match;
  std::optional<Time> if_modified_since, if_unmodified_since;
};

struct WriteOptions {
  Encryption encryption = Encryption::kNone;
  CustomerKey customer_key;
  std::optional<uint64_t> size;  // as declared; a commit with another one is kIncompleteBody
  /// Computed while writing and kept; the writer compares those given with a value.
  Checksums expected;              // values to hold against, empty value = compute only
  std::optional<std::string> md5;  // expected MD5, 16 raw bytes (Content-MD5)
};

/// Bytes on their way in. One thread at a time.
class Writer {
 public:
  virtual ~Writer() = default;  // not committed: no trace
  virtual void write(std::string_view bytes) = 0;
  /// Values that came after the bytes (trailers), to hold against as WriteOptions::expected.
  virtual void expect(ChecksumKind kind, std::string value) = 0;
  /// Makes all of it durable and visible at once. Throws kBadDigest, kIncompleteBody,
  /// kPreconditionFailed, kQuotaExceeded … and then leaves no trace.
  virtual Object commit(const WriteCondition& condition) = 0;
};

/// One version, open for reading: stays readable while it is held even if deleted meanwhile.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual const Object& object() const = 0;
  /// Up to `size` bytes at `offset` of the content; fewer only at its end. Thread-safe.
  virtual size_t read(uint64_t offset, char* buffer, size_t size) = 0;
  /// The content as it lies in a file, for sendfile: descriptor (valid while this lives) and the
  /// offset where the content begins. Nothing if it is encrypted, inside the index or remote.
  struct File {
    int descriptor = -1;
    uint64_t offset = 0;
  };
  virtual std::optional<File> file() const { return std::nullopt; }
};

struct ReadOptions {
  std::string version;  // "" = latest
  CustomerKey customer_key;
  int part = 0;  // 1 …: only this part; sizes and offsets are then the part's
  ReadCondition condition;
  /// head() alone: what is known of the version, its content left aside. No customer key is needed,
  /// and none is looked at.
  bool without_content = false;
};

struct ListOptions {
  std::string prefix, delimiter;
  std::string after;  // exclusive: key (or common prefix) to begin behind
  size_t limit = 1000;
};
struct Listing {
  std::vector<Object> objects;               // key, size, etag, modified, checksums, owner, class
  std::vector<std::string> common_prefixes;  // sorted
  bool truncated = false;
  std::string next;  // `after` of the next page: last key or common prefix told
};

struct VersionListOptions {
  std::string prefix, delimiter, key_marker, version_marker;
  size_t limit = 1000;
};
struct VersionListing {
  std::vector<Object> versions;  // and delete markers; key ascending, newest first
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key, next_version;
};

struct DeleteOptions {
  std::string version;  // "" = the key: a marker in a versioned bucket
  bool bypass_governance = false;
  WriteCondition condition;  // if_match only
};
struct Deleted {
  bool delete_marker = false;  // one was made, or the version deleted was one
  std::string version;         // of what was made or deleted; "" without versioning
};

struct Upload {
  std::string id, key;
  Time started{};
  Attributes attributes;
  std::optional<ChecksumKind> checksum;
  bool composite = true;
  Encryption encryption = Encryption::kNone;
  std::string customer_key_md5;
};
struct UploadListOptions {
  std::string prefix, delimiter, key_marker, id_marker;
  size_t limit = 1000;
};
struct UploadListing {
  std::vector<Upload> uploads;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key, next_id;
};
struct CompletedPart {
  int number = 0;
  std::string etag;
  Checksums checksums;  // given by the client, held against the parts'
};

/// What changed, told after it is durable, in order for one key. For notifications and audit.
struct Event {
  std::string name;  // "s3:ObjectCreated:Put", "s3:ObjectRemoved:DeleteMarkerCreated" …
  std::string bucket;
  Object object;
  /// For whom the thread acted that asked for the change (ActingFor), whichever thread tells of
  /// it; null: for nobody, as in the store's own work.
  std::shared_ptr<const Caller> caller{};
};

struct Usage {
  uint64_t objects = 0, versions = 0, bytes = 0;  // bytes of all versions
};

class Store {
 public:
  virtual ~Store() = default;

  // Buckets. Names as S3 allows them (3 to 63 of a-z 0-9 . -).
  virtual void create_bucket(const Bucket& bucket) = 0;
  /// Throws kBucketNotEmpty while versions or uploads are in it.
  virtual void delete_bucket(const std::string& name) = 0;
  virtual Bucket bucket(const std::string& name) = 0;
  virtual std::vector<Bucket> buckets() = 0;
  /// Reads, lets `edit` change, writes, in one transaction.
  virtual void edit_bucket(const std::string& name, const std::function<void(Bucket&)>& edit) = 0;
  virtual Usage usage(const std::string& bucket) = 0;

  // Objects.
  virtual std::unique_ptr<Writer> put(const std::string& bucket, const std::string& key,
                                      Attributes attributes, const WriteOptions& options) = 0;
  virtual std::shared_ptr<Reader> get(const std::string& bucket, const std::string& key,
                                      const ReadOptions& options) = 0;
  /// As get, without opening the content. A customer key is checked if one is needed.
  virtual Object head(const std::string& bucket, const std::string& key,
                      const ReadOptions& options) = 0;
  virtual Deleted remove(const std::string& bucket, const std::string& key,
                         const DeleteOptions& options) = 0;
  /// Many at once, in one transaction where possible: result or error, in order.
  struct DeleteOutcome {
    Deleted deleted;
    std::optional<ObjectError> error;
  };
  virtual std::vector<DeleteOutcome> remove_all(
      const std::string& bucket,
      const std::vector<std::pair<std::string, DeleteOptions>>& keys) = 0;
  /// Server-side copy of a whole version; payload files are shared by link where the encryption
  /// allows. `attributes` replaces those of the source if given.
  virtual Object copy(const std::string& from_bucket, const std::string& from_key,
                      const ReadOptions& from, const std::string& bucket, const std::string& key,
                      const std::optional<Attributes>& attributes, const WriteOptions& options,
                      const WriteCondition& condition) = 0;
  virtual Listing list(const std::string& bucket, const ListOptions& options) = 0;
  virtual VersionListing list_versions(const std::string& bucket,
                                       const VersionListOptions& options) = 0;

  // What may change of a version without a new one.
  virtual void set_tags(const std::string& bucket, const std::string& key,
                        const std::string& version, const Tags& tags) = 0;
  virtual void set_acl(const std::string& bucket, const std::string& key,
                       const std::string& version, const std::string& canned) = 0;
  virtual void set_retention(const std::string& bucket, const std::string& key,
                             const std::string& version, const Retention& retention,
                             bool bypass_governance) = 0;
  virtual void set_legal_hold(const std::string& bucket, const std::string& key,
                              const std::string& version, bool on) = 0;

  // Multipart uploads.
  /// Without `checksum` the store decides, and `composite` says nothing: the local one keeps a
  /// CRC64NVME of the whole object, as S3 does; another S3 is asked for none.
  virtual Upload start_upload(const std::string& bucket, const std::string& key,
                              Attributes attributes, std::optional<ChecksumKind> checksum,
                              bool composite, const WriteOptions& options) = 0;
  /// commit() gives an Object with the part's size, ETag and checksums; its condition is ignored.
  virtual std::unique_ptr<Writer> put_part(const std::string& bucket, const std::string& key,
                                           const std::string& upload, int number,
                                           const WriteOptions& options) = 0;
  /// Idempotent: asked again after success with the same parts, it answers the same. `expected`
  /// are checksums of the whole object told by the client.
  virtual Object complete_upload(const std::string& bucket, const std::string& key,
                                 const std::string& upload, const std::vector<CompletedPart>& parts,
                                 const Checksums& expected, const WriteCondition& condition) = 0;
  virtual void abort_upload(const std::string& bucket, const std::string& key,
                            const std::string& upload) = 0;
  virtual Upload upload(const std::string& bucket, const std::string& key,
                        const std::string& upload) = 0;
  /// Parts with numbers above `after`, at most `limit` (one more tells that there are more).
  virtual std::vector<Part> parts(const std::string& bucket, const std::string& key,
                                  const std::string& upload, int after, size_t limit) = 0;
  virtual UploadListing list_uploads(const std::string& bucket,
                                     const UploadListOptions& options) = 0;

  /// Called one at a time, before the call that made the change returns, on its thread or that of
  /// another change; must not change the store itself. Set once, before use.
  virtual void on_event(std::function<void(const Event&)> listener) = 0;
};

struct LocalOptions {
  std::filesystem::path folder;  // created; one process at a time (a lock file says who)
  /// 32 bytes that wrap the objects' keys (SSE-S3). By id (see master_key_id), so that old ones
  /// stay readable after a rotation; `current` is used for new objects.
  std::map<std::string, std::string> master_keys;
  std::string current_master_key;
  size_t inline_bytes = 16 << 10;  // objects up to this size lie in the index itself
  /// Whether the store follows lifecycles and removes unused files by itself while it is open. Not
  /// for whoever only wants to look at a store.
  bool housekeeping = true;
};
/// Recovers what a crash left. Throws IO_ERROR, CONFIG_INVALID (another process has it open; its
/// index was not rebuilt to the end).
std::unique_ptr<Store> open_local(const LocalOptions& options);

struct RemoteOptions {
  std::string endpoint;  // "https://host:port"
  std::string region = "us-east-1", access_key, secret_key, session_token;
  bool path_style = true;
};
std::unique_ptr<Store> open_remote(const RemoteOptions& options);

/// Bucket and key as S3 allows them; throw kInvalidBucketName, kInvalidArgument, kKeyTooLong.
void check_bucket_name(std::string_view name);
void check_key(std::string_view key);

}  // namespace meesh::objects
