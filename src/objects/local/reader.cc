#include "objects/local/reader.h"

#include <algorithm>

#include "objects/index/rows.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

/// Of the files of a multipart object, kept open by one reader.
constexpr size_t kMostOpenFiles = 8;

[[noreturn]] void not_found(const std::string& version) {
  if (version.empty()) {
    throw ObjectError(Reason::kNoSuchKey, "The specified key does not exist.");
  }
  if (version != kNullVersion && !seq_of_id(version)) {
    throw ObjectError(Reason::kInvalidArgument, "Invalid version id specified");
  }
  throw ObjectError(Reason::kNoSuchVersion, "The specified version does not exist.");
}

/// Sizes and offsets of one part alone.
void narrow_to_part(Row& row, int number) {
  const auto no_such_part = [] {
    return ObjectError(Reason::kInvalidRange, "The requested partnumber is not satisfiable");
  };
  if (row.object.parts.empty()) {
    if (number != 1) throw no_such_part();
    return;
  }
  const auto& parts = row.object.parts;
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& part) { return part.number == number; });
  if (found == parts.end()) throw no_such_part();
  const auto at = static_cast<size_t>(found - parts.begin());
  row.object.size = found->size;
  row.object.checksums = found->checksums;
  row.object.composite = false;
  row.pieces = {row.pieces.at(at)};
}

}  // namespace

Row find_to_read(Core& core, sqlite::Connection& db, const BucketEntry& bucket,
                 const std::string& key, const ReadOptions& options) {
  auto row = rows::version(db, bucket.id, key, options.version);
  if (!row) not_found(options.version);
  if (row->marker()) {
    ObjectError gone = options.version.empty()
                           ? ObjectError(Reason::kNoSuchKey, "The specified key does not exist.")
                           : ObjectError(Reason::kMethodNotAllowed,
                                         "The specified method is not allowed against this "
                                         "resource.");
    gone.delete_marker = true;
    gone.version = row->object.version;
    throw gone;
  }
  check_read_condition(options.condition, row->object);
  rows::load_layout(db, *row);
  const bool has_key =
      row->object.encryption == Encryption::kCustomer || !options.customer_key.empty();
  if (has_key && !options.without_content) {
    core.open_key(row->object.encryption, row->pieces.at(0).key, options.customer_key);
    row->object.customer_key_md5 = customer_key_md5(options.customer_key);
  }
  if (options.part != 0) narrow_to_part(*row, options.part);
  return std::move(*row);
}

LocalReader::LocalReader(Core& core, Row row, std::string inline_bytes, const ReadOptions& options)
    : core_(core),
      object_(std::move(row.object)),
      inline_bytes_(std::move(inline_bytes)),
      customer_key_(options.customer_key),
      is_inline_(row.flags & Row::kInline) {
  uint64_t begin = 0;
  for (Piece& piece : row.pieces) {
    Segment segment{.begin = begin, .piece = std::move(piece)};
    begin += segment.piece.size;
    segments_.push_back(std::move(segment));
  }
  if (is_inline_ || segments_.empty()) return;
  for (const Segment& segment : segments_) core_.files.pins.add(segment.piece.payload);
  if (segments_.size() > 1) return;
  auto file = std::make_shared<const Descriptor>(core_.files.open(segments_[0].piece.payload));
  open_failed_ = !file->open();
  segments_[0].file = std::move(file);
}

LocalReader::~LocalReader() {
  if (is_inline_) return;
  for (const Segment& segment : segments_) core_.files.pins.release(segment.piece.payload);
}

size_t LocalReader::read(uint64_t offset, char* buffer, size_t size) {
  if (offset >= object_.size) return 0;
  size = std::min<uint64_t>(size, object_.size - offset);
  auto segment =
      std::upper_bound(segments_.begin(), segments_.end(), offset,
                       [](uint64_t at, const Segment& candidate) { return at < candidate.begin; });
  auto which = static_cast<size_t>(segment - segments_.begin()) - 1;
  size_t filled = 0;
  for (; filled < size; ++which) {
    const Segment& here = segments_.at(which);
    const uint64_t inside = offset + filled - here.begin;
    const size_t wanted = std::min<uint64_t>(size - filled, here.piece.size - inside);
    if (wanted == 0) continue;
    const size_t got = read_segment(which, inside, buffer + filled, wanted);
    filled += got;
    if (got < wanted) {
      throw ObjectError(Reason::kInternalError, "The stored content is shorter than it was.");
    }
  }
  return filled;
}

size_t LocalReader::read_segment(size_t which, uint64_t offset, char* buffer, size_t size) {
  if (object_.encryption == Encryption::kNone) return read_stored(which, offset, buffer, size);
  return opener_of(which)->read(offset, buffer, size);
}

size_t LocalReader::read_stored(size_t which, uint64_t offset, char* buffer, size_t size) {
  if (is_inline_) {
    if (offset >= inline_bytes_.size()) return 0;
    return inline_bytes_.copy(buffer, size, offset);
  }
  const uint64_t stored = segments_[which].piece.stored;
  if (offset >= stored) return 0;
  return read_at(*file_of(which), offset, buffer, std::min<uint64_t>(size, stored - offset));
}

std::shared_ptr<const Descriptor> LocalReader::file_of(size_t which) {
  if (segments_.size() == 1) return segments_[0].file;
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_[which];
  if (segment.file) return segment.file;
  auto file = std::make_shared<const Descriptor>(core_.files.open(segment.piece.payload));
  if (!file->open()) throw ObjectError(Reason::kInternalError, "A part's file is missing.");
  segment.file = file;
  opened_.push_back(which);
  if (opened_.size() > kMostOpenFiles) {
    segments_[opened_.front()].file.reset();
    opened_.pop_front();
  }
  return file;
}

std::shared_ptr<const Opener> LocalReader::opener_of(size_t which) {
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_[which];
  if (!segment.opener) {
    segment.opener = std::make_shared<const Opener>(
        core_.open_key(object_.encryption, segment.piece.key, customer_key_), segment.piece.size,
        [this, which](uint64_t offset, char* buffer, size_t size) {
          return read_stored(which, offset, buffer, size);
        });
  }
  return segment.opener;
}

std::optional<Reader::File> LocalReader::file() const {
  if (is_inline_ || segments_.size() != 1 || object_.encryption != Encryption::kNone) {
    return std::nullopt;
  }
  return File{segments_[0].file->number(), 0};
}

}  // namespace meesh::objects
