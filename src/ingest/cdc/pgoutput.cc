#include "ingest/cdc/pgoutput.h"

#include <fmt/format.h>

#include "base/error.h"

namespace meesh::ingest::pgoutput {
namespace {

/// Takes what the formats are made of, in order.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      throw Error(Code::kGenericExternal,
                  fmt::format("a message of PostgreSQL's replication ends too early: {} bytes are "
                              "missing",
                              count - rest_.size()));
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <class T>
  T number() {
    uint64_t value = 0;
    for (const char c : take(sizeof(T))) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<T>(value);
  }
  char letter() { return take(1)[0]; }
  std::string_view text() {
    const size_t end = rest_.find('\0');
    const auto taken = take(end == std::string_view::npos ? rest_.size() + 1 : end + 1);
    return taken.substr(0, taken.size() - 1);
  }
  /// A count that is followed by that many things of at least `least` bytes.
  template <class T>
  size_t count(size_t least) {
    const auto value = number<T>();
    if (value < 0 || static_cast<size_t>(value) > rest_.size() / least) {
      throw Error(Code::kGenericExternal,
                  fmt::format("a message of PostgreSQL's replication promises {} parts in {} bytes",
                              value, rest_.size()));
    }
    return static_cast<size_t>(value);
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

[[noreturn]] void unknown(std::string_view what, char word) {
  throw Error(Code::kGenericExternal,
              fmt::format("PostgreSQL's replication sent {} of an unknown kind (byte {})", what,
                          static_cast<int>(static_cast<unsigned char>(word))));
}

void read_tuple(Bytes& bytes, std::vector<Cell>& cells) {
  cells.resize(bytes.count<int16_t>(1));
  for (auto& cell : cells) {
    const char kind = bytes.letter();
    cell.text = {};
    if (kind == 'n') {
      cell.kind = Cell::Kind::kNull;
    } else if (kind == 'u') {
      cell.kind = Cell::Kind::kUnchanged;
    } else if (kind == 't') {
      cell.kind = Cell::Kind::kText;
      cell.text = bytes.take(bytes.count<int32_t>(1));
    } else {
      unknown("a value", kind);
    }
  }
}

void read_relation(Bytes& bytes, Message& message) {
  message.relation = bytes.number<uint32_t>();
  message.schema = bytes.text();
  message.name = bytes.text();
  message.identity = bytes.letter();
  message.columns.resize(bytes.count<int16_t>(10));
  for (auto& column : message.columns) {
    column.key = (bytes.letter() & 1) != 0;
    column.name = bytes.text();
    column.type = bytes.number<uint32_t>();
    column.modifier = bytes.number<int32_t>();
  }
}

/// The old row, if there is one, and then the new one if `row` is to come.
void read_change(Bytes& bytes, Message& message, bool row) {
  message.relation = bytes.number<uint32_t>();
  char kind = bytes.letter();
  if (kind == 'K' || kind == 'O') {
    message.before_kind = kind;
    read_tuple(bytes, message.before);
    if (!row) return;
    kind = bytes.letter();
  }
  if (kind != 'N' || !row) unknown("a row", kind);
  read_tuple(bytes, message.row);
}

void append(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

}  // namespace

Frame read_frame(std::string_view data) {
  Bytes bytes(data);
  Frame frame;
  frame.kind = bytes.letter();
  if (frame.kind == 'w') {
    frame.start = bytes.number<uint64_t>();
    frame.end = bytes.number<uint64_t>();
    frame.sent = bytes.number<int64_t>();
  } else if (frame.kind == 'k') {
    frame.end = bytes.number<uint64_t>();
    frame.sent = bytes.number<int64_t>();
    frame.reply = bytes.letter() != 0;
  }
  frame.payload = bytes.rest();
  return frame;
}

std::string standby_status(uint64_t lsn, int64_t now, bool reply) {
  std::string out = "r";
  for (int i = 0; i < 3; ++i) append(out, lsn);
  append(out, static_cast<uint64_t>(now));
  out += reply ? '\1' : '\0';
  return out;
}

void read_message(std::string_view data, Message& message) {
  Bytes bytes(data);
  message.kind = bytes.letter();
  message.before_kind = 0;
  switch (message.kind) {
    case 'B':
      message.commit_lsn = bytes.number<uint64_t>();
      message.committed = bytes.number<int64_t>();
      message.xid = bytes.number<uint32_t>();
      break;
    case 'C':
      bytes.letter();  // flags, none are defined
      message.commit_lsn = bytes.number<uint64_t>();
      message.end_lsn = bytes.number<uint64_t>();
      message.committed = bytes.number<int64_t>();
      break;
    case 'R':
      read_relation(bytes, message);
      break;
    case 'I':
    case 'U':
      read_change(bytes, message, true);
      break;
    case 'D':
      read_change(bytes, message, false);
      break;
    case 'T': {
      const auto count = bytes.number<int32_t>();
      bytes.letter();  // CASCADE, RESTART IDENTITY
      if (count < 0 || static_cast<size_t>(count) > bytes.rest().size() / 4)
        unknown("a truncation", message.kind);
      message.relations.clear();
      for (int32_t i = 0; i < count; ++i) message.relations.push_back(bytes.number<uint32_t>());
      break;
    }
    default:
      break;
  }
}

}  // namespace meesh::ingest::pgoutput
