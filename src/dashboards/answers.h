// Answers of charts' queries: run once for everybody who asks the same, and kept as long as the
// tables they were computed from are what they were. There is no time-out: an answer is never older
// than a change that was acknowledged before it was asked for.
//
// An answer is kept under its statement, the rights of whoever asked, and the versions of all
// tables below it, which are read when the request has come. Where versions are not known
// (PostgreSQL, tables in memory, now()), nothing is kept, but requests that wait at the same time
// share the next run, one that begins after all of them came.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/lru_cache.h"
#include "dashboards/dashboard.h"
#include "dashboards/inputs.h"
#include "engine/engine.h"

namespace meesh::dashboards {

struct Answer {
  std::vector<engine::Column> columns;
  std::string columns_text, rows_text;  // JSON, see cells.h
  size_t rows = 0;
  bool truncated = false;  // there were more than asked for
  int64_t computed_ms = 0, took_ms = 0;
};
using AnswerPtr = std::shared_ptr<const Answer>;

struct AnswersOptions {
  FindTable find;
  /// What decides over what a user sees; two users with the same text see the same. May be empty.
  std::function<std::string(const std::string& user)> rights;
  size_t memory = size_t{256} << 20;  // bytes of answers that are kept
  Millis time_limit{60'000};          // of a statement
};

struct Question {
  std::string text;  // of SQL
  const sql::Query* query = nullptr;
  std::string user, language;
  size_t most_rows = 10'000;
};

struct Asked {
  AnswerPtr answer;
  bool cached = false;  // nothing was run for it
};

class Answers {
 public:
  /// The engine outlives this.
  Answers(engine::Engine& engine, AnswersOptions options);

  /// The answer if it is kept; null otherwise. Quick.
  AnswerPtr kept(const Question& question, TableStates& states);
  /// Throws the statement's error, EXCEEDED_TIME_LIMIT, and USER_CANCELED when stopped.
  Asked ask(const Question& question, TableStates& states, const std::stop_token& stop);

  struct Counts {
    uint64_t hits = 0, misses = 0, shared = 0, not_kept = 0;
  };
  Counts counts() const;
  const FindTable& find() const { return options_.find; }

 private:
  struct Flight {
    bool begun = false, done = false;
    int others = 0;  // who wait for it beside the one that runs it
    AnswerPtr answer;
    std::exception_ptr failure;
  };
  using FlightPtr = std::shared_ptr<Flight>;
  struct Keyed {
    std::string key;
    bool kept = false;  // the key names versions
  };

  Keyed key_of(const Question& question, TableStates& states) const;
  AnswerPtr run(const Question& question, const FlightPtr& flight, const std::stop_token& stop);
  AnswerPtr lead(const Question& question, const Keyed& keyed, const FlightPtr& flight,
                 const std::stop_token& stop);
  void keep(const Question& question, const Keyed& keyed, const AnswerPtr& answer);
  AnswerPtr follow(const FlightPtr& flight, const std::stop_token& stop);
  bool alone(const FlightPtr& flight) const;
  void land(const std::string& key, const FlightPtr& flight);

  engine::Engine& engine_;
  const AnswersOptions options_;
  base::LruCache<Answer> cache_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, FlightPtr> waiting_, running_;  // guarded
  std::atomic<uint64_t> hits_ = 0, misses_ = 0, shared_ = 0, not_kept_ = 0;
};

}  // namespace meesh::dashboards
