// Reading everything and holding it against what is known of it.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "objects/index/rows.h"
#include "objects/local/local_store.h"
#include "objects/local/reader.h"
#include "objects/payload.h"

namespace meesh::objects {
namespace {

using sqlite::Bytes;
using sqlite::Query;

constexpr size_t kVersionsInPage = 100;
constexpr size_t kReadBytes = 1 << 20;

struct Found {
  Row row;
  std::optional<std::string> inline_bytes;
};

class Scrub {
 public:
  Scrub(Core& core, const Progress& progress) : core_(core), progress_(progress) {}

  ScrubReport run() {
    count_bytes();
    for (const auto& bucket : core_.buckets.all()) {
      for (const bool latest : {true, false}) {
        if (!scrub_table(*bucket, latest)) return std::move(report_);
      }
    }
    find_orphans();
    report_.complete = true;
    return std::move(report_);
  }

 private:
  void count_bytes() {
    Index::Reading reading = core_.index.read();
    for (const auto& bucket : core_.buckets.all()) {
      total_ += rows::usage(reading.db(), bucket->id).bytes;
    }
  }

  bool going_on() {
    stopped_ = stopped_ || (progress_ && !progress_(report_.bytes, total_));
    return !stopped_;
  }

  bool scrub_table(const BucketEntry& bucket, bool latest) {
    std::string key;
    uint64_t seq = 0;
    while (true) {
      const std::vector<Found> page = read_page(bucket.id, latest, key, seq);
      for (const Found& found : page) {
        if (!found.row.marker()) scrub_version(bucket, found);
        ++report_.versions;
        if (!going_on()) return false;
      }
      if (page.size() < kVersionsInPage) return true;
      key = page.back().row.object.key;
      seq = page.back().row.seq;
    }
  }

  std::vector<Found> read_page(int64_t bucket, bool latest, const std::string& key, uint64_t seq) {
    Index::Reading reading = core_.index.read();
    std::vector<Found> page;
    // Behind (key, seq) in the order of the table; seqs of noncurrent descend.
    const char* sql = latest ? "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? "
                               "AND key >= ? AND NOT (key = ? AND seq <= ?) ORDER BY key LIMIT ?"
                             : "SELECT key, seq, size, flags, record FROM noncurrent WHERE bucket "
                               "= ? AND key >= ? AND NOT (key = ? AND seq >= ?) ORDER BY key, seq "
                               "DESC LIMIT ?";
    // A key that was written again while its page was read may come twice, never not at all.
    for (Query query(reading.db(), sql, bucket, Bytes(key), Bytes(key),
                     latest || seq ? seq : uint64_t{INT64_MAX}, kVersionsInPage);
         query.next();) {
      page.push_back({rows::read_row(query, 0, Depth::kAll), std::nullopt});
      page.back().row.object.latest = latest;
    }
    for (Found& found : page) {
      rows::load_layout(reading.db(), found.row);
      if (found.row.flags & Row::kInline) {
        found.inline_bytes = rows::inline_content(reading.db(), found.row.seq);
      }
    }
    return page;
  }

  void scrub_version(const BucketEntry& bucket, const Found& found) {
    std::string damage;
    try {
      damage = check_version(found);
    } catch (const Error& error) {
      damage = error.what();
    }
    if (stopped_ || damage.empty() || !still_there(bucket, found.row)) return;
    const Object& object = found.row.object;
    report_.damaged.push_back({bucket.bucket.name, object.key, object.version, damage});
  }

  bool still_there(const BucketEntry& bucket, const Row& row) {
    Index::Reading reading = core_.index.read();
    const auto now = rows::version(reading.db(), bucket.id, row.object.key, row.object.version);
    return now && now->seq == row.seq;
  }

  /// What is wrong, or nothing.
  std::string check_version(const Found& found) {
    const Row& row = found.row;
    if (row.flags & Row::kInline) {
      if (!found.inline_bytes) return "its content is missing in the index";
    } else {
      for (const Piece& piece : row.pieces) {
        if (auto damage = check_file(piece.payload, piece.stored); !damage.empty()) return damage;
      }
      if (row.manifest) {
        if (auto damage = check_file(row.manifest, 0); !damage.empty()) return damage;
      }
    }
    if (row.object.encryption == Encryption::kCustomer) {
      ++report_.sealed_by_customers;
      return "";
    }
    LocalReader reader(core_, row, found.inline_bytes.value_or(""), {});
    if (reader.open_failed()) return "its file is missing";
    uint64_t offset = 0;
    for (size_t i = 0; i < row.pieces.size(); ++i) {
      const bool part = i < row.object.parts.size();
      const auto& etag = part ? row.object.parts[i].etag : row.object.etag;
      const auto& checksums = part ? row.object.parts[i].checksums : row.object.checksums;
      if (auto damage = check_content(reader, offset, row.pieces[i].size, etag, checksums);
          !damage.empty()) {
        return damage;
      }
      if (stopped_) return "";
      offset += row.pieces[i].size;
    }
    return offset == row.object.size ? "" : "its pieces do not add up to its size";
  }

  /// The footer where the content ends says that this is the file it should be.
  std::string check_file(uint64_t id, uint64_t stored) {
    const Descriptor file = core_.files.open(id);
    if (!file.open()) return "its file is missing";
    const uint64_t size = size_of(file);
    if (size < stored + kPayloadTrailerBytes) return "its file is too short";
    std::string footer(size - stored, '\0');
    if (read_at(file, stored, footer.data(), footer.size()) != footer.size()) {
      return "its file is too short";
    }
    const auto description = parse_payload_footer(footer);
    if (!description || description->payload != id) return "its file's footer is damaged";
    return "";
  }

  std::string check_content(LocalReader& reader, uint64_t offset, uint64_t size,
                            const std::string& etag, const Checksums& checksums) {
    Md5 md5;
    std::map<ChecksumKind, std::unique_ptr<Checksum>> running;
    for (const auto& [kind, value] : checksums) {
      if (value.find('-') == value.npos) running.emplace(kind, Checksum::start(kind));
    }
    buffer_.resize(kReadBytes);
    for (uint64_t done = 0; done < size;) {
      const size_t wanted = std::min<uint64_t>(buffer_.size(), size - done);
      const size_t got = reader.read(offset + done, buffer_.data(), wanted);
      if (got == 0) return "its content is too short";
      const std::string_view bytes(buffer_.data(), got);
      md5.update(bytes);
      for (const auto& [kind, checksum] : running) checksum->update(bytes);
      done += got;
      report_.bytes += got;
      if (done < size && !going_on()) return "";
    }
    if (base::to_hex(md5.raw()) != etag) return "its MD5 does not fit";
    for (const auto& [kind, checksum] : running) {
      if (base::to_base64(checksum->raw()) != checksums.at(kind)) {
        return fmt::format("its {} does not fit", checksum_name(kind));
      }
    }
    return "";
  }

  /// In epochs that have ended: files of this one may be on their way.
  void find_orphans() {
    Index::Reading reading = core_.index.read();
    for (const uint64_t epoch : core_.files.epochs()) {
      if (epoch == core_.files.epoch()) continue;
      core_.files.each(epoch, [&](uint64_t id) {
        Query known(reading.db(),
                    "SELECT EXISTS (SELECT 1 FROM payloads WHERE id = ?1) OR "
                    "EXISTS (SELECT 1 FROM garbage WHERE id = ?1)",
                    id);
        if (known.next() && known.number(0) == 0) {
          report_.orphans.push_back(core_.files.path(id));
        }
      });
    }
  }

  Core& core_;
  const Progress& progress_;
  uint64_t total_ = 0;
  bool stopped_ = false;
  ScrubReport report_;
  std::string buffer_;
};

}  // namespace

ScrubReport LocalStore::scrub(const Progress& progress) { return Scrub(core_, progress).run(); }

}  // namespace meesh::objects
