// The history of statements. Whatever is submitted to recorded() is written down when it has ended,
// by a thread of its own and several at a time: no statement waits for it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "serve/api/sql_store.h"

namespace meesh::serve::api {

/// Statements with this source are the console's own questions (names to complete, say) and not
/// worth remembering.
inline constexpr const char* kUnrecordedSource = "console-meta";

class StatementHistory {
 public:
  /// Both outlive this.
  StatementHistory(engine::Engine& engine, SqlStore& store);
  /// Writes down what has ended.
  ~StatementHistory();
  StatementHistory(const StatementHistory&) = delete;
  StatementHistory& operator=(const StatementHistory&) = delete;

  /// The same engine; what is submitted here is remembered.
  engine::Engine& recorded() { return *recorded_; }

  /// Writes down what has ended up to now.
  void flush();

 private:
  class RecordedEngine;

  void watch(const engine::QueryPtr& query);
  void run();

  SqlStore& store_;
  const std::unique_ptr<engine::Engine> recorded_;
  std::mutex writing_;  // held while a batch is written; taken before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                  // guarded by mutex_
  std::vector<engine::QueryPtr> running_;  // guarded by mutex_
  std::vector<PastStatement> unwritten_;   // guarded by writing_
  std::thread thread_;
};

/// The text as it is kept: without the properties of CREATE CATALOG, which may hold passwords, no
/// longer than 100 kB, and well-formed.
std::string remembered_text(std::string_view statement);

}  // namespace meesh::serve::api
