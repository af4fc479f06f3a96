#include "dashboards/answers.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "dashboards/cells.h"

namespace meesh::dashboards {
namespace {

using std::chrono::steady_clock;

constexpr Millis kLook{100};
constexpr size_t kOverhead = 1024;  // bytes of an answer beside its text

engine::Session session_of(const Question& question) {
  engine::Session session;
  session.user = session.original_user = question.user;
  session.source = "dashboards";
  session.language = question.language;
  return session;
}

}  // namespace

Answers::Answers(engine::Engine& engine, AnswersOptions options)
    : engine_(engine), options_(std::move(options)), cache_(options_.memory) {}

Answers::Keyed Answers::key_of(const Question& question, TableStates& states) const {
  const Inputs inputs = inputs_of(*question.query, states);
  const std::string rights = options_.rights ? options_.rights(question.user) : question.user;
  // No part holds a NUL.
  std::string key =
      fmt::format("{}{}{}{}{}", question.text, '\0', question.most_rows, '\0', rights);
  if (inputs.cacheable()) return {fmt::format("{}{}{}", key, '\0', *inputs.versions), true};
  return {fmt::format("{}{}{}", key, '\0', question.user), false};
}

AnswerPtr Answers::kept(const Question& question, TableStates& states) {
  const Keyed keyed = key_of(question, states);
  if (!keyed.kept) return nullptr;
  auto found = cache_.find(keyed.key);
  if (found) ++hits_;
  return found;
}

Asked Answers::ask(const Question& question, TableStates& states, const std::stop_token& stop) {
  const Keyed keyed = key_of(question, states);
  if (keyed.kept) {
    if (auto found = cache_.find(keyed.key)) {
      ++hits_;
      return {found, true};
    }
  }
  FlightPtr flight;
  bool leads = false;
  {
    const std::lock_guard lock(mutex_);
    // A run that has begun may have read tables before this request came; with versions in the key
    // it has read these.
    if (const auto found = running_.find(keyed.key); keyed.kept && found != running_.end()) {
      flight = found->second;
    } else if (const auto next = waiting_.find(keyed.key); next != waiting_.end()) {
      flight = next->second;
    } else {
      flight = waiting_[keyed.key] = std::make_shared<Flight>();
      leads = true;
    }
    if (!leads) ++flight->others;
  }
  if (!leads) {
    ++shared_;
    return {follow(flight, stop), false};
  }
  ++(keyed.kept ? misses_ : not_kept_);
  return {lead(question, keyed, flight, stop), false};
}

AnswerPtr Answers::follow(const FlightPtr& flight, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLook, [&] { return flight->done; })) {
    if (!stop.stop_requested()) continue;
    --flight->others;
    throw Error(Code::kUserCanceled, "Query was canceled");
  }
  if (flight->failure) std::rethrow_exception(flight->failure);
  return flight->answer;
}

bool Answers::alone(const FlightPtr& flight) const {
  const std::lock_guard lock(mutex_);
  return flight->others == 0;
}

void Answers::land(const std::string& key, const FlightPtr& flight) {
  const std::lock_guard lock(mutex_);
  flight->done = true;
  if (const auto found = running_.find(key); found != running_.end() && found->second == flight)
    running_.erase(found);
  changed_.notify_all();
}

AnswerPtr Answers::lead(const Question& question, const Keyed& keyed, const FlightPtr& flight,
                        const std::stop_token& stop) {
  {
    std::unique_lock lock(mutex_);
    // One run of a key at a time: those who come while it runs wait for the next one together.
    changed_.wait(lock, [&] { return !running_.contains(keyed.key); });
    waiting_.erase(keyed.key);
    running_[keyed.key] = flight;
    flight->begun = true;
  }
  try {
    flight->answer = run(question, flight, stop);
  } catch (...) {
    flight->failure = std::current_exception();
  }
  if (flight->answer && keyed.kept) keep(question, keyed, flight->answer);
  land(keyed.key, flight);
  if (flight->failure) std::rethrow_exception(flight->failure);
  return flight->answer;
}

/// Only if nothing has changed while it was computed: it is exactly the answer of these versions.
void Answers::keep(const Question& question, const Keyed& keyed, const AnswerPtr& answer) {
  try {
    TableStates now(options_.find);
    if (key_of(question, now).key == keyed.key)
      cache_.keep(keyed.key, answer, answer->rows_text.size() + keyed.key.size() + kOverhead);
  } catch (const std::exception& error) {
    log::debug("an answer is not kept", {{"error", error.what()}});
  }
}

AnswerPtr Answers::run(const Question& question, const FlightPtr& flight,
                       const std::stop_token& stop) {
  const auto begin = steady_clock::now();
  const auto query = engine_.submit(question.text, session_of(question));
  auto answer = std::make_shared<Answer>();
  answer->computed_ms = base::now_ms();
  answer->rows_text = "[";
  while (!answer->truncated) {
    const auto batch = query->next(kLook);
    if (batch) {
      const size_t room = question.most_rows - answer->rows;
      append_rows(answer->rows_text, *batch, room);
      answer->rows += std::min(room, batch->rows);
      answer->truncated = batch->rows > room;
      continue;
    }
    if (query->finished()) break;
    if (stop.stop_requested() && alone(flight)) query->cancel();
    if (steady_clock::now() - begin > options_.time_limit)
      query->cancel(Code::kExceededTimeLimit, fmt::format("The chart's query took longer than {} s",
                                                          options_.time_limit.count() / 1000));
  }
  answer->rows_text += ']';
  const auto info = query->info();
  if (info.error && !answer->truncated) throw Error(*info.error);  // it ended between two looks
  answer->columns = query->columns();
  answer->columns_text = columns_json(answer->columns);
  if (answer->truncated && !query->finished()) query->cancel();
  answer->took_ms = std::chrono::duration_cast<Millis>(steady_clock::now() - begin).count();
  return answer;
}

Answers::Counts Answers::counts() const { return {hits_, misses_, shared_, not_kept_}; }

}  // namespace meesh::dashboards
