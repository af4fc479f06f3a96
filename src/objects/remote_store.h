// A Store that is another S3: every call is one or a few signed requests to it, contents stream
// through. Buckets' settings are remembered for kBucketMemory.
//
// Differences from the local store, which the other side decides: an open Reader of a bucket
// without versions fails with kPreconditionFailed once its object was replaced, and contents larger
// than kRemotePartBytes arrive there in several parts (ETag "…-N").
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "objects/remote_connection.h"
#include "objects/store.h"

namespace meesh::objects {

/// What is kept in memory of a content on its way, at most.
inline constexpr size_t kRemotePartBytes = 16 << 20;
inline constexpr int kRemoteMaxParts = 10000;
inline constexpr std::chrono::seconds kBucketMemory{10};

class RemoteStore final : public Store {
 public:
  RemoteStore(RemoteOptions options, RemoteConnection::Pause pause)
      : connection_(std::move(options), std::move(pause)) {}

  void create_bucket(const Bucket& bucket) override;
  void delete_bucket(const std::string& name) override;
  Bucket bucket(const std::string& name) override;
  std::vector<Bucket> buckets() override;
  void edit_bucket(const std::string& name, const std::function<void(Bucket&)>& edit) override;
  Usage usage(const std::string& bucket) override;

  std::unique_ptr<Writer> put(const std::string& bucket, const std::string& key,
                              Attributes attributes, const WriteOptions& options) override;
  std::shared_ptr<Reader> get(const std::string& bucket, const std::string& key,
                              const ReadOptions& options) override;
  Object head(const std::string& bucket, const std::string& key,
              const ReadOptions& options) override;
  Deleted remove(const std::string& bucket, const std::string& key,
                 const DeleteOptions& options) override;
  std::vector<DeleteOutcome> remove_all(
      const std::string& bucket,
      const std::vector<std::pair<std::string, DeleteOptions>>& keys) override;
  Object copy(const std::string& from_bucket, const std::string& from_key, const ReadOptions& from,
              const std::string& bucket, const std::string& key,
              const std::optional<Attributes>& attributes, const WriteOptions& options,
              const WriteCondition& condition) override;
  Listing list(const std::string& bucket, const ListOptions& options) override;
  VersionListing list_versions(const std::string& bucket,
                               const VersionListOptions& options) override;

  void set_tags(const std::string& bucket, const std::string& key, const std::string& version,
                const Tags& tags) override;
  void set_acl(const std::string& bucket, const std::string& key, const std::string& version,
               const std::string& canned) override;
  void set_retention(const std::string& bucket, const std::string& key, const std::string& version,
                     const Retention& retention, bool bypass_governance) override;
  void set_legal_hold(const std::string& bucket, const std::string& key, const std::string& version,
                      bool on) override;

  objects::Upload start_upload(const std::string& bucket, const std::string& key,
                               Attributes attributes, std::optional<ChecksumKind> checksum,
                               bool composite, const WriteOptions& options) override;
  std::unique_ptr<Writer> put_part(const std::string& bucket, const std::string& key,
                                   const std::string& upload, int number,
                                   const WriteOptions& options) override;
  Object complete_upload(const std::string& bucket, const std::string& key,
                         const std::string& upload, const std::vector<CompletedPart>& parts,
                         const Checksums& expected, const WriteCondition& condition) override;
  void abort_upload(const std::string& bucket, const std::string& key,
                    const std::string& upload) override;
  objects::Upload upload(const std::string& bucket, const std::string& key,
                         const std::string& upload) override;
  std::vector<Part> parts(const std::string& bucket, const std::string& key,
                          const std::string& upload, int after, size_t limit) override;
  UploadListing list_uploads(const std::string& bucket, const UploadListOptions& options) override;

  void on_event(std::function<void(const Event&)> listener) override {
    listener_ = std::move(listener);
  }

  RemoteConnection& connection() { return connection_; }
  /// Tells the listener.
  void tell(const char* event, const std::string& bucket, const Object& object) const;

 private:
  struct Remembered {
    Bucket bucket;
    std::chrono::steady_clock::time_point until;
  };
  /// `first`: where the part asked for begins, if one is.
  Object head_of(const std::string& bucket, const std::string& key, const ReadOptions& options,
                 uint64_t* first);
  Bucket read_bucket(const std::string& name);
  void write_settings(const Bucket& before, const Bucket& after);
  void forget(const std::string& bucket);
  void read_tags(const std::string& bucket, const net::Headers& answer, Object& object);
  void remove_some(const std::string& bucket,
                   const std::vector<std::pair<std::string, DeleteOptions>>& keys,
                   const std::vector<size_t>& which, bool bypass_governance,
                   std::vector<DeleteOutcome>& outcomes);

  RemoteConnection connection_;
  std::function<void(const Event&)> listener_;
  std::mutex mutex_;
  std::map<std::string, Remembered> buckets_;
};

}  // namespace meesh::objects
