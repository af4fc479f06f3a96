#include "objects/index/record.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace meesh::objects {
namespace {

class Encoder {
 public:
  void number(uint32_t tag, uint64_t value) {
    varint(tag * 2);
    varint(value);
  }
  void number_if(uint32_t tag, uint64_t value) {
    if (value) number(tag, value);
  }
  void bytes(uint32_t tag, std::string_view value) {
    varint(tag * 2 + 1);
    varint(value.size());
    out_ += value;
  }
  void bytes_if(uint32_t tag, std::string_view value, std::string_view usual = {}) {
    if (value != usual) bytes(tag, value);
  }
  /// A pair as a field of its own: name with its length, then the value.
  void pair(uint32_t tag, std::string_view name, std::string_view value) {
    Encoder inner;
    inner.varint(name.size());
    inner.out_ += name;
    inner.out_ += value;
    bytes(tag, inner.out_);
  }
  std::string take() { return std::move(out_); }

 private:
  void varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }

  std::string out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  bool next() {
    if (in_.empty()) return false;
    const uint64_t head = varint();
    tag = static_cast<uint32_t>(head >> 1);
    if (head & 1) {
      bytes = take(varint());
    } else {
      number = varint();
    }
    return true;
  }
  std::pair<std::string_view, std::string_view> pair() const {
    Decoder inner(bytes);
    const std::string_view name = inner.take(inner.varint());
    return {name, inner.in_};
  }

  uint32_t tag = 0;
  uint64_t number = 0;
  std::string_view bytes;

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) damaged();
      const auto byte = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    damaged();
  }
  std::string_view take(uint64_t size) {
    if (size > in_.size()) damaged();
    const std::string_view taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }
  [[noreturn]] static void damaged() {
    throw Error(Code::kIoError, "a record of the object index is damaged");
  }

  std::string_view in_;
};

enum Tag : uint32_t {
  kEtagMd5 = 1,  // 16 raw bytes
  kEtagParts = 2,
  kEtagText = 3,
  kModified = 4,
  kVersionTail = 5,  // of the version's id: what follows seq
  kContentType = 10,
  kCacheControl = 11,
  kContentDisposition = 12,
  kContentEncoding = 13,
  kContentLanguage = 14,
  kExpires = 15,
  kStorageClass = 16,
  kAcl = 17,
  kOwner = 18,
  kRetentionMode = 19,
  kRetentionUntil = 20,
  kLegalHold = 21,
  kMetadata = 22,
  kTag = 23,
  kChecksum = 30,  // + ChecksumKind
  kComposite = 40,
  kEncryption = 41,
  kPiece = 42,
  kPart = 43,
  kManifest = 44,
  kPiecePayload = 50,
  kPieceSize = 51,
  kPieceStored = 52,
  kKeyMaster = 53,
  kKeyBytes = 54,
  kPartNumber = 55,
  kPartSize = 56,
  kBucketOwner = 60,
  kBucketRegion = 61,
  kBucketCreated = 62,
  kBucketVersioning = 63,
  kBucketLock = 64,
  kBucketRetentionMode = 65,
  kBucketRetentionDays = 66,
  kBucketRetentionYears = 67,
  kBucketQuota = 68,
  kBucketDocument = 69,
  kUploadStarted = 80,
  kUploadChecksum = 81,  // kind + 1
  kUploadComposite = 82,
};

uint64_t milliseconds(Time time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }
Time time_of(uint64_t value) {
  return Time(std::chrono::milliseconds(static_cast<int64_t>(value)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// The usual ETag, "<32 hex digits>" or "<32 hex digits>-<parts>", takes half its length.
void encode_etag(Encoder& out, const std::string& etag) {
  std::string raw;
  for (size_t i = 0; i + 1 < etag.size() && i < 32; i += 2) {
    const int high = hex_digit(etag[i]), low = hex_digit(etag[i + 1]);
    if (high < 0 || low < 0) break;
    raw.push_back(static_cast<char>(high * 16 + low));
  }
  uint64_t parts = 0;
  if (raw.size() == 16 && etag.size() > 33 && etag[32] == '-' && etag[33] != '0') {
    const auto end = etag.data() + etag.size();
    if (std::from_chars(etag.data() + 33, end, parts).ptr != end) parts = 0;
  }
  if (raw.size() != 16 || (etag.size() != 32 && parts == 0)) return out.bytes_if(kEtagText, etag);
  out.bytes(kEtagMd5, raw);
  out.number_if(kEtagParts, parts);
}

bool decode_etag(const Decoder& in, std::string& etag) {
  switch (in.tag) {
    case kEtagMd5:
      etag += base::to_hex(in.bytes);
      return true;
    case kEtagParts:
      etag += '-';
      etag += std::to_string(in.number);
      return true;
    case kEtagText:
      etag = in.bytes;
      return true;
  }
  return false;
}

void encode_checksums(Encoder& out, const Checksums& checksums) {
  for (const auto& [kind, value] : checksums) {
    out.bytes(kChecksum + static_cast<uint32_t>(kind), value);
  }
}
bool decode_checksum(const Decoder& in, Checksums& checksums) {
  if (in.tag < kChecksum || in.tag >= kChecksum + kChecksumKinds.size()) return false;
  checksums[static_cast<ChecksumKind>(in.tag - kChecksum)] = in.bytes;
  return true;
}

void encode_key(Encoder& out, const WrappedKey& key) {
  out.bytes_if(kKeyMaster, key.master_key);
  out.bytes_if(kKeyBytes, key.bytes);
}
bool decode_key(const Decoder& in, WrappedKey& key) {
  if (in.tag == kKeyMaster) key.master_key = in.bytes;
  if (in.tag == kKeyBytes) key.bytes = in.bytes;
  return in.tag == kKeyMaster || in.tag == kKeyBytes;
}

std::string encode_piece(const Piece& piece) {
  Encoder out;
  out.number_if(kPiecePayload, piece.payload);
  out.number_if(kPieceSize, piece.size);
  if (piece.stored != piece.size) out.number(kPieceStored, piece.stored);
  encode_key(out, piece.key);
  return out.take();
}

Piece decode_piece(std::string_view record) {
  Piece piece;
  std::optional<uint64_t> stored;
  for (Decoder in(record); in.next();) {
    if (decode_key(in, piece.key)) continue;
    if (in.tag == kPiecePayload) piece.payload = in.number;
    if (in.tag == kPieceSize) piece.size = in.number;
    if (in.tag == kPieceStored) stored = in.number;
  }
  piece.stored = stored.value_or(piece.size);
  return piece;
}

std::string encode_bare_part(const Part& part) {
  Encoder out;
  out.number(kPartNumber, static_cast<uint64_t>(part.number));
  out.number(kPartSize, part.size);
  encode_etag(out, part.etag);
  out.number(kModified, milliseconds(part.modified));
  encode_checksums(out, part.checksums);
  return out.take();
}

Part decode_bare_part(std::string_view record) {
  Part part;
  for (Decoder in(record); in.next();) {
    if (decode_etag(in, part.etag) || decode_checksum(in, part.checksums)) continue;
    if (in.tag == kPartNumber) part.number = static_cast<int>(in.number);
    if (in.tag == kPartSize) part.size = in.number;
    if (in.tag == kModified) part.modified = time_of(in.number);
  }
  return part;
}

void encode_attributes(Encoder& out, const Attributes& attributes) {
  out.bytes_if(kContentType, attributes.content_type);
  out.bytes_if(kCacheControl, attributes.cache_control);
  out.bytes_if(kContentDisposition, attributes.content_disposition);
  out.bytes_if(kContentEncoding, attributes.content_encoding);
  out.bytes_if(kContentLanguage, attributes.content_language);
  out.bytes_if(kExpires, attributes.expires);
  out.bytes_if(kStorageClass, attributes.storage_class, "STANDARD");
  out.bytes_if(kAcl, attributes.acl, "private");
  out.bytes_if(kOwner, attributes.owner);
  out.number_if(kRetentionMode, static_cast<uint64_t>(attributes.retention.mode));
  if (attributes.retention.mode != LockMode::kNone) {
    out.number(kRetentionUntil, milliseconds(attributes.retention.until));
  }
  out.number_if(kLegalHold, attributes.legal_hold);
  for (const auto& [name, value] : attributes.metadata) out.pair(kMetadata, name, value);
  for (const auto& [name, value] : attributes.tags) out.pair(kTag, name, value);
}

bool decode_attribute(const Decoder& in, Attributes& attributes, Depth depth) {
  switch (in.tag) {
    case kStorageClass:
      attributes.storage_class = in.bytes;
      return true;
    case kOwner:
      attributes.owner = in.bytes;
      return true;
    default:
      if (depth == Depth::kListing) return in.tag >= kContentType && in.tag <= kTag;
  }
  switch (in.tag) {
    case kContentType:
      attributes.content_type = in.bytes;
      return true;
    case kCacheControl:
      attributes.cache_control = in.bytes;
      return true;
    case kContentDisposition:
      attributes.content_disposition = in.bytes;
      return true;
    case kContentEncoding:
      attributes.content_encoding = in.bytes;
      return true;
    case kContentLanguage:
      attributes.content_language = in.bytes;
      return true;
    case kExpires:
      attributes.expires = in.bytes;
      return true;
    case kAcl:
      attributes.acl = in.bytes;
      return true;
    case kRetentionMode:
      attributes.retention.mode = static_cast<LockMode>(in.number);
      return true;
    case kRetentionUntil:
      attributes.retention.until = time_of(in.number);
      return true;
    case kLegalHold:
      attributes.legal_hold = in.number != 0;
      return true;
    case kMetadata: {
      const auto [name, value] = in.pair();
      attributes.metadata.emplace(name, value);
      return true;
    }
    case kTag: {
      const auto [name, value] = in.pair();
      attributes.tags.emplace(name, value);
      return true;
    }
  }
  return false;
}

/// What the columns beside a record tell.
void begin_object(uint64_t seq, uint32_t flags, Object& object) {
  object.delete_marker = flags & Row::kMarker;
  if (!(flags & Row::kNull)) object.version = fmt::format("{:016x}", seq);
}

/// A field of a record that belongs to the object.
bool decode_field(const Decoder& in, Object& object, Depth depth) {
  if (decode_etag(in, object.etag) || decode_checksum(in, object.checksums) ||
      decode_attribute(in, object.attributes, depth)) {
    return true;
  }
  switch (in.tag) {
    case kModified:
      object.modified = time_of(in.number);
      return true;
    case kVersionTail:
      object.version += in.bytes;
      return true;
    case kComposite:
      object.composite = true;
      return true;
    case kEncryption:
      object.encryption = static_cast<Encryption>(in.number);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string encode_record(const Row& row) {
  Encoder out;
  const Object& object = row.object;
  encode_etag(out, object.etag);
  out.number(kModified, milliseconds(object.modified));
  if (!row.null_version()) out.bytes(kVersionTail, std::string_view(object.version).substr(16));
  encode_attributes(out, object.attributes);
  encode_checksums(out, object.checksums);
  out.number_if(kComposite, object.composite);
  out.number_if(kEncryption, static_cast<uint64_t>(object.encryption));
  out.number_if(kManifest, row.manifest);
  if (!(row.flags & Row::kLayout)) {
    for (const Piece& piece : row.pieces) out.bytes(kPiece, encode_piece(piece));
  }
  return out.take();
}

void decode_record(std::string_view record, Row& row, Depth depth) {
  begin_object(row.seq, row.flags, row.object);
  for (Decoder in(record); in.next();) {
    if (decode_field(in, row.object, depth)) continue;
    if (in.tag == kManifest) row.manifest = in.number;
    if (in.tag == kPiece && depth == Depth::kAll) row.pieces.push_back(decode_piece(in.bytes));
  }
}

void decode_listed(std::string_view record, uint64_t seq, uint32_t flags, Object& object) {
  begin_object(seq, flags, object);
  for (Decoder in(record); in.next();) decode_field(in, object, Depth::kListing);
}

std::string encode_layout(const Row& row) {
  Encoder out;
  for (const Piece& piece : row.pieces) out.bytes(kPiece, encode_piece(piece));
  for (const Part& part : row.object.parts) out.bytes(kPart, encode_bare_part(part));
  return out.take();
}

void decode_layout(std::string_view record, Row& row) {
  for (Decoder in(record); in.next();) {
    if (in.tag == kPiece) row.pieces.push_back(decode_piece(in.bytes));
    if (in.tag == kPart) row.object.parts.push_back(decode_bare_part(in.bytes));
  }
}

std::string encode_bucket(const Bucket& bucket) {
  Encoder out;
  out.bytes(kBucketOwner, bucket.owner);
  out.bytes(kBucketRegion, bucket.region);
  out.number(kBucketCreated, milliseconds(bucket.created));
  out.number_if(kBucketVersioning, static_cast<uint64_t>(bucket.versioning));
  out.number_if(kBucketLock, bucket.lock_enabled);
  out.number_if(kBucketRetentionMode, static_cast<uint64_t>(bucket.default_retention.mode));
  out.number_if(kBucketRetentionDays, static_cast<uint64_t>(bucket.default_retention.days));
  out.number_if(kBucketRetentionYears, static_cast<uint64_t>(bucket.default_retention.years));
  out.number_if(kBucketQuota, bucket.quota);
  for (const auto& [name, text] : bucket.documents) out.pair(kBucketDocument, name, text);
  return out.take();
}

Bucket decode_bucket(std::string name, std::string_view record) {
  Bucket bucket;
  bucket.name = std::move(name);
  for (Decoder in(record); in.next();) {
    switch (in.tag) {
      case kBucketOwner:
        bucket.owner = in.bytes;
        break;
      case kBucketRegion:
        bucket.region = in.bytes;
        break;
      case kBucketCreated:
        bucket.created = time_of(in.number);
        break;
      case kBucketVersioning:
        bucket.versioning = static_cast<Versioning>(in.number);
        break;
      case kBucketLock:
        bucket.lock_enabled = true;
        break;
      case kBucketRetentionMode:
        bucket.default_retention.mode = static_cast<LockMode>(in.number);
        break;
      case kBucketRetentionDays:
        bucket.default_retention.days = static_cast<int>(in.number);
        break;
      case kBucketRetentionYears:
        bucket.default_retention.years = static_cast<int>(in.number);
        break;
      case kBucketQuota:
        bucket.quota = in.number;
        break;
      case kBucketDocument: {
        const auto [document, text] = in.pair();
        bucket.documents.emplace(document, text);
        break;
      }
      default:
        break;
    }
  }
  return bucket;
}

std::string encode_upload(const UploadRow& row) {
  Encoder out;
  out.number(kUploadStarted, milliseconds(row.upload.started));
  if (row.upload.checksum) {
    out.number(kUploadChecksum, static_cast<uint64_t>(*row.upload.checksum) + 1);
  }
  out.number_if(kUploadComposite, row.upload.composite);
  out.number_if(kEncryption, static_cast<uint64_t>(row.upload.encryption));
  encode_attributes(out, row.upload.attributes);
  encode_key(out, row.check);
  return out.take();
}

void decode_upload(std::string_view record, UploadRow& row) {
  row.upload.composite = false;
  for (Decoder in(record); in.next();) {
    if (decode_attribute(in, row.upload.attributes, Depth::kAll) || decode_key(in, row.check)) {
      continue;
    }
    if (in.tag == kUploadStarted) row.upload.started = time_of(in.number);
    if (in.tag == kUploadChecksum) row.upload.checksum = static_cast<ChecksumKind>(in.number - 1);
    if (in.tag == kUploadComposite) row.upload.composite = true;
    if (in.tag == kEncryption) row.upload.encryption = static_cast<Encryption>(in.number);
  }
}

std::string encode_part(const PartRow& row) {
  Encoder out;
  out.bytes(kPart, encode_bare_part(row.part));
  out.bytes(kPiece, encode_piece(row.piece));
  return out.take();
}

PartRow decode_part(std::string_view record) {
  PartRow row;
  for (Decoder in(record); in.next();) {
    if (in.tag == kPart) row.part = decode_bare_part(in.bytes);
    if (in.tag == kPiece) row.piece = decode_piece(in.bytes);
  }
  return row;
}

std::string make_id(uint64_t seq) {
  unsigned char random[8];
  if (RAND_bytes(random, sizeof random) != 1) {
    throw Error(Code::kGenericInternalError, "the system gives no random numbers");
  }
  std::string id = fmt::format("{:016x}", seq);
  id += base::to_hex({reinterpret_cast<const char*>(random), sizeof random});
  return id;
}

std::optional<uint64_t> seq_of_id(std::string_view id) {
  if (id.size() != 32) return std::nullopt;
  for (const char c : id) {
    if (hex_digit(c) < 0) return std::nullopt;
  }
  uint64_t seq = 0;
  std::from_chars(id.data(), id.data() + 16, seq, 16);
  if (seq > INT64_MAX) return std::nullopt;
  return seq;
}

}  // namespace meesh::objects
