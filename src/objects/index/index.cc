#include "objects/index/index.h"

#include "base/error.h"
#include "base/log.h"
#include "objects/crash_points.h"
#include "objects/error.h"

namespace meesh::objects {
namespace {

constexpr size_t kMostChangesInGroup = 512;
constexpr size_t kMostIdleConnections = 16;
/// 16 MiB of log: then its pages are moved into the database, beside the writer.
constexpr int kPagesToCheckpoint = 4096;

uint64_t microseconds_now() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

/// An exception of its own for everyone told of it: whoever catches one may add to it.
std::exception_ptr copy_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ObjectError& error) {
    return std::make_exception_ptr(ObjectError(error));
  } catch (const Error& error) {
    return std::make_exception_ptr(Error(error));
  } catch (...) {
    return failure;
  }
}

}  // namespace

Index::Index(const std::filesystem::path& file) : file_(file), writer_(file, sqlite::Mode::kWrite) {
  create_schema(writer_);
  sqlite::Query query(writer_, "SELECT value FROM meta WHERE name = 'seq'");
  if (query.next()) seq_ = static_cast<uint64_t>(query.number(0));
  sqlite3_wal_hook(
      writer_.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Index*>(self)->logged_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  checkpoint_thread_ = std::thread([this] { checkpoint_when_asked(); });
}

Index::~Index() {
  {
    const std::lock_guard lock(checkpoint_mutex_);
    checkpoint_stopping_ = true;
  }
  checkpoint_asked_.notify_one();
  checkpoint_thread_.join();
}

void Index::change(Change change, std::function<void()> committed, Grouping grouping) {
  const auto waiting = std::make_shared<Waiting>();
  waiting->change = std::move(change);
  waiting->committed = std::move(committed);
  waiting->grouping = grouping;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(waiting);
    if (!writing_) writing_ = waiting->writes = true;
  }
  if (!waiting->writes) waiting->woken.acquire();
  if (waiting->writes) write_group(*waiting);
  // Taken along, so that the exception ends on this thread alone.
  if (const auto failure = std::move(waiting->failure)) std::rethrow_exception(failure);
}

uint64_t Index::next_seq() {
  uint64_t last = seq_.load();
  while (true) {
    const uint64_t next = std::max(last + 1, microseconds_now());
    if (seq_.compare_exchange_weak(last, next)) return next;
  }
}

Index::Group Index::take() {
  Group group;
  const std::lock_guard lock(mutex_);
  while (!queue_.empty() && group.size() < kMostChangesInGroup) {
    const bool alone = queue_.front()->grouping == Grouping::kAlone;
    if (alone && !group.empty()) break;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (alone) break;
  }
  return group;
}

/// The one who writes stands first in the queue, and hands over to who stands there afterwards.
void Index::write_group(const Waiting& writer) noexcept {
  const Group group = take();
  run(group);
  ask_for_checkpoint();
  std::shared_ptr<Waiting> next;
  {
    const std::lock_guard lock(mutex_);
    writing_ = !queue_.empty();
    if (writing_) next = queue_.front();
  }
  if (next) {
    next->writes = true;
    next->woken.release();
  }
  for (const auto& waiting : group) {
    if (waiting.get() != &writer) waiting->woken.release();
  }
}

/// A failure of the transaction as a whole is everyone's: nobody is told of a success that was
/// taken back.
void Index::run(const Group& group) {
  try {
    run_in_transaction(group);
  } catch (...) {
    const auto failure = std::current_exception();
    if (writer_.in_transaction()) {
      try {
        writer_.run("ROLLBACK");
      } catch (const std::exception& error) {
        log::error("the object index cannot roll back", {{"error", error.what()}});
      }
    }
    for (const auto& waiting : group) {
      if (!waiting->failure) waiting->failure = copy_of(failure);
    }
    return;
  }
  for (const auto& waiting : group) {
    if (!waiting->failure && waiting->committed) waiting->committed();
  }
}

void Index::run_in_transaction(const Group& group) {
  writer_.run("BEGIN IMMEDIATE");
  const bool shared = group.size() > 1;
  size_t succeeded = 0;
  for (const auto& waiting : group) {
    if (shared) writer_.run("SAVEPOINT change");
    try {
      waiting->change(writer_);
      ++succeeded;
    } catch (...) {
      waiting->failure = std::current_exception();
      if (!writer_.in_transaction()) throw;
      if (shared) writer_.run("ROLLBACK TO change");
    }
    if (shared) writer_.run("RELEASE change");
  }
  if (succeeded == 0) {
    writer_.run("ROLLBACK");
    return;
  }
  writer_.run("UPDATE meta SET value = ? WHERE name = 'seq'", seq_.load());
  crash_point("index.before_commit");
  writer_.run("COMMIT");
  crash_point("index.after_commit");
}

// The log is moved into the database in two steps: most of it by a thread of its own while the
// writer goes on, the little that came meanwhile by the writer between two transactions. Only then
// is nothing left in it and the next transaction begins at the log's start, so that it neither
// grows without end nor must be extended (and its length synced) at every commit.
void Index::ask_for_checkpoint() {
  if (logged_pages_ < kPagesToCheckpoint) return;
  std::unique_lock lock(checkpoint_mutex_);
  if (checkpoint_ == Checkpoint::kIdle) {
    checkpoint_ = Checkpoint::kAsked;
    checkpoint_asked_.notify_one();
  } else if (checkpoint_ == Checkpoint::kNearlyDone) {
    lock.unlock();
    sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                              nullptr);
    logged_pages_ = 0;
    lock.lock();
    checkpoint_ = Checkpoint::kIdle;
  }
}

void Index::checkpoint_when_asked() {
  const sqlite::Connection connection(file_, sqlite::Mode::kWrite);
  std::unique_lock lock(checkpoint_mutex_);
  while (true) {
    checkpoint_asked_.wait(
        lock, [&] { return checkpoint_stopping_ || checkpoint_ == Checkpoint::kAsked; });
    if (checkpoint_stopping_) return;
    checkpoint_ = Checkpoint::kRunning;
    lock.unlock();
    const int code = sqlite3_wal_checkpoint_v2(connection.handle(), nullptr,
                                               SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
      log::warn("the object index cannot move its log into the database",
                {{"error", sqlite3_errmsg(connection.handle())}});
    }
    lock.lock();
    checkpoint_ = Checkpoint::kNearlyDone;
  }
}

Index::Reading::Reading(Index& index) : index_(index) {
  {
    const std::lock_guard lock(index.pool_mutex_);
    if (!index.pool_.empty()) {
      connection_ = std::move(index.pool_.back());
      index.pool_.pop_back();
    }
  }
  if (!connection_) {
    connection_ = std::make_unique<sqlite::Connection>(index.file_, sqlite::Mode::kRead);
  }
}

Index::Reading::~Reading() {
  const std::lock_guard lock(index_.pool_mutex_);
  if (index_.pool_.size() < kMostIdleConnections) index_.pool_.push_back(std::move(connection_));
}

}  // namespace meesh::objects
