#include "objects/index/rows.h"

namespace meesh::objects::rows {
namespace {

using sqlite::Bytes;
using sqlite::Query;

std::optional<Row> only_row(Query& query, std::string_view key, bool latest) {
  if (!query.next()) return std::nullopt;
  Row row = read_row(query, 0, Depth::kAll);
  row.object.key = key;
  row.object.latest = latest;
  return row;
}

std::optional<Row> noncurrent_of_seq(Connection& db, int64_t bucket, std::string_view key,
                                     uint64_t seq) {
  Query query(db,
              "SELECT key, seq, size, flags, record FROM noncurrent "
              "WHERE bucket = ? AND key = ? AND seq = ?",
              bucket, Bytes(key), seq);
  return only_row(query, key, false);
}

}  // namespace

Row read_row(const Query& query, int column, Depth depth) {
  Row row;
  row.object.key = query.bytes(column);
  row.seq = static_cast<uint64_t>(query.number(column + 1));
  row.object.size = static_cast<uint64_t>(query.number(column + 2));
  row.flags = static_cast<uint32_t>(query.number(column + 3));
  decode_record(query.bytes(column + 4), row, depth);
  return row;
}

void read_listed(const Query& query, int column, Object& object) {
  object.key = query.bytes(column);
  object.size = static_cast<uint64_t>(query.number(column + 2));
  decode_listed(query.bytes(column + 4), static_cast<uint64_t>(query.number(column + 1)),
                static_cast<uint32_t>(query.number(column + 3)), object);
}

std::optional<Row> current(Connection& db, int64_t bucket, std::string_view key) {
  Query query(db, "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? AND key = ?",
              bucket, Bytes(key));
  return only_row(query, key, true);
}

std::optional<Row> newest_noncurrent(Connection& db, int64_t bucket, std::string_view key) {
  Query query(db,
              "SELECT key, seq, size, flags, record FROM noncurrent "
              "WHERE bucket = ? AND key = ? ORDER BY seq DESC LIMIT 1",
              bucket, Bytes(key));
  return only_row(query, key, false);
}

std::optional<Row> null_noncurrent(Connection& db, int64_t bucket, std::string_view key) {
  Query query(db,
              "SELECT key, seq, size, flags, record FROM noncurrent INDEXED BY null_versions "
              "WHERE bucket = ? AND key = ? AND flags & 2",
              bucket, Bytes(key));
  return only_row(query, key, false);
}

std::optional<Row> version(Connection& db, int64_t bucket, std::string_view key,
                           std::string_view version) {
  auto found = current(db, bucket, key);
  if (version.empty() || !found || found->object.version == version) return found;
  if (version == kNullVersion) return null_noncurrent(db, bucket, key);
  const auto seq = seq_of_id(version);
  if (!seq) return std::nullopt;
  found = noncurrent_of_seq(db, bucket, key, *seq);
  if (found && found->object.version != version) return std::nullopt;
  return found;
}

void load_layout(Connection& db, Row& row) {
  if (!(row.flags & Row::kLayout) || !row.pieces.empty()) return;
  Query query(db, "SELECT record FROM layouts WHERE seq = ?", row.seq);
  if (query.next()) decode_layout(query.bytes(0), row);
}

std::optional<std::string> inline_content(Connection& db, uint64_t seq) {
  Query query(db, "SELECT content FROM inline WHERE seq = ?", seq);
  if (!query.next()) return std::nullopt;
  return query.text(0);
}

void insert(Connection& db, int64_t bucket, const Row& row) {
  const char* sql = row.object.latest ? "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)"
                                      : "INSERT INTO noncurrent VALUES (?, ?, ?, ?, ?, ?)";
  db.run(sql, bucket, Bytes(row.object.key), row.seq, row.object.size, row.flags,
         Bytes(encode_record(row)));
}

void erase(Connection& db, int64_t bucket, const Row& row) {
  const char* sql = row.object.latest
                        ? "DELETE FROM objects WHERE bucket = ? AND key = ? AND seq = ?"
                        : "DELETE FROM noncurrent WHERE bucket = ? AND key = ? AND seq = ?";
  db.run(sql, bucket, Bytes(row.object.key), row.seq);
}

void update(Connection& db, int64_t bucket, const Row& row) {
  const char* sql = row.object.latest
                        ? "UPDATE objects SET record = ? WHERE bucket = ? AND key = ? AND seq = ?"
                        : "UPDATE noncurrent SET record = ? WHERE bucket = ? AND key = ? AND "
                          "seq = ?";
  db.run(sql, Bytes(encode_record(row)), bucket, Bytes(row.object.key), row.seq);
}

void retire(Connection& db, int64_t bucket, Row& row) {
  erase(db, bucket, row);
  row.object.latest = false;
  insert(db, bucket, row);
}

void promote(Connection& db, int64_t bucket, Row& row) {
  erase(db, bucket, row);
  row.object.latest = true;
  insert(db, bucket, row);
}

void link(Connection& db, uint64_t payload) {
  db.run("INSERT INTO payloads VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET links = links + 1",
         payload);
}

void unlink(Connection& db, uint64_t payload) {
  db.run("UPDATE payloads SET links = links - 1 WHERE id = ?", payload);
  db.run("DELETE FROM payloads WHERE id = ? AND links <= 0", payload);
  if (db.changes() > 0) db.run("INSERT OR IGNORE INTO garbage VALUES (?)", payload);
}

void add_content(Connection& db, const Row& row, std::string_view inline_bytes) {
  if (row.flags & Row::kInline) {
    db.run("INSERT INTO inline VALUES (?, ?)", row.seq, Bytes(inline_bytes));
    return;
  }
  if (row.flags & Row::kLayout) {
    db.run("INSERT INTO layouts VALUES (?, ?)", row.seq, Bytes(encode_layout(row)));
  }
  for (const Piece& piece : row.pieces) link(db, piece.payload);
  if (row.manifest) link(db, row.manifest);
}

void drop_content(Connection& db, Row& row) {
  if (row.flags & Row::kInline) {
    db.run("DELETE FROM inline WHERE seq = ?", row.seq);
    return;
  }
  if (row.flags & Row::kLayout) {
    load_layout(db, row);
    db.run("DELETE FROM layouts WHERE seq = ?", row.seq);
  }
  for (const Piece& piece : row.pieces) unlink(db, piece.payload);
  if (row.manifest) unlink(db, row.manifest);
}

void count(Connection& db, int64_t bucket, int64_t objects, int64_t versions, int64_t bytes) {
  if (objects == 0 && versions == 0 && bytes == 0) return;
  db.run(
      "UPDATE usage SET objects = objects + ?, versions = versions + ?, bytes = bytes + ? "
      "WHERE bucket = ?",
      objects, versions, bytes, bucket);
}

Usage usage(Connection& db, int64_t bucket) {
  Query query(db, "SELECT objects, versions, bytes FROM usage WHERE bucket = ?", bucket);
  if (!query.next()) return {};
  return {static_cast<uint64_t>(query.number(0)), static_cast<uint64_t>(query.number(1)),
          static_cast<uint64_t>(query.number(2))};
}

}  // namespace meesh::objects::rows
