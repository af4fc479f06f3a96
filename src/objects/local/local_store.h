// The object store on local disk. Contents above a few KiB are payload files, everything else is
// the index. The order that makes an acknowledged object durable: content and footer written and
// synced, new folder entries synced, then one commit of the index, which is the only moment when
// anything becomes visible.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "objects/local/background.h"
#include "objects/local/core.h"
#include "objects/maintenance.h"
#include "objects/store.h"

namespace meesh::objects {

class LocalStore final : public Store, public Maintenance {
 public:
  /// `disk`: tests give one that loses what was not synced.
  LocalStore(const LocalOptions& options, std::shared_ptr<Disk> disk);
  ~LocalStore() override;

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

  Upload start_upload(const std::string& bucket, const std::string& key, Attributes attributes,
                      std::optional<ChecksumKind> checksum, bool composite,
                      const WriteOptions& options) override;
  std::unique_ptr<Writer> put_part(const std::string& bucket, const std::string& key,
                                   const std::string& upload, int number,
                                   const WriteOptions& options) override;
  Object complete_upload(const std::string& bucket, const std::string& key,
                         const std::string& upload, const std::vector<CompletedPart>& parts,
                         const Checksums& expected, const WriteCondition& condition) override;
  void abort_upload(const std::string& bucket, const std::string& key,
                    const std::string& upload) override;
  Upload upload(const std::string& bucket, const std::string& key,
                const std::string& upload) override;
  std::vector<Part> parts(const std::string& bucket, const std::string& key,
                          const std::string& upload, int after, size_t limit) override;
  UploadListing list_uploads(const std::string& bucket, const UploadListOptions& options) override;

  void on_event(std::function<void(const Event&)> listener) override;

  LifecycleReport run_lifecycle(Time now, const Progress& progress) override;
  ScrubReport scrub(const Progress& progress) override;
  BackupReport backup(const std::filesystem::path& folder, const Progress& progress) override;
  RotateReport rotate_key(const Progress& progress) override;
  size_t collect_garbage(const Progress& progress) override;
  void tell_address(const std::string& address) override;

 private:
  void edit_version(const std::string& bucket, const std::string& key, const std::string& version,
                    const char* event, const std::function<void(const Bucket&, Row&)>& edit);
  std::unique_ptr<Writer> put_as(const char* event, const std::string& bucket,
                                 const std::string& key, Attributes attributes,
                                 const WriteOptions& options);
  Object copy_content(const std::string& from_bucket, const std::string& from_key,
                      const Object& source, const ReadOptions& from, const std::string& bucket,
                      const std::string& key, Attributes attributes, WriteOptions options,
                      const WriteCondition& condition);

  Core core_;
  std::optional<Background> background_;  // none without housekeeping
};

}  // namespace meesh::objects
