// Data keys wrapped anew under the current master key. A page of rows is looked at outside of the
// index's writer and changed inside, row by row as it is then; what needs no change costs no write,
// so that to begin again after an interruption is to go on.
#include <fmt/format.h>

#include "objects/index/rows.h"
#include "objects/local/local_store.h"

namespace meesh::objects {
namespace {

using sqlite::Bytes;
using sqlite::Connection;
using sqlite::Query;

constexpr size_t kRowsInPage = 500;

class Rotation {
 public:
  Rotation(Core& core, const Progress& progress) : core_(core), progress_(progress) {}

  /// Passes until one finds nothing to change: a copy or completion under way may have put an old
  /// key behind the place that was reached.
  RotateReport run() {
    uint64_t before = 0;
    do {
      before = report_.rewrapped;
      report_.sealed = 0;
      report_.missing_keys.clear();
      count_versions();
      if (!pass()) return std::move(report_);
    } while (report_.rewrapped > before);
    report_.complete = report_.missing_keys.empty();
    return std::move(report_);
  }

 private:
  struct Place {
    std::string key;
    uint64_t seq = 0;
  };

  void count_versions() {
    done_ = total_ = 0;
    Index::Reading reading = core_.index.read();
    for (const auto& bucket : core_.buckets.all()) {
      total_ += rows::usage(reading.db(), bucket->id).versions;
    }
  }

  /// False if `progress` ended it.
  bool pass() {
    for (const auto& bucket : core_.buckets.all()) {
      for (const bool latest : {true, false}) {
        if (!rotate_table(*bucket, latest)) return false;
      }
    }
    return rotate_parts();
  }

  bool going_on(size_t rows) {
    done_ += rows;
    return !progress_ || progress_(std::min(done_, total_), total_);
  }

  bool rotate_table(const BucketEntry& bucket, bool latest) {
    Place after;
    while (true) {
      std::vector<Row> outdated;
      const size_t rows = read_page(bucket.id, latest, after, outdated);
      if (!outdated.empty()) {
        uint64_t rewrapped = 0;
        core_.index.change([&](Connection& db) {
          rewrapped = 0;
          for (const Row& row : outdated) rewrapped += rewrap_version(db, bucket.id, row);
        });
        report_.rewrapped += rewrapped;
      }
      if (!going_on(rows)) return false;
      if (rows < kRowsInPage) return true;
    }
  }

  size_t read_page(int64_t bucket, bool latest, Place& after, std::vector<Row>& outdated) {
    Index::Reading reading = core_.index.read();
    // As the scrub reads them: behind (key, seq) in the order of the table.
    const char* sql = latest ? "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? "
                               "AND key >= ? AND NOT (key = ? AND seq <= ?) ORDER BY key LIMIT ?"
                             : "SELECT key, seq, size, flags, record FROM noncurrent WHERE bucket "
                               "= ? AND key >= ? AND NOT (key = ? AND seq >= ?) ORDER BY key, seq "
                               "DESC LIMIT ?";
    std::vector<Row> page;
    for (Query query(reading.db(), sql, bucket, Bytes(after.key), Bytes(after.key),
                     latest || after.seq ? after.seq : uint64_t{INT64_MAX}, kRowsInPage);
         query.next();) {
      page.push_back(rows::read_row(query, 0, Depth::kAll));
    }
    if (!page.empty()) after = {page.back().object.key, page.back().seq};
    for (Row& row : page) {
      if (row.object.encryption != Encryption::kS3) continue;
      rows::load_layout(reading.db(), row);
      if (std::any_of(row.pieces.begin(), row.pieces.end(),
                      [&](const Piece& piece) { return look_at(piece.key); })) {
        outdated.push_back(std::move(row));
      }
    }
    return page.size();
  }

  /// True if it must be wrapped anew and can be.
  bool look_at(const WrappedKey& key) {
    if (key.master_key.empty()) return false;
    ++report_.sealed;
    if (!core_.keys.outdated(key)) return false;
    try {
      core_.keys.unwrap(key);
      return true;
    } catch (const ObjectError&) {
      ++report_.missing_keys[key.master_key];
      return false;
    }
  }

  /// Of one version as it is now; how many keys.
  uint64_t rewrap_version(Connection& db, int64_t bucket, const Row& seen) {
    auto row = rows::version(db, bucket, seen.object.key, seen.object.version);
    if (!row || row->seq != seen.seq) return 0;
    rows::load_layout(db, *row);
    uint64_t rewrapped = 0;
    for (Piece& piece : row->pieces) rewrapped += rewrap(piece.key);
    if (rewrapped == 0) return 0;
    if (row->flags & Row::kLayout) {
      db.run("UPDATE layouts SET record = ? WHERE seq = ?", Bytes(encode_layout(*row)), row->seq);
    } else {
      rows::update(db, bucket, *row);
    }
    return rewrapped;
  }

  uint64_t rewrap(WrappedKey& key) const {
    if (!core_.keys.outdated(key)) return 0;
    try {
      key = core_.keys.rewrap(key);
      return 1;
    } catch (const ObjectError&) {
      return 0;  // told by look_at()
    }
  }

  struct PartPlace {
    int64_t upload = 0, number = 0;
  };

  bool rotate_parts() {
    PartPlace after{-1, 0};
    while (true) {
      std::vector<PartPlace> outdated;
      const size_t rows = read_parts(after, outdated);
      if (!outdated.empty()) {
        uint64_t rewrapped = 0;
        core_.index.change([&](Connection& db) {
          rewrapped = 0;
          for (const PartPlace& part : outdated) rewrapped += rewrap_part(db, part);
        });
        report_.rewrapped += rewrapped;
      }
      if (!going_on(0)) return false;
      if (rows < kRowsInPage) return true;
    }
  }

  size_t read_parts(PartPlace& after, std::vector<PartPlace>& outdated) {
    Index::Reading reading = core_.index.read();
    size_t rows = 0;
    for (Query query(reading.db(),
                     "SELECT upload, number, record FROM parts WHERE (upload, number) > (?, ?) "
                     "ORDER BY upload, number LIMIT ?",
                     after.upload, after.number, kRowsInPage);
         query.next(); ++rows) {
      after = {query.number(0), query.number(1)};
      if (look_at(decode_part(query.bytes(2)).piece.key)) outdated.push_back(after);
    }
    return rows;
  }

  uint64_t rewrap_part(Connection& db, const PartPlace& place) {
    std::string record;
    {
      Query query(db, "SELECT record FROM parts WHERE upload = ? AND number = ?", place.upload,
                  place.number);
      if (!query.next()) return 0;
      record = query.text(0);
    }
    PartRow row = decode_part(record);
    if (rewrap(row.piece.key) == 0) return 0;
    db.run("UPDATE parts SET record = ? WHERE upload = ? AND number = ?", Bytes(encode_part(row)),
           place.upload, place.number);
    return 1;
  }

  Core& core_;
  const Progress& progress_;
  RotateReport report_;
  uint64_t done_ = 0, total_ = 0;
};

}  // namespace

RotateReport LocalStore::rotate_key(const Progress& progress) {
  return Rotation(core_, progress).run();
}

}  // namespace meesh::objects
