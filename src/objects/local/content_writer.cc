#include "objects/local/content_writer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "objects/crash_points.h"

namespace meesh::objects {
namespace {

/// A multiple of what is sealed at once; also what is given to the disk at once.
constexpr size_t kWriteBytes = 512 << 10;
/// Reserving is not worth its while below.
constexpr uint64_t kReserveBytes = 1 << 20;
constexpr uint64_t kFooterAllowance = 4 << 10;

}  // namespace

ContentWriter::ContentWriter(PayloadFiles& files, ContentOptions options)
    : files_(files), options_(std::move(options)) {
  for (const auto& [kind, value] : options_.expected) digests_.add(kind);
  if (!options_.data_key.empty()) sealer_.emplace(options_.data_key);
  block_ = std::make_shared<std::string>();
  blocks_.push_back(block_);
  if (options_.declared_size)
    block_->reserve(std::min<uint64_t>(*options_.declared_size, kWriteBytes));
}

ContentWriter::~ContentWriter() = default;

void ContentWriter::expect(ChecksumKind kind, std::string value) {
  if (size_ > 0 && !digests_.has(kind)) {
    throw ObjectError(
        Reason::kInvalidRequest,
        fmt::format("The {} of the content was not announced before it.", checksum_name(kind)));
  }
  digests_.add(kind);
  options_.expected[kind] = std::move(value);
}

void ContentWriter::write(std::string_view bytes) {
  size_ += bytes.size();
  if (options_.declared_size && size_ > *options_.declared_size) {
    throw ObjectError(Reason::kIncompleteBody, "The body is longer than declared.");
  }
  while (!bytes.empty()) {
    const size_t taken = std::min(bytes.size(), kWriteBytes - block_->size());
    block_->append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (block_->size() == kWriteBytes) end_block();
  }
}

/// A full block goes to the digests and to the file.
void ContentWriter::end_block() {
  if (!file_) open_file();
  digests_.update(block_);
  store(*block_);
  block_.reset();
  for (const auto& used : blocks_) {
    if (used.use_count() == 1) block_ = used;
  }
  std::atomic_thread_fence(std::memory_order_acquire);  // after whoever gave it back
  if (!block_) {
    block_ = std::make_shared<std::string>();
    block_->reserve(kWriteBytes);
    blocks_.push_back(block_);
  }
  block_->clear();
}

void ContentWriter::open_file() {
  file_ = files_.create();
  if (options_.declared_size && *options_.declared_size >= kReserveBytes) {
    file_->reserve((sealer_ ? sealed_size(*options_.declared_size) : *options_.declared_size) +
                   kFooterAllowance);
  }
}

void ContentWriter::store(std::string_view bytes) {
  if (!sealer_) return file_->append(bytes);
  sealed_.clear();
  sealer_->update(bytes, sealed_);
  file_->append(sealed_);
}

void ContentWriter::check(const Content& content) const {
  if (options_.declared_size && size_ != *options_.declared_size) {
    throw ObjectError(Reason::kIncompleteBody,
                      "You did not provide the number of bytes specified by the Content-Length "
                      "HTTP header");
  }
  if (options_.md5 && *options_.md5 != digests_.md5()) {
    throw ObjectError(Reason::kBadDigest,
                      "The Content-MD5 you specified did not match what we received.");
  }
  for (const auto& [kind, value] : options_.expected) {
    if (!value.empty() && content.checksums.at(kind) != value) {
      throw ObjectError(Reason::kBadDigest,
                        fmt::format("The {} you specified did not match the calculated checksum.",
                                    checksum_name(kind)));
    }
  }
}

Content ContentWriter::finish(const Describe& describe) {
  Content content;
  content.is_inline = !file_ && options_.may_be_inline && size_ <= options_.inline_bytes;
  digests_.update(block_);
  digests_.finish();
  content.size = size_;
  content.etag = base::to_hex(digests_.md5());
  content.checksums = digests_.checksums();
  check(content);

  if (!content.is_inline && !file_) open_file();
  sealed_.clear();
  if (sealer_) {
    sealer_->update(*block_, sealed_);
    sealer_->finish(sealed_);
  }
  std::string& last = sealer_ ? sealed_ : *block_;
  content.piece.size = size_;
  content.piece.key = options_.wrapped_key;
  if (content.is_inline) {
    content.piece.stored = last.size();
    content.inline_bytes = std::move(last);
    return content;
  }
  content.piece.payload = file_->id();
  content.piece.stored = file_->size() + last.size();
  last += payload_footer(describe(content));
  file_->append(last);
  crash_point("put.before_sync");
  file_->sync();
  content.file = std::move(file_);
  return content;
}

}  // namespace meesh::objects
