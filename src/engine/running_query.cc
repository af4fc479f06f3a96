#include "engine/running_query.h"

namespace meesh::engine {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string_view state_name(QueryState state) {
  switch (state) {
    case QueryState::kQueued:
      return "QUEUED";
    case QueryState::kPlanning:
      return "PLANNING";
    case QueryState::kRunning:
      return "RUNNING";
    case QueryState::kFinishing:
      return "FINISHING";
    case QueryState::kFinished:
      return "FINISHED";
    case QueryState::kFailed:
      return "FAILED";
  }
  return "FAILED";
}

RunningQuery::RunningQuery(std::string id, std::string text, Session session, uint64_t buffer_bytes)
    : id_(std::move(id)),
      text_(std::move(text)),
      session_(std::move(session)),
      buffer_bytes_(buffer_bytes) {}

QueryInfo RunningQuery::info() const {
  std::lock_guard lock(mutex_);
  const auto now = ended_locked() ? end_ : Clock::now();
  auto span = [&](Clock::time_point from, Clock::time_point to) -> int64_t {
    if (from == Clock::time_point{}) return 0;
    return duration_cast<milliseconds>((to == Clock::time_point{} ? now : to) - from).count();
  };
  QueryInfo info;
  info.id = id_;
  info.text = text_;
  info.user = session_.user;
  info.source = session_.source;
  info.catalog = session_.catalog;
  info.schema = session_.schema;
  info.trace_token = session_.trace_token;
  info.state = state_;
  info.created = created_;
  if (ended_locked()) info.ended = created_ + duration_cast<milliseconds>(end_ - start_);
  info.queued_ms = span(start_, planning_);
  info.planning_ms = span(planning_, running_);
  info.elapsed_ms = span(start_, {});
  info.cpu_ms = cpu_ms_;
  info.progress_known = progress_ >= 0 || state_ == QueryState::kFinished;
  // DuckDB counts what is read, so it may say 100 while the last operator still works.
  info.progress = state_ == QueryState::kFinished ? 100 : std::clamp(progress_, 0.0, 99.0);
  info.rows_out = rows_out_;
  info.bytes_out = bytes_out_;
  info.rows_read = std::max(rows_read_, rows_out_);
  info.bytes_read = bytes_out_;
  info.peak_memory = peak_memory_;
  info.spilled = spilled_;
  info.update_type = update_type_;
  info.update_count = update_count_;
  info.error = error_;
  return info;
}

bool RunningQuery::wait_for_columns(milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return columns_ || ended_locked(); });
  last_used_ = Clock::now();
  return columns_.has_value();
}

std::vector<Column> RunningQuery::columns() const {
  std::lock_guard lock(mutex_);
  return columns_.value_or(std::vector<Column>{});
}

BatchPtr RunningQuery::next(milliseconds at_most) {
  std::unique_lock lock(mutex_);
  last_used_ = Clock::now();
  changed_.wait_for(lock, at_most, [&] { return !batches_.empty() || ended_locked(); });
  last_used_ = Clock::now();
  if (!batches_.empty()) {
    BatchPtr batch = std::move(batches_.front());
    batches_.pop_front();
    buffered_ -= batch->bytes;
    drained_.notify_one();
    return batch;
  }
  if (error_) throw *error_;
  return nullptr;
}

bool RunningQuery::finished() const {
  std::lock_guard lock(mutex_);
  return ended_locked() && batches_.empty();
}

SessionChanges RunningQuery::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

void RunningQuery::cancel(Code code, std::string message) {
  std::lock_guard lock(mutex_);
  if (ended_locked() || canceled_) {
    batches_.clear();
    buffered_ = 0;
    return;
  }
  canceled_ = Error(code, std::move(message));
  batches_.clear();
  buffered_ = 0;
  // Over for the client now, whatever the thread at work still waits for.
  error_ = canceled_;
  end_locked(QueryState::kFailed);
  if (connection_) connection_->Interrupt();
}

void RunningQuery::enter(QueryState state) {
  std::lock_guard lock(mutex_);
  if (canceled_) throw *canceled_;
  state_ = state;
  if (state == QueryState::kPlanning) planning_ = Clock::now();
  if (state == QueryState::kRunning) running_ = Clock::now();
}

void RunningQuery::set_update_type(std::string type) {
  std::lock_guard lock(mutex_);
  update_type_ = std::move(type);
}

void RunningQuery::set_update_count(uint64_t count) {
  std::lock_guard lock(mutex_);
  update_count_ = count;
}

void RunningQuery::set_columns(std::vector<Column> columns) {
  std::lock_guard lock(mutex_);
  columns_ = std::move(columns);
  changed_.notify_all();
}

void RunningQuery::change(const std::function<void(SessionChanges&)>& edit) {
  std::lock_guard lock(mutex_);
  edit(changes_);
}

void RunningQuery::push(BatchPtr batch) {
  if (batch->rows == 0) return;
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [&] { return canceled_ || buffered_ < buffer_bytes_; });
  if (canceled_) throw *canceled_;
  buffered_ += batch->bytes;
  bytes_out_ += batch->bytes;
  rows_out_ += batch->rows;
  batches_.push_back(std::move(batch));
  changed_.notify_all();
}

bool RunningQuery::has_output() const {
  std::lock_guard lock(mutex_);
  return rows_out_ > 0;
}

void RunningQuery::end_locked(QueryState state) {
  state_ = state;
  end_ = Clock::now();
  changed_.notify_all();
  drained_.notify_all();
}

void RunningQuery::finish() {
  std::lock_guard lock(mutex_);
  if (!ended_locked()) end_locked(QueryState::kFinished);
}

void RunningQuery::fail(Error error) {
  std::lock_guard lock(mutex_);
  if (ended_locked()) return;
  // Whatever broke while a cancellation was on its way is the cancellation.
  error_ = canceled_ ? *canceled_ : std::move(error);
  end_locked(QueryState::kFailed);
}

RunningQuery::Interruptible::Interruptible(RunningQuery& query, duckdb::Connection& connection,
                                           CatalogsInUse used)
    : query_(query) {
  std::lock_guard lock(query_.mutex_);
  query_.connection_ = &connection;
  query_.used_ = std::move(used);
}

RunningQuery::Interruptible::~Interruptible() {
  std::lock_guard lock(query_.mutex_);
  query_.connection_ = nullptr;
}

void RunningQuery::throw_if_canceled() const {
  std::lock_guard lock(mutex_);
  if (canceled_) throw *canceled_;
}

void RunningQuery::set_progress(double percent, uint64_t rows_read, uint64_t memory,
                                uint64_t spilled) {
  std::lock_guard lock(mutex_);
  if (percent >= 0) progress_ = std::clamp(percent, std::max(progress_, 0.0), 100.0);
  rows_read_ = std::max(rows_read_, rows_read);
  peak_memory_ = std::max(peak_memory_, memory);
  spilled_ = std::max(spilled_, spilled);
}

void RunningQuery::add_cpu(int64_t ms) {
  std::lock_guard lock(mutex_);
  cpu_ms_ += ms;
}

bool RunningQuery::ended() const {
  std::lock_guard lock(mutex_);
  return ended_locked();
}

RunningQuery::Clock::time_point RunningQuery::last_used() const {
  std::lock_guard lock(mutex_);
  return last_used_;
}

RunningQuery::Clock::time_point RunningQuery::ended_at() const {
  std::lock_guard lock(mutex_);
  return end_;
}

void RunningQuery::interrupt_if_canceled() {
  std::lock_guard lock(mutex_);
  if (canceled_ && connection_) connection_->Interrupt();
}

void RunningQuery::drop_output() {
  std::lock_guard lock(mutex_);
  batches_.clear();
  buffered_ = 0;
}

void RunningQuery::at_rest() {
  std::lock_guard lock(mutex_);
  used_.clear();
}

CatalogsInUse RunningQuery::at_work_in() const {
  std::lock_guard lock(mutex_);
  return used_;
}

CatalogsInUse RunningQuery::to_cancel_at_sources() const {
  std::lock_guard lock(mutex_);
  return canceled_ ? used_ : CatalogsInUse{};
}

}  // namespace meesh::engine
