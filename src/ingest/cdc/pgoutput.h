// What PostgreSQL sends to those who follow its changes: the frames of streaming replication, and
// inside them the messages of the plug-in pgoutput, protocol version 1. Formats: PostgreSQL's
// documentation, "Streaming Replication Protocol" and "Logical Replication Message Formats".
//
// Nothing is copied: texts are views into the bytes given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::ingest::pgoutput {

/// A frame of the stream, CopyData's payload.
struct Frame {
  char kind = 0;       // 'w': a message of the plug-in; 'k': a keepalive
  uint64_t start = 0;  // 'w': LSN of the message
  uint64_t end = 0;    // LSN that the server has come to
  int64_t sent = 0;    // µs since 2000-01-01
  bool reply = false;  // 'k': the server wants an answer at once
  std::string_view payload;
};

/// Throws GENERIC_EXTERNAL for bytes that are no frame. Kinds that are not known come back with all
/// bytes as payload.
Frame read_frame(std::string_view bytes);

/// An answer: written, flushed and applied up to there.
std::string standby_status(uint64_t lsn, int64_t now, bool reply);

struct Cell {
  enum class Kind : uint8_t { kNull, kUnchanged, kText };
  Kind kind = Kind::kNull;
  std::string_view text;
};

struct RelationColumn {
  std::string_view name;
  uint32_t type = 0;      // OID
  int32_t modifier = -1;  // typmod
  bool key = false;       // of the replica identity
};

/// One message; which members mean something depends on its kind. It is read into again and again,
/// so that vectors keep their memory.
struct Message {
  /// 'B' begin, 'C' commit, 'R' relation, 'I' insert, 'U' update, 'D' delete, 'T' truncate; 'O',
  /// 'Y' and 'M' (origin, type, message) and kinds that are not known carry nothing here.
  char kind = 0;
  // B, C
  uint64_t commit_lsn = 0;  // where the commit's record begins
  uint64_t end_lsn = 0;     // C: and where it ends
  int64_t committed = 0;    // µs since 2000-01-01
  uint32_t xid = 0;         // B
  // R, I, U, D
  uint32_t relation = 0;  // OID
  // R
  std::string_view schema, name;
  char identity = 'd';  // relreplident
  std::vector<RelationColumn> columns;
  // U, D
  char before_kind = 0;      // 'K': the key alone, 'O': all columns, 0: there is no old row
  std::vector<Cell> before;  // as many as columns
  // I, U
  std::vector<Cell> row;
  // T
  std::vector<uint32_t> relations;
};

/// Throws GENERIC_EXTERNAL for bytes that are no message.
void read_message(std::string_view bytes, Message& message);

}  // namespace meesh::ingest::pgoutput
