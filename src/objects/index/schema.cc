#include <fmt/format.h>

#include "base/error.h"
#include "objects/index/index.h"

namespace meesh::objects {
namespace {

constexpr int kVersion = 1;

// Keys are BLOBs: compared byte by byte. Every version of a key has a `seq` of its own, unique in
// the store and growing; it also names its inline content and its layout. `record` is written and
// read by record.cc; columns of their own are only those that SQL needs.
constexpr const char* kTables = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('seq', 0);

CREATE TABLE buckets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, record BLOB NOT NULL);
CREATE TABLE usage (
  bucket INTEGER PRIMARY KEY, objects INTEGER NOT NULL, versions INTEGER NOT NULL,
  bytes INTEGER NOT NULL);

-- The newest version of each key, delete markers included: what a listing walks.
CREATE TABLE objects (
  bucket INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL,
  flags INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
-- The older ones, newest first. A key in here is in objects too.
CREATE TABLE noncurrent (
  bucket INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL,
  flags INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (bucket, key, seq DESC)) WITHOUT ROWID;
CREATE INDEX null_versions ON noncurrent (bucket, key) WHERE flags & 2;

CREATE TABLE inline (seq INTEGER PRIMARY KEY, content BLOB NOT NULL);
-- Pieces and parts of versions that lie in several files.
CREATE TABLE layouts (seq INTEGER PRIMARY KEY, record BLOB NOT NULL);

-- Every payload file that something refers to, and how often.
CREATE TABLE payloads (id INTEGER PRIMARY KEY, links INTEGER NOT NULL);
-- Files that nothing refers to any more, to be unlinked.
CREATE TABLE garbage (id INTEGER PRIMARY KEY);
-- Openings of the store that have not ended cleanly (yet): their folders may hold files that no
-- transaction knows.
CREATE TABLE epochs (id INTEGER PRIMARY KEY);

CREATE TABLE uploads (
  bucket INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
  record BLOB NOT NULL, PRIMARY KEY (bucket, key, seq)) WITHOUT ROWID;
CREATE TABLE parts (
  upload INTEGER NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (upload, number)) WITHOUT ROWID;
-- Answers to completions, kept for a while so that a repeated one gets the same.
CREATE TABLE completed (
  upload INTEGER PRIMARY KEY, id TEXT NOT NULL, bucket INTEGER NOT NULL, key BLOB NOT NULL,
  asked BLOB NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, record BLOB NOT NULL);
)";

}  // namespace

void create_schema(sqlite::Connection& db) {
  int64_t version = 0;
  {
    sqlite::Query query(db, "PRAGMA user_version");
    if (query.next()) version = query.number(0);
  }
  if (version > kVersion) {
    throw Error(Code::kConfigInvalid,
                fmt::format("the object index is of a newer meesh (version {}, this program knows "
                            "{})",
                            version, kVersion))
        .with_hint("upgrade meesh, or restore an older copy of the folder");
  }
  if (version == kVersion) return;
  db.execute(
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT", kTables, kVersion));
}

}  // namespace meesh::objects
