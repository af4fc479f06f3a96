// Contents on their way to another S3.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "objects/payload.h"
#include "objects/remote_store.h"

namespace meesh::objects {

/// Computes what a writer was told to compute, and holds it against what it was told to expect.
class RemoteDigests {
 public:
  explicit RemoteDigests(const WriteOptions& options);
  void update(std::string_view bytes);
  void expect(ChecksumKind kind, std::string value);
  /// Throws kIncompleteBody, kBadDigest. Once.
  void finish();
  uint64_t size() const { return size_; }
  const std::string& md5() const { return md5_raw_; }       // after finish()
  const Checksums& checksums() const { return computed_; }  // after finish()

 private:
  std::optional<uint64_t> declared_;
  std::optional<std::string> expected_md5_;
  Checksums expected_, computed_;
  std::map<ChecksumKind, std::unique_ptr<Checksum>> running_;
  Md5 md5_;
  std::string md5_raw_;
  uint64_t size_ = 0;
};

/// An object: one PUT if it fits kRemotePartBytes, otherwise a multipart upload that is completed
/// by commit() and aborted without it.
class RemoteObjectWriter final : public Writer {
 public:
  RemoteObjectWriter(RemoteStore& store, std::string bucket, std::string key, Attributes attributes,
                     const WriteOptions& options);
  ~RemoteObjectWriter() override;
  void write(std::string_view bytes) override;
  void expect(ChecksumKind kind, std::string value) override;
  Object commit(const WriteCondition& condition) override;

 private:
  size_t part_bytes() const;
  void begin_part();
  void send_part();
  Object put_whole(const WriteCondition& condition);
  Object complete(const WriteCondition& condition);
  bool is_ours();

  RemoteStore& store_;
  const std::string bucket_, key_;
  const Attributes attributes_;
  const WriteOptions options_;
  RemoteDigests digests_;
  std::string pending_;
  std::string upload_;  // "" while one PUT may do
  std::unique_ptr<Writer> part_;
  uint64_t in_part_ = 0;
  std::vector<CompletedPart> parts_;
};

/// A part: kept and repeated if it fits kRemotePartBytes, otherwise streamed, which needs its size.
class RemotePartWriter final : public Writer {
 public:
  RemotePartWriter(RemoteStore& store, std::string bucket, std::string key, std::string upload,
                   int number, const WriteOptions& options);
  void write(std::string_view bytes) override;
  void expect(ChecksumKind kind, std::string value) override;
  Object commit(const WriteCondition& condition) override;

 private:
  RemoteRequest request() const;

  RemoteStore& store_;
  const std::string bucket_, key_, upload_;
  const int number_;
  const WriteOptions options_;
  RemoteDigests digests_;
  std::string pending_;
  std::unique_ptr<RemoteConnection::Streamed> streamed_;
};

}  // namespace meesh::objects
