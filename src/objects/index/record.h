// How rows of the index hold what SQL does not ask for: tagged fields, unknown ones skipped, absent
// ones at their default. A field is a varint (tag * 2 + kind) followed by a varint (kind 0) or by a
// varint length and as many bytes (kind 1). Tags are never used anew for something else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "objects/encryption.h"
#include "objects/store.h"

namespace meesh::objects {

/// A payload file, or the run of one, that holds a stretch of an object's content.
struct Piece {
  uint64_t payload = 0;  // the file's number
  uint64_t size = 0;     // of the content
  uint64_t stored = 0;   // bytes in the file before its footer; more than size if sealed
  WrappedKey key;        // if encrypted
};

/// One version of a key as the index keeps it.
struct Row {
  enum Flags : uint32_t { kMarker = 1, kNull = 2, kLayout = 4, kInline = 8 };

  uint64_t seq = 0;
  uint32_t flags = 0;
  Object object;
  std::vector<Piece> pieces;  // kInline: one, whose payload is 0
  uint64_t manifest = 0;      // payload file without content that describes this object, or 0

  bool marker() const { return flags & kMarker; }
  bool null_version() const { return flags & kNull; }
};

/// kListing: only what a listing tells (no user metadata, tags or pieces).
enum class Depth { kAll, kListing };
std::string encode_record(const Row& row);
/// Fills all but object.key, size and latest, seq and flags, which have columns; those are set
/// before.
void decode_record(std::string_view record, Row& row, Depth depth = Depth::kAll);
/// Depth::kListing of a row with this seq and these flags, in place: rows are large to move.
void decode_listed(std::string_view record, uint64_t seq, uint32_t flags, Object& object);

/// Pieces and parts of a row with kLayout.
std::string encode_layout(const Row& row);
void decode_layout(std::string_view record, Row& row);

std::string encode_bucket(const Bucket& bucket);
Bucket decode_bucket(std::string name, std::string_view record);

/// An upload under way. `check`: a key wrapped by the customer's, to know it again by.
struct UploadRow {
  uint64_t seq = 0;
  Upload upload;
  WrappedKey check;
};
std::string encode_upload(const UploadRow& row);
void decode_upload(std::string_view record, UploadRow& row);

struct PartRow {
  Part part;
  Piece piece;
};
std::string encode_part(const PartRow& row);
PartRow decode_part(std::string_view record);

/// Versions and uploads are named by their seq and something nobody can guess: 16 + 16 hex digits.
std::string make_id(uint64_t seq);
/// Nothing if it is none of ours.
std::optional<uint64_t> seq_of_id(std::string_view id);

}  // namespace meesh::objects
