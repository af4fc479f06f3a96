#include "objects/local/local_store.h"

#include "objects/index/rows.h"
#include "objects/local/lifecycle_run.h"
#include "objects/local/versions.h"

namespace meesh::objects {

LocalStore::LocalStore(const LocalOptions& options, std::shared_ptr<Disk> disk)
    : core_(options, std::move(disk)) {
  if (options.housekeeping) background_.emplace(core_);
}

LocalStore::~LocalStore() = default;

std::unique_ptr<Store> open_local(const LocalOptions& options) {
  return std::make_unique<LocalStore>(options, std::make_shared<Disk>());
}

Maintenance& maintenance(Store& store) {
  if (auto* local = dynamic_cast<Maintenance*>(&store)) return *local;
  throw ObjectError(Reason::kNotImplemented, "A remote store maintains itself.");
}

void LocalStore::create_bucket(const Bucket& bucket) {
  check_bucket_name(bucket.name);
  auto entry = std::make_shared<BucketEntry>();
  entry->bucket = bucket;
  if (entry->bucket.created == Time{}) entry->bucket.created = now();
  if (bucket.lock_enabled) entry->bucket.versioning = Versioning::kEnabled;
  check_bucket_change({.name = bucket.name}, entry->bucket);
  core_.index.change(
      [&](sqlite::Connection& db) {
        if (const auto there = core_.buckets.find(bucket.name)) {
          const bool own = there->bucket.owner == bucket.owner;
          throw ObjectError(
              own ? Reason::kBucketAlreadyOwnedByYou : Reason::kBucketAlreadyExists,
              own ? "Your previous request to create the named bucket succeeded and you already "
                    "own it."
                  : "The requested bucket name is not available. The bucket namespace is shared "
                    "by all users of the system. Please select a different name and try again.");
        }
        db.run("INSERT INTO buckets (name, record) VALUES (?, ?)", bucket.name,
               sqlite::Bytes(encode_bucket(entry->bucket)));
        entry->id = db.last_id();
        db.run("INSERT INTO usage VALUES (?, 0, 0, 0)", entry->id);
      },
      [&] { core_.buckets.put(entry); }, Index::Grouping::kAlone);
}

void LocalStore::delete_bucket(const std::string& name) {
  core_.index.change(
      [&](sqlite::Connection& db) {
        const int64_t id = core_.buckets.get(name)->id;
        sqlite::Query filled(db,
                             "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1) OR "
                             "EXISTS (SELECT 1 FROM uploads WHERE bucket = ?1)",
                             id);
        if (filled.next() && filled.number(0) != 0) {
          throw ObjectError(Reason::kBucketNotEmpty, "The bucket you tried to delete is not empty");
        }
        db.run("DELETE FROM buckets WHERE id = ?", id);
        db.run("DELETE FROM usage WHERE bucket = ?", id);
        db.run("DELETE FROM completed WHERE bucket = ?", id);
      },
      [&] { core_.buckets.erase(name); }, Index::Grouping::kAlone);
}

Bucket LocalStore::bucket(const std::string& name) { return core_.buckets.get(name)->bucket; }

std::vector<Bucket> LocalStore::buckets() {
  std::vector<Bucket> found;
  for (const auto& entry : core_.buckets.all()) found.push_back(entry->bucket);
  return found;
}

void LocalStore::edit_bucket(const std::string& name, const std::function<void(Bucket&)>& edit) {
  auto edited = std::make_shared<BucketEntry>();
  core_.index.change(
      [&](sqlite::Connection& db) {
        const auto before = core_.buckets.get(name);
        *edited = *before;
        edit(edited->bucket);
        check_bucket_change(before->bucket, edited->bucket);
        db.run("UPDATE buckets SET record = ? WHERE id = ?",
               sqlite::Bytes(encode_bucket(edited->bucket)), edited->id);
      },
      [&] { core_.buckets.put(edited); }, Index::Grouping::kAlone);
}

Usage LocalStore::usage(const std::string& bucket) {
  const auto entry = core_.buckets.get(bucket);
  Index::Reading reading = core_.index.read();
  return rows::usage(reading.db(), entry->id);
}

void LocalStore::on_event(std::function<void(const Event&)> listener) {
  core_.events.listen(std::move(listener));
}

LifecycleReport LocalStore::run_lifecycle(Time time, const Progress& progress) {
  return objects::run_lifecycle(core_, time, progress);
}

size_t LocalStore::collect_garbage(const Progress& progress) {
  return objects::collect_garbage(core_, progress);
}

void LocalStore::tell_address(const std::string& address) { core_.lock.tell_address(address); }

}  // namespace meesh::objects
