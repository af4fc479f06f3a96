// A query in the making: the producer's half (a statement runner on an admission thread) and the
// consumer's half (a protocol) meet here, under one lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "duckdb.hpp"
#include "engine/catalog_set.h"
#include "engine/engine.h"

namespace meesh::engine {

class RunningQuery : public Query {
 public:
  RunningQuery(std::string id, std::string text, Session session, uint64_t buffer_bytes);

  // ---- consumer (Query)
  const std::string& id() const override { return id_; }
  QueryInfo info() const override;
  const Session& session() const override { return session_; }
  bool wait_for_columns(std::chrono::milliseconds at_most) override;
  std::vector<Column> columns() const override;
  BatchPtr next(std::chrono::milliseconds at_most) override;
  bool finished() const override;
  SessionChanges changes() const override;
  void cancel(Code code, std::string message) override;

  // ---- producer
  const std::string& text() const { return text_; }
  /// Moves on; throws the cancellation if there was one.
  void enter(QueryState state);
  void set_update_type(std::string type);
  void set_update_count(uint64_t count);
  void set_columns(std::vector<Column> columns);
  void change(const std::function<void(SessionChanges&)>& edit);
  /// Waits while the consumer holds enough; throws the cancellation.
  void push(BatchPtr batch);
  bool has_output() const;
  void finish();
  void fail(Error error);
  /// While alive, cancel() interrupts this connection. What it waits for at the sources of `used`
  /// can be cancelled there until at_rest(): the connection may die after this, waiting for them.
  class Interruptible {
   public:
    Interruptible(RunningQuery& query, duckdb::Connection& connection, CatalogsInUse used);
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;

   private:
    RunningQuery& query_;
  };
  void throw_if_canceled() const;
  void set_progress(double percent, uint64_t rows_read, uint64_t memory, uint64_t spilled);
  void add_cpu(int64_t ms);

  /// The thread that ran the statement holds nothing more of it.
  void at_rest();

  // ---- the engine's watch
  using Clock = std::chrono::steady_clock;
  bool ended() const;
  Clock::time_point last_used() const;
  Clock::time_point ended_at() const;
  /// Interrupts again a canceled statement that still runs: an interrupt sent between two DuckDB
  /// calls is lost.
  void interrupt_if_canceled();
  /// The catalogs whose sources the statement is at work in now.
  CatalogsInUse at_work_in() const;
  /// The same for a canceled statement, empty for others.
  CatalogsInUse to_cancel_at_sources() const;
  /// Frees what an ended query still holds for a consumer that never came back.
  void drop_output();

 private:
  bool ended_locked() const {
    return state_ == QueryState::kFinished || state_ == QueryState::kFailed;
  }
  void end_locked(QueryState state);

  const std::string id_, text_;
  const Session session_;
  const uint64_t buffer_bytes_;
  const std::chrono::system_clock::time_point created_ = std::chrono::system_clock::now();
  const Clock::time_point start_ = Clock::now();

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // producer → consumer
  std::condition_variable drained_;  // consumer → producer
  QueryState state_ = QueryState::kQueued;
  Clock::time_point planning_{}, running_{}, end_{}, last_used_ = Clock::now();
  std::optional<std::vector<Column>> columns_;
  std::deque<BatchPtr> batches_;
  uint64_t buffered_ = 0;
  uint64_t rows_out_ = 0, bytes_out_ = 0, rows_read_ = 0, peak_memory_ = 0, spilled_ = 0;
  int64_t cpu_ms_ = 0;
  double progress_ = -1;
  std::string update_type_;
  std::optional<uint64_t> update_count_;
  SessionChanges changes_;
  std::optional<Error> error_;     // what the query failed with
  std::optional<Error> canceled_;  // asked to end with this
  duckdb::Connection* connection_ = nullptr;
  CatalogsInUse used_;
};

}  // namespace meesh::engine
