#include "ingest/sources/postgresql_changes_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace meesh::ingest {

using std::chrono::milliseconds;

namespace {

constexpr auto kSlice = milliseconds(50);  // how soon a stop is noticed
constexpr auto kAnswerEvery = std::chrono::seconds(5);
constexpr auto kMostPatience = milliseconds(1000);
constexpr auto kSilence = std::chrono::seconds(60);  // of a server that was asked
constexpr uint64_t kWithinTransaction = 4;           // times the limits

int64_t postgres_now() { return base::now_ms() * 1000 - kPostgresEpoch; }

/// Whether the log or the slot is gone for good.
bool is_gone(const std::string& state, const std::string& message) {
  return state == "58P01" || state == "42704" ||
         (state == "55000" && message.find("slot") != std::string::npos);
}

Error malformed(const std::string& source, std::string_view what) {
  return Error(Code::kGenericExternal,
               fmt::format("Source '{}': PostgreSQL's replication sent {}", source, what));
}

}  // namespace

PostgresStream::PostgresStream(const PostgresChangesOptions& options,
                               const std::vector<TableConfig>& tables, boost::json::value log,
                               uint64_t from, std::stop_token stop)
    : options_(options),
      tables_(tables),
      log_(std::move(log)),
      link_(options.source, options.server, PostgresLink::Purpose::kReplication),
      facts_(options.source, options.server, PostgresLink::Purpose::kStatements),
      confirmed_(from),
      reached_{from, 0},
      told_{from, 0} {
  answered_at_ = heard_at_ = asked_at_ = Clock::now();
  try {
    link_.begin_copy(
        fmt::format(
            "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {})",
            postgres_name(options.slot), show_lsn(from),
            postgres_text(postgres_name(options.publication))),
        stop);
  } catch (const Error& error) {
    if (is_gone(link_.state(), error.message()))
      throw lost_position(options.source, error.message());
    throw;
  }
}

// ---------------------------------------------------------------- batches

void PostgresStream::begin_batch() {
  changes_ = bytes_ = 0;
  last_committed_ = 0;
}

std::optional<ChangeBatch> PostgresStream::finish_batch() {
  if (changes_ == 0 && reached_ <= told_) return std::nullopt;
  ChangeBatch batch;
  for (auto& [table, rows] : pending_) batch.tables.push_back(rows->finish());
  pending_.clear();
  told_ = reached_;
  batch.end = {reached_, log_};
  batch.changes = changes_;
  batch.bytes = bytes_;
  if (last_committed_ != 0)
    batch.committed = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::microseconds(last_committed_)));
  begin_batch();
  return batch;
}

bool PostgresStream::full(const BatchLimits& limits) const {
  if (changes_ == 0) return false;
  const uint64_t times = in_transaction_ ? kWithinTransaction : 1;
  if (changes_ >= limits.changes * times || bytes_ >= limits.bytes * times) return true;
  return !in_transaction_ && Clock::now() - begun_ >= limits.time &&
         (!limits.wanted || limits.wanted->load());
}

std::optional<ChangeBatch> PostgresStream::next(const BatchLimits& limits, std::stop_token stop) {
  const auto until = Clock::now() + limits.time;
  if (!held_.empty() && !take(std::exchange(held_, {}))) internal_error("a frame waits twice");
  uint64_t looked_at = 0;
  while (!stop.stop_requested()) {
    std::string_view bytes;
    const auto copied = link_.copied(
        bytes, changes_ == 0 ? std::min<milliseconds>(kSlice, patience_) : milliseconds(5));
    if (copied == PostgresLink::Copied::kEnd) {
      throw Error(Code::kUnavailable,
                  fmt::format("Source '{}': the server ended the replication", options_.source));
    }
    if (copied == PostgresLink::Copied::kData) {
      if (!take(bytes)) {
        held_ = bytes;
        return finish_batch();
      }
      // The clock is looked at now and then.
      if (++looked_at % 64 != 0 && changes_ < limits.changes && bytes_ < limits.bytes) continue;
    } else {
      wait_for_server(changes_ > 0);
    }
    answer(false);
    if (full(limits)) return finish_batch();
    if (changes_ == 0 && reached_ > told_ && copied != PostgresLink::Copied::kData)
      return finish_batch();
    if (changes_ == 0 && Clock::now() >= until) return std::nullopt;
  }
  return std::nullopt;
}

/// Nothing comes: how far is the server? Asked less and less often.
void PostgresStream::wait_for_server(bool pending) {
  const auto now = Clock::now();
  if (now - heard_at_ > kSilence) {
    throw Error(Code::kUnavailable,
                fmt::format("Source '{}': the server has said nothing for {} seconds",
                            options_.source, std::chrono::seconds(kSilence).count()));
  }
  if (pending || now - asked_at_ < patience_) return;
  asked_at_ = now;
  patience_ = std::min(patience_ * 2, kMostPatience);
  answer(true);
}

void PostgresStream::answer(bool ask_back) {
  const auto now = Clock::now();
  const uint64_t confirmed = confirmed_;
  if (!ask_back && confirmed == answered_ && now - answered_at_ < kAnswerEvery) return;
  link_.send(pgoutput::standby_status(confirmed, postgres_now(), ask_back));
  answered_ = confirmed;
  answered_at_ = now;
}

void PostgresStream::idle() { answer(false); }

// ---------------------------------------------------------------- frames

bool PostgresStream::take(std::string_view bytes) {
  const auto frame = pgoutput::read_frame(bytes);
  heard_at_ = Clock::now();
  if (frame.kind == 'k') {
    keepalive(frame);
    return true;
  }
  if (frame.kind != 'w') return true;
  patience_ = milliseconds(20);
  pgoutput::read_message(frame.payload, message_);
  return take_message();
}

void PostgresStream::keepalive(const pgoutput::Frame& frame) {
  // All that was committed before has come.
  if (!in_transaction_) reached_ = std::max(reached_, ChangePosition{frame.end, 0});
  if (frame.reply) answer(true);
}

bool PostgresStream::take_message() {
  switch (message_.kind) {
    case 'B':
      in_transaction_ = true;
      transaction_ = message_.commit_lsn;
      number_ = 0;
      committed_ = message_.committed + kPostgresEpoch;
      xid_ = std::to_string(message_.xid);
      return true;
    case 'C':
      in_transaction_ = false;
      reached_ = std::max(reached_, ChangePosition{message_.end_lsn, 0});
      return true;
    case 'R':
      return take_relation();
    case 'I':
    case 'U':
    case 'D':
      return take_row();
    case 'T':
      return take_truncate();
    default:
      return true;
  }
}

std::shared_ptr<const TableShape> PostgresStream::shape_of(const TableConfig& config,
                                                           Relation& relation) {
  std::vector<PostgresColumn> columns;
  for (const auto& column : message_.columns)
    columns.push_back({std::string(column.name), column.type, column.modifier, 0});
  std::vector<std::string> key;
  try {
    const auto table = read_postgres_table(facts_, options_.source, options_.schema, config);
    key = postgres_key(table, config);
    for (auto& column : columns) {
      const auto now = std::ranges::find(table.columns, column.name, &PostgresTable::Column::name);
      if (now != table.columns.end()) column.dimensions = now->dimensions;
    }
  } catch (const Error& error) {
    if (error.code() != Code::kTableNotFound) throw;  // else it was dropped since
  }
  std::vector<std::string> told;
  for (const auto& column : message_.columns)
    if (column.key) told.push_back(lower_case_name(column.name));
  // A key of now that the columns of then do not have: what the server calls key.
  const std::string origin = fmt::format("{}.{}.{}", options_.source, options_.schema, config.name);
  auto shape = postgres_shape(facts_, types_, config, origin, columns, key, relation.numbers);
  if (shape.key.empty())
    shape = postgres_shape(facts_, types_, config, origin, columns, told, relation.numbers);
  auto& last = shapes_[config.name];
  if (!last || !(*last == shape)) last = std::make_shared<const TableShape>(std::move(shape));
  return last;
}

bool PostgresStream::take_relation() {
  Relation relation;
  relation.whole = message_.identity == 'f';
  relation.columns = message_.columns.size();
  if (lower_case_name(message_.schema) == options_.schema)
    for (const auto& table : tables_)
      if (table.name == lower_case_name(message_.name)) relation.config = &table;
  if (relation.config) {
    relation.shape = shape_of(*relation.config, relation);
    const auto pending = pending_.find(relation.config->name);
    if (pending != pending_.end() && (pending->second->shape() != relation.shape ||
                                      pending->second->numbers() != relation.numbers))
      return false;
  }
  relations_[message_.relation] = std::move(relation);
  return true;
}

const PostgresStream::Relation* PostgresStream::find(uint32_t oid) const {
  const auto found = relations_.find(oid);
  if (found == relations_.end()) throw malformed(options_.source, "a row of an unknown relation");
  return found->second.config ? &found->second : nullptr;
}

PostgresRows& PostgresStream::rows_of(const Relation& relation) {
  auto& rows = pending_[relation.config->name];
  if (!rows) {
    rows = std::make_unique<PostgresRows>(*options_.buffers, relation.shape, relation.numbers);
  }
  return *rows;
}

PostgresRows::Change PostgresStream::change() const {
  return {{transaction_, number_}, xid_, committed_};
}

void PostgresStream::counted(size_t bytes) {
  if (changes_++ == 0) begun_ = Clock::now();
  bytes_ += bytes;
  last_committed_ = committed_;
}

bool PostgresStream::take_row() {
  const auto* relation = find(message_.relation);
  const bool has_before = message_.before_kind != 0;
  if (relation && ((message_.kind != 'D' && message_.row.size() != relation->columns) ||
                   (has_before && message_.before.size() != relation->columns)))
    throw malformed(options_.source, "a row with other columns than its relation");
  if (relation && message_.kind == 'U' && has_before) {
    const auto pending = pending_.find(relation->config->name);
    if (pending != pending_.end() && pending->second->must_wait(message_.before, message_.row))
      return false;
  }
  ++number_;
  reached_ = std::max(reached_, ChangePosition{transaction_, number_});
  if (!relation) return true;
  auto& rows = rows_of(*relation);
  size_t bytes = 32;
  if (message_.kind == 'I') {
    rows.add_insert(change(), message_.row);
  } else if (message_.kind == 'U') {
    rows.add_update(change(), message_.row, has_before ? &message_.before : nullptr,
                    message_.before_kind == 'O');
  } else {
    rows.add_delete(change(), message_.before);
  }
  if (message_.kind != 'D')
    for (const auto& cell : message_.row) bytes += cell.text.size();
  counted(bytes);
  return true;
}

bool PostgresStream::take_truncate() {
  for (const uint32_t oid : message_.relations)
    if (const auto* relation = find(oid); relation && pending_.contains(relation->config->name))
      return false;
  ++number_;
  reached_ = std::max(reached_, ChangePosition{transaction_, number_});
  for (const uint32_t oid : message_.relations) {
    const auto* relation = find(oid);
    if (!relation) continue;
    rows_of(*relation).add_truncate(change());
    counted(32);
  }
  return true;
}

}  // namespace meesh::ingest
