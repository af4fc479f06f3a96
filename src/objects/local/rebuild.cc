// A new index from the footers of payload files.
#include <fmt/format.h>

#include "base/error.h"
#include "objects/index/rows.h"
#include "objects/local/core.h"
#include "objects/local/versions.h"
#include "objects/maintenance.h"

namespace meesh::objects {
namespace {

using sqlite::Connection;

constexpr size_t kFilesInChange = 500;

class Rebuild {
 public:
  explicit Rebuild(const LocalOptions& options)
      : core_(options, std::make_shared<Disk>(), Opening::kRebuild) {}

  RebuildReport run() {
    std::vector<uint64_t> ids;
    for (const uint64_t epoch : core_.files.epochs()) {
      core_.files.each(epoch, [&](uint64_t id) { ids.push_back(id); });
    }
    std::sort(ids.begin(), ids.end());
    for (size_t from = 0; from < ids.size(); from += kFilesInChange) {
      std::vector<PayloadDescription> batch;
      for (size_t i = from; i < std::min(ids.size(), from + kFilesInChange); ++i) {
        ++report_.payloads;
        if (auto description = read(ids[i])) {
          if (description->kind != PayloadKind::kPart) batch.push_back(std::move(*description));
        } else {
          problem(ids[i], "has no footer that can be read");
        }
      }
      for (const auto& description : batch) ensure_bucket(description);
      core_.index.change([&](Connection& db) {
        for (const auto& description : batch) add(db, description);
      });
    }
    core_.index.change([&](Connection& db) {
      db.run(
          "UPDATE usage SET objects = (SELECT count(*) FROM objects WHERE bucket = "
          "usage.bucket)");
      call_whole(db);
    });
    return std::move(report_);
  }

 private:
  void problem(uint64_t id, const std::string& what) {
    report_.problems.push_back(fmt::format("{} {}", core_.files.path(id).string(), what));
  }

  std::optional<PayloadDescription> read(uint64_t id) const {
    const Descriptor file = core_.files.open(id);
    if (!file.open()) return std::nullopt;
    const uint64_t size = size_of(file);
    if (size < kPayloadTrailerBytes) return std::nullopt;
    std::string end(kPayloadTrailerBytes, '\0');
    read_at(file, size - end.size(), end.data(), end.size());
    const auto footer_size = payload_footer_size(end);
    if (!footer_size || *footer_size > size) return std::nullopt;
    std::string footer(*footer_size, '\0');
    read_at(file, size - footer.size(), footer.data(), footer.size());
    auto description = parse_payload_footer(footer);
    if (description && description->stored + *footer_size != size) return std::nullopt;
    return description;
  }

  void ensure_bucket(const PayloadDescription& description) {
    const auto known = core_.buckets.find(description.bucket);
    const bool versioned = description.object.version != kNullVersion;
    if (known && (!versioned || known->bucket.versioning == Versioning::kEnabled)) return;
    auto entry = std::make_shared<BucketEntry>();
    if (known) *entry = *known;
    entry->bucket.name = description.bucket;
    if (!known) {
      entry->bucket.owner = description.object.attributes.owner;
      entry->bucket.created = description.object.modified;
    }
    if (versioned) entry->bucket.versioning = Versioning::kEnabled;
    core_.index.change(
        [&](Connection& db) {
          if (known) {
            db.run("UPDATE buckets SET record = ? WHERE id = ?",
                   sqlite::Bytes(encode_bucket(entry->bucket)), entry->id);
            return;
          }
          db.run("INSERT INTO buckets (name, record) VALUES (?, ?)", entry->bucket.name,
                 sqlite::Bytes(encode_bucket(entry->bucket)));
          entry->id = db.last_id();
          db.run("INSERT INTO usage VALUES (?, 0, 0, 0)", entry->id);
        },
        [&] { core_.buckets.put(entry); }, Index::Grouping::kAlone);
  }

  /// The pieces, or nothing if one is missing.
  bool fill_pieces(const PayloadDescription& description, Row& row) {
    if (description.kind == PayloadKind::kObject) {
      row.pieces = {
          {description.payload, row.object.size, description.stored, description.data_key}};
      return true;
    }
    row.manifest = description.payload;
    // A copy of an object that was no multipart upload has one piece and a plain ETag.
    const bool multipart = row.object.etag.find('-') != std::string::npos;
    if (multipart) row.flags |= Row::kLayout;
    for (const PayloadPart& part : description.parts) {
      const auto content = read(part.payload);
      if (!content) {
        problem(part.payload, fmt::format("is missing or damaged; '{}/{}' needs it",
                                          description.bucket, row.object.key));
        return false;
      }
      row.pieces.push_back({part.payload, part.part.size, content->stored, content->data_key});
      if (multipart) row.object.parts.push_back(part.part);
    }
    return true;
  }

  void add(Connection& db, const PayloadDescription& description) {
    Row row;
    row.object = description.object;
    if (!fill_pieces(description, row)) return;
    const int64_t bucket = core_.buckets.get(description.bucket)->id;
    const auto named = seq_of_id(row.object.version);
    // A null version's place among the others is told by its time.
    row.seq =
        named ? *named
              : static_cast<uint64_t>(row.object.modified.time_since_epoch().count()) * 1000 + 999;
    if (!named) {
      row.flags |= Row::kNull;
      row.object.version = kNullVersion;
    }
    while (seqs_.contains(row.seq)) ++row.seq;
    place(db, bucket, std::move(row));
  }

  void place(Connection& db, int64_t bucket, Row row) {
    auto current = rows::current(db, bucket, row.object.key);
    if (row.null_version()) {
      auto other = current && current->null_version()
                       ? current
                       : rows::null_noncurrent(db, bucket, row.object.key);
      if (other) {
        if (other->seq > row.seq) return;  // a file that was about to be removed
        drop(db, bucket, *other);
        current = rows::current(db, bucket, row.object.key);
      }
    }
    row.object.latest = !current || row.seq > current->seq;
    if (current && row.object.latest) rows::retire(db, bucket, *current);
    seqs_.insert(row.seq);
    rows::insert(db, bucket, row);
    rows::add_content(db, row, {});
    rows::count(db, bucket, 0, 1, static_cast<int64_t>(row.object.size));
    ++report_.objects;
  }

  void drop(Connection& db, int64_t bucket, Row& row) {
    rows::erase(db, bucket, row);
    rows::drop_content(db, row);
    rows::count(db, bucket, 0, -1, -static_cast<int64_t>(row.object.size));
    --report_.objects;
    if (!row.object.latest) return;
    if (auto next = rows::newest_noncurrent(db, bucket, row.object.key)) {
      rows::promote(db, bucket, *next);
    }
  }

  Core core_;
  std::set<uint64_t> seqs_;
  RebuildReport report_;
};

}  // namespace

RebuildReport rebuild_local(const LocalOptions& options) {
  if (!is_there(payload_folder(options.folder))) {
    throw Error(Code::kNotFound,
                fmt::format("there are no payload files in '{}'", options.folder.string()));
  }
  return Rebuild(options).run();
}

}  // namespace meesh::objects
