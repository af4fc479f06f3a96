// Listings: a walk along the index in key order that jumps over what a delimiter folds together.
#include "objects/index/rows.h"
#include "objects/local/local_store.h"

namespace meesh::objects {
namespace {

using sqlite::Bytes;
using sqlite::Query;

/// Objects are large to move: room for a usual page is made at once.
constexpr size_t kMostReserved = 1000;

/// The smallest text greater than every one that begins with `prefix`. Keys are UTF-8, in which no
/// byte is 0xFF.
std::string behind(std::string prefix) {
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

/// The common prefix that `key` is folded into, or nothing.
std::optional<std::string_view> folded(std::string_view key, std::string_view prefix,
                                       std::string_view delimiter) {
  if (delimiter.empty() || key.size() < prefix.size()) return std::nullopt;
  const size_t at = key.find(delimiter, prefix.size());
  if (at == key.npos) return std::nullopt;
  return key.substr(0, at + delimiter.size());
}

/// Where a listing begins that goes on behind `after`, a key or a common prefix told before.
std::string first_key(std::string_view prefix, std::string_view delimiter,
                      const std::string& after) {
  if (after.empty() || after < prefix) return std::string(prefix);
  const auto fold = after.starts_with(prefix) ? folded(after, prefix, delimiter) : std::nullopt;
  return fold && *fold == after ? behind(after) : after + '\0';
}

}  // namespace

Listing LocalStore::list(const std::string& bucket, const ListOptions& options) {
  const auto entry = core_.buckets.get(bucket);
  Listing listing;
  if (options.limit == 0) return listing;
  listing.objects.reserve(std::min(options.limit, kMostReserved));
  Index::Reading reading = core_.index.read();
  const sqlite::Snapshot snapshot(reading.db());
  Query query(reading.db(),
              "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? AND key >= ? "
              "ORDER BY key",
              entry->id, Bytes(first_key(options.prefix, options.delimiter, options.after)));
  while (query.next()) {
    const std::string_view key = query.bytes(0);
    if (!key.starts_with(options.prefix)) break;
    if (query.number(3) & Row::kMarker) continue;
    if (listing.objects.size() + listing.common_prefixes.size() >= options.limit) {
      listing.truncated = true;
      break;
    }
    if (const auto fold = folded(key, options.prefix, options.delimiter)) {
      listing.common_prefixes.emplace_back(*fold);
      listing.next = listing.common_prefixes.back();
      query.restart(entry->id, Bytes(behind(listing.next)));
      continue;
    }
    rows::read_listed(query, 0, listing.objects.emplace_back());
  }
  if (!listing.truncated) {
    listing.next.clear();
  } else if (!listing.objects.empty() && listing.objects.back().key > listing.next) {
    listing.next = listing.objects.back().key;
  }
  return listing;
}

namespace {

/// Fills a page of versions; false when it is full.
class VersionPage {
 public:
  VersionPage(sqlite::Connection& db, int64_t bucket, const VersionListOptions& options)
      : db_(db), bucket_(bucket), options_(options) {}

  bool add_key(Row newest, uint64_t below) {
    const std::string key = newest.object.key;
    newest.object.latest = true;
    if (newest.seq < below && !add(std::move(newest))) return false;
    for (Query query(db_,
                     "SELECT key, seq, size, flags, record FROM noncurrent "
                     "WHERE bucket = ? AND key = ? AND seq < ? ORDER BY seq DESC",
                     bucket_, Bytes(key), below);
         query.next();) {
      Row row = rows::read_row(query, 0, Depth::kListing);
      row.object.latest = false;
      if (!add(std::move(row))) return false;
    }
    return true;
  }
  bool add_prefix(std::string_view prefix) {
    if (full()) return false;
    listing.common_prefixes.emplace_back(prefix);
    next_key_ = prefix;
    next_version_.clear();
    return true;
  }
  VersionListing take() {
    if (listing.truncated) {
      listing.next_key = std::move(next_key_);
      listing.next_version = std::move(next_version_);
    }
    return std::move(listing);
  }

  VersionListing listing;

 private:
  bool full() {
    listing.truncated = listing.versions.size() + listing.common_prefixes.size() >= options_.limit;
    return listing.truncated;
  }
  bool add(Row row) {
    if (full()) return false;
    next_key_ = row.object.key;
    next_version_ = row.object.version;
    listing.versions.push_back(std::move(row.object));
    return true;
  }

  sqlite::Connection& db_;
  const int64_t bucket_;
  const VersionListOptions& options_;
  std::string next_key_, next_version_;
};

/// Versions older than this one follow the marker; all of them if it is unknown.
uint64_t seq_of_marker(sqlite::Connection& db, int64_t bucket, const VersionListOptions& options) {
  if (const auto seq = seq_of_id(options.version_marker)) return *seq;
  const auto row = rows::version(db, bucket, options.key_marker, options.version_marker);
  if (!row) throw ObjectError(Reason::kInvalidArgument, "Invalid version id specified");
  return row->seq;
}

}  // namespace

VersionListing LocalStore::list_versions(const std::string& bucket,
                                         const VersionListOptions& options) {
  const auto entry = core_.buckets.get(bucket);
  if (options.limit == 0) return {};
  Index::Reading reading = core_.index.read();
  sqlite::Connection& db = reading.db();
  const sqlite::Snapshot snapshot(db);
  const bool within_key = !options.version_marker.empty() && !options.key_marker.empty();
  const std::string from = within_key
                               ? std::max(options.prefix, options.key_marker)
                               : first_key(options.prefix, options.delimiter, options.key_marker);
  const uint64_t below_in_marker = within_key ? seq_of_marker(db, entry->id, options) : 0;
  VersionPage page(db, entry->id, options);
  Query query(db,
              "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? AND key >= ? "
              "ORDER BY key",
              entry->id, Bytes(from));
  while (query.next()) {
    const std::string_view key = query.bytes(0);
    if (!key.starts_with(options.prefix)) break;
    if (const auto fold = folded(key, options.prefix, options.delimiter)) {
      const std::string prefix(*fold);
      if (!page.add_prefix(prefix)) break;
      query.restart(entry->id, Bytes(behind(prefix)));
      continue;
    }
    const bool marked = within_key && key == options.key_marker;
    if (!page.add_key(rows::read_row(query, 0, Depth::kListing),
                      marked ? below_in_marker : INT64_MAX)) {
      break;
    }
  }
  return page.take();
}

UploadListing LocalStore::list_uploads(const std::string& bucket,
                                       const UploadListOptions& options) {
  const auto entry = core_.buckets.get(bucket);
  UploadListing listing;
  if (options.limit == 0) return listing;
  Index::Reading reading = core_.index.read();
  const sqlite::Snapshot snapshot(reading.db());
  // Uploads of the marked key go on behind the marked upload; without one that key is done.
  const auto seq = seq_of_id(options.id_marker);
  const bool within_key = seq && !options.key_marker.empty();
  const std::string from = within_key
                               ? std::max(options.prefix, options.key_marker)
                               : first_key(options.prefix, options.delimiter, options.key_marker);
  Query query(reading.db(),
              "SELECT key, seq, id, record FROM uploads WHERE bucket = ? AND key >= ? "
              "ORDER BY key, seq",
              entry->id, Bytes(from));
  while (query.next()) {
    const std::string_view key = query.bytes(0);
    if (!key.starts_with(options.prefix)) break;
    if (within_key && key == options.key_marker && static_cast<uint64_t>(query.number(1)) <= *seq) {
      continue;
    }
    if (listing.uploads.size() + listing.common_prefixes.size() >= options.limit) {
      listing.truncated = true;
      break;
    }
    if (const auto fold = folded(key, options.prefix, options.delimiter)) {
      listing.common_prefixes.emplace_back(*fold);
      listing.next_key = *fold;
      listing.next_id.clear();
      query.restart(entry->id, Bytes(behind(listing.next_key)));
      continue;
    }
    UploadRow row;
    row.upload.key = key;
    row.upload.id = query.text(2);
    decode_upload(query.bytes(3), row);
    listing.next_key = row.upload.key;
    listing.next_id = row.upload.id;
    listing.uploads.push_back(std::move(row.upload));
  }
  if (!listing.truncated) {
    listing.next_key.clear();
    listing.next_id.clear();
  }
  return listing;
}

}  // namespace meesh::objects
