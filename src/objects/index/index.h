// The ordered index of the local store: one SQLite database, written by one thread at a time, read
// by many.
//
// Whoever changes something brings a closure. Who comes while nobody writes, writes: takes all that
// wait, runs them one after the other in one transaction (each under its own savepoint, so that one
// that throws takes back its own part alone), commits with one sync, wakes them and hands over to
// the first that came meanwhile. Conditions are tested inside the closures, therefore the order in
// which they ran is the order in which everything happened.
//
//   index.change([&](Connection& db) { … });  // returns when it is on disk; throws what it threw
//   Index::Reading reading = index.read();    // a pooled connection, a snapshot per statement
//   for (Query q(reading.db(), …); q.next();) …
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "objects/index/sqlite.h"

namespace meesh::objects {

class Index {
 public:
  using Change = std::function<void(sqlite::Connection&)>;
  /// kAlone: a transaction of its own, for changes whose effect is also kept in memory (buckets):
  /// what `committed` sets is true for every later change.
  enum class Grouping { kShared, kAlone };

  /// Creates the file if missing. Throws IO_ERROR, CONFIG_INVALID (made by a newer program).
  explicit Index(const std::filesystem::path& file);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  /// `committed` runs on the thread that wrote after the commit, before anyone is woken and in the
  /// order of the changes; it must not throw, nor change the index. Throws what `change` threw;
  /// kStorageFull or IO_ERROR if the transaction as a whole failed: then nothing of it happened.
  void change(Change change, std::function<void()> committed = {},
              Grouping grouping = Grouping::kShared);

  /// Greater than all given before, also than those of earlier runs that were committed.
  /// Thread-safe.
  uint64_t next_seq();

  class Reading {
   public:
    explicit Reading(Index& index);
    ~Reading();
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    sqlite::Connection& db() { return *connection_; }

   private:
    Index& index_;
    std::unique_ptr<sqlite::Connection> connection_;
  };
  Reading read() { return Reading(*this); }

  const std::filesystem::path& file() const { return file_; }

 private:
  struct Waiting {
    Change change;
    std::function<void()> committed;
    Grouping grouping = Grouping::kShared;
    std::exception_ptr failure;
    bool writes = false;  // its thread is the one to write; set before it is woken
    std::binary_semaphore woken{0};
  };
  using Group = std::vector<std::shared_ptr<Waiting>>;

  Group take();
  /// Whoever waits would wait for ever if it threw.
  void write_group(const Waiting& writer) noexcept;
  void run(const Group& group);
  void run_in_transaction(const Group& group);
  void checkpoint_when_asked();
  void ask_for_checkpoint();

  const std::filesystem::path file_;
  sqlite::Connection writer_;
  std::atomic<uint64_t> seq_{0};
  int logged_pages_ = 0;  // in the write-ahead log after the last commit; whoever writes alone

  std::mutex mutex_;
  std::deque<std::shared_ptr<Waiting>> queue_;  // guarded by mutex_
  bool writing_ = false;                        // guarded by mutex_

  std::mutex pool_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> pool_;  // guarded by pool_mutex_

  std::mutex checkpoint_mutex_;
  std::condition_variable checkpoint_asked_;
  enum class Checkpoint { kIdle, kAsked, kRunning, kNearlyDone };
  Checkpoint checkpoint_ = Checkpoint::kIdle;  // guarded by checkpoint_mutex_
  bool checkpoint_stopping_ = false;           // guarded by checkpoint_mutex_

  std::thread checkpoint_thread_;
};

/// Tables and their meaning; brings a file up to this program's version.
void create_schema(sqlite::Connection& db);

}  // namespace meesh::objects
