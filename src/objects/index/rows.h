// The statements on the index's tables. Functions that change belong inside Index::change; those
// that only look work on any connection. `bucket` is the bucket's id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "objects/index/record.h"
#include "objects/index/sqlite.h"

namespace meesh::objects::rows {

using sqlite::Connection;

// Looking. Rows come with all but their layout; object.latest tells which table they are in.
std::optional<Row> current(Connection& db, int64_t bucket, std::string_view key);
/// "" is the newest, "null" the null version. Nothing also for ids that are none of ours.
std::optional<Row> version(Connection& db, int64_t bucket, std::string_view key,
                           std::string_view version);
std::optional<Row> newest_noncurrent(Connection& db, int64_t bucket, std::string_view key);
std::optional<Row> null_noncurrent(Connection& db, int64_t bucket, std::string_view key);
/// Adds pieces and parts of a row with several files.
void load_layout(Connection& db, Row& row);
std::optional<std::string> inline_content(Connection& db, uint64_t seq);

/// Columns key, seq, size, flags, record beginning at `column`.
Row read_row(const sqlite::Query& query, int column, Depth depth);
/// Of the same columns what a listing tells.
void read_listed(const sqlite::Query& query, int column, Object& object);

// Changing. The table is chosen by object.latest.
void insert(Connection& db, int64_t bucket, const Row& row);
void erase(Connection& db, int64_t bucket, const Row& row);
/// After a change of attributes alone.
void update(Connection& db, int64_t bucket, const Row& row);
/// Moves it from objects to noncurrent; the place in objects must be filled next.
void retire(Connection& db, int64_t bucket, Row& row);
/// The contrary, after the newest version of its key was erased.
void promote(Connection& db, int64_t bucket, Row& row);

/// Content of a new row: its inline bytes or layout; every file gets one link more.
void add_content(Connection& db, const Row& row, std::string_view inline_bytes);
/// Takes them back; a file without links becomes garbage. Loads the layout itself.
void drop_content(Connection& db, Row& row);
void link(Connection& db, uint64_t payload);
void unlink(Connection& db, uint64_t payload);

void count(Connection& db, int64_t bucket, int64_t objects, int64_t versions, int64_t bytes);
Usage usage(Connection& db, int64_t bucket);

}  // namespace meesh::objects::rows
