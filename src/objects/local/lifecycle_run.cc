// Applying lifecycles: key by key, a page of keys to a change of the index.
#include "objects/local/lifecycle_run.h"

#include <fmt/format.h>

#include "base/error.h"
#include "objects/index/rows.h"
#include "objects/lifecycle.h"
#include "objects/local/multipart.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using sqlite::Bytes;
using sqlite::Connection;
using sqlite::Query;
using Rules = std::vector<LifecycleRule>;

constexpr size_t kKeysInPage = 500;

/// What is to be done with one version, if it is still what it was.
struct Action {
  enum class Kind { kExpire, kRemoveMarker, kRemoveNoncurrent } kind = Kind::kExpire;
  std::string key, version;
  uint64_t seq = 0;
};

bool any(const Rules& rules, const auto& holds) {
  return std::any_of(rules.begin(), rules.end(), holds);
}

bool expires(const Rules& rules, const Object& object, Time now) {
  return any(rules, [&](const LifecycleRule& rule) {
    return rule.matches(object) && ((rule.days && due(object.modified, *rule.days) <= now) ||
                                    (rule.date && *rule.date <= now));
  });
}

/// A delete marker that hides nothing; a rule that counts days waits for them here too.
bool marker_expires(const Rules& rules, const Object& marker, Time now) {
  return any(rules, [&](const LifecycleRule& rule) {
    return rule.matches(marker) &&
           (rule.expired_markers || (rule.days && due(marker.modified, *rule.days) <= now));
  });
}

/// `newer`: how many older versions of the key are newer than this one.
bool noncurrent_expires(const Rules& rules, const Object& object, Time since, int newer, Time now) {
  return any(rules, [&](const LifecycleRule& rule) {
    return rule.noncurrent_days && rule.matches(object) && newer >= rule.newer_noncurrent &&
           due(since, *rule.noncurrent_days) <= now;
  });
}

void decide(Connection& db, int64_t bucket, const Rules& rules, const Row& newest, Time now,
            std::vector<Action>& actions) {
  const std::string& key = newest.object.key;
  Time since = newest.object.modified;  // when the one below became noncurrent
  int newer = 0;
  for (Query query(db,
                   "SELECT key, seq, size, flags, record FROM noncurrent WHERE bucket = ? AND "
                   "key = ? ORDER BY seq DESC",
                   bucket, Bytes(key));
       query.next(); ++newer) {
    const Row row = rows::read_row(query, 0, Depth::kAll);
    if (noncurrent_expires(rules, row.object, since, newer, now)) {
      actions.push_back({Action::Kind::kRemoveNoncurrent, key, row.object.version, row.seq});
    }
    since = row.object.modified;
  }
  if (!newest.marker()) {
    if (expires(rules, newest.object, now)) {
      actions.push_back({Action::Kind::kExpire, key, newest.object.version, newest.seq});
    }
  } else if (newer == 0 && marker_expires(rules, newest.object, now)) {
    actions.push_back({Action::Kind::kRemoveMarker, key, newest.object.version, newest.seq});
  }
}

/// False if the version is not what it was, or locked.
bool apply(Core& core, Connection& db, const BucketEntry& bucket, const Action& action, Time now,
           std::vector<Event>& events) {
  const auto row = rows::version(db, bucket.id, action.key, action.version);
  if (!row || row->seq != action.seq) return false;
  const bool current = action.kind != Action::Kind::kRemoveNoncurrent;
  if (row->object.latest != current) return false;
  DeleteOptions options;
  if (action.kind != Action::Kind::kExpire) options.version = action.version;
  const size_t told = events.size();
  try {
    remove(core.index, db, bucket, action.key, options, now, events);
  } catch (const ObjectError& error) {
    if (error.reason() == Reason::kAccessDenied) return false;
    throw;
  }
  constexpr std::string_view kRemoved = "s3:ObjectRemoved:";
  for (size_t i = told; i < events.size(); ++i) {
    events[i].name = "s3:LifecycleExpiration:" + events[i].name.substr(kRemoved.size());
  }
  return true;
}

/// Keys looked at, over all buckets; asks whether to go on.
class Steps {
 public:
  Steps(const Progress& progress, uint64_t total) : progress_(progress), total_(total) {}
  bool go_on(uint64_t keys) {
    done_ += keys;
    if (progress_ && !progress_(done_, std::max(done_, total_))) ended_ = true;
    return !ended_;
  }
  bool ended() const { return ended_; }

 private:
  const Progress& progress_;
  const uint64_t total_;
  uint64_t done_ = 0;
  bool ended_ = false;
};

class BucketLifecycle {
 public:
  BucketLifecycle(Core& core, BucketPointer bucket, Rules rules, Time now, Steps& steps,
                  LifecycleReport& report)
      : core_(core),
        bucket_(std::move(bucket)),
        rules_(std::move(rules)),
        now_(now),
        steps_(steps),
        report_(report) {}

  void run() {
    std::string after;
    while (true) {
      std::vector<Action> actions;
      const size_t keys = decide_page(after, actions);
      if (!actions.empty()) apply_all(actions);
      if (!steps_.go_on(keys)) return;
      if (keys < kKeysInPage) break;
    }
    abort_uploads();
  }

 private:
  /// How many keys were looked at.
  size_t decide_page(std::string& after, std::vector<Action>& actions) {
    Index::Reading reading = core_.index.read();
    size_t keys = 0;
    for (Query query(reading.db(),
                     "SELECT key, seq, size, flags, record FROM objects WHERE bucket = ? AND "
                     "key > ? ORDER BY key LIMIT ?",
                     bucket_->id, Bytes(after), kKeysInPage);
         query.next(); ++keys) {
      const Row newest = rows::read_row(query, 0, Depth::kAll);
      decide(reading.db(), bucket_->id, rules_, newest, now_, actions);
      after = newest.object.key;
    }
    return keys;
  }

  void apply_all(const std::vector<Action>& actions) {
    LifecycleReport done;
    core_.change([&](Connection& db, std::vector<Event>& events) {
      const auto bucket = core_.buckets.find(bucket_->bucket.name);
      if (!bucket || bucket->id != bucket_->id) return;
      for (const Action& action : actions) {
        if (!apply(core_, db, *bucket, action, now_, events)) continue;
        switch (action.kind) {
          case Action::Kind::kExpire:
            ++done.expired;
            break;
          case Action::Kind::kRemoveMarker:
            ++done.markers_removed;
            break;
          case Action::Kind::kRemoveNoncurrent:
            ++done.noncurrent_removed;
            break;
        }
      }
    });
    report_.expired += done.expired;
    report_.markers_removed += done.markers_removed;
    report_.noncurrent_removed += done.noncurrent_removed;
  }

  void abort_uploads() {
    if (!any(rules_, [](const LifecycleRule& rule) { return rule.abort_days.has_value(); })) return;
    std::vector<std::pair<std::string, std::string>> old;
    {
      Index::Reading reading = core_.index.read();
      for (Query query(reading.db(), "SELECT key, id, record FROM uploads WHERE bucket = ?",
                       bucket_->id);
           query.next();) {
        UploadRow row;
        decode_upload(query.bytes(2), row);
        const std::string_view key = query.bytes(0);
        if (any(rules_, [&](const LifecycleRule& rule) {
              return rule.enabled && rule.abort_days && key.starts_with(rule.prefix) &&
                     due(row.upload.started, *rule.abort_days) <= now_;
            })) {
          old.emplace_back(query.text(0), query.text(1));
        }
      }
    }
    for (const auto& [key, id] : old) {
      if (!steps_.go_on(0)) return;
      try {
        core_.index.change([&](Connection& db) { abort_upload(db, bucket_->id, key, id); });
        ++report_.uploads_aborted;
      } catch (const ObjectError& error) {
        if (error.reason() != Reason::kNoSuchUpload) throw;  // ended meanwhile
      }
    }
  }

  Core& core_;
  const BucketPointer bucket_;
  const Rules rules_;
  const Time now_;
  Steps& steps_;
  LifecycleReport& report_;
};

uint64_t keys_of(Core& core, const std::vector<BucketPointer>& buckets) {
  Index::Reading reading = core.index.read();
  uint64_t keys = 0;
  for (const auto& bucket : buckets) keys += rows::usage(reading.db(), bucket->id).objects;
  return keys;
}

}  // namespace

LifecycleReport run_lifecycle(Core& core, Time now, const Progress& progress) {
  LifecycleReport report;
  std::vector<BucketPointer> buckets;
  for (const auto& bucket : core.buckets.all()) {
    if (bucket->bucket.documents.contains("lifecycle")) buckets.push_back(bucket);
  }
  Steps steps(progress, keys_of(core, buckets));
  for (const auto& bucket : buckets) {
    if (steps.ended()) break;
    try {
      BucketLifecycle(core, bucket, parse_lifecycle(bucket->bucket.documents.at("lifecycle")), now,
                      steps, report)
          .run();
    } catch (const Error& error) {
      report.problems.push_back(fmt::format("{}: {}", bucket->bucket.name, error.what()));
    }
  }
  report.complete = !steps.ended();
  return report;
}

}  // namespace meesh::objects
