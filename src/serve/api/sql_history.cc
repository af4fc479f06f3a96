#include "serve/api/sql_history.h"

#include <algorithm>
#include <cctype>

#include "base/log.h"
#include "base/text.h"

namespace meesh::serve::api {
namespace {

using engine::QueryInfo;
using engine::QueryState;

constexpr auto kLook = std::chrono::milliseconds(500);
constexpr size_t kMostText = 100'000;
constexpr size_t kMostUnwritten = SqlStore::kMostHistory;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Behind the spaces and comments that begin at `at`; npos at the end.
size_t next_word(const std::string& text, size_t at) {
  while (true) {
    at = text.find_first_not_of(" \t\r\n", at);
    if (at == std::string::npos) return at;
    const bool line = text.compare(at, 2, "--") == 0, block = text.compare(at, 2, "/*") == 0;
    if (!line && !block) return at;
    at = text.find(line ? "\n" : "*/", at + 2);
    if (at == std::string::npos) return at;
    at += line ? 1 : 2;
  }
}

/// Where the properties of a CREATE CATALOG begin; npos if there is none.
size_t secret_part(std::string_view statement) {
  const std::string text = lower(statement);
  for (size_t at = text.find("create"); at != std::string::npos; at = text.find("create", at + 1)) {
    const size_t word = next_word(text, at + 6);
    if (word == std::string::npos || text.compare(word, 7, "catalog") != 0) continue;
    const size_t with = text.find("with", word);
    return with == std::string::npos ? text.size() : with + 4;
  }
  return std::string::npos;
}

bool ended(const QueryInfo& info) {
  return info.state == QueryState::kFinished || info.state == QueryState::kFailed;
}

PastStatement past_of(const QueryInfo& info) {
  PastStatement past;
  past.id = info.id;
  past.user = remembered_text(info.user);
  past.source = remembered_text(info.source);
  past.catalog = remembered_text(info.catalog);
  past.schema = remembered_text(info.schema);
  past.statement = remembered_text(info.text);
  past.state = engine::state_name(info.state);
  past.started_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(info.created.time_since_epoch())
          .count();
  past.elapsed_ms = info.elapsed_ms;
  past.rows = info.update_count.value_or(info.rows_out);
  if (info.error) {
    if (info.error->code() == Code::kUserCanceled) past.state = "CANCELED";
    past.error = remembered_text(info.error->what());
    past.error_code = code_name(info.error->code());
  }
  return past;
}

}  // namespace

std::string remembered_text(std::string_view statement) {
  std::string text(statement.substr(0, kMostText));
  if (const size_t secret = secret_part(text); secret != std::string::npos) {
    text.resize(std::min(text.size(), secret));
    text += " (…)";
  }
  std::erase(text, '\0');
  // A character may have been cut at the end; anything else that is no UTF-8 goes byte by byte.
  for (int i = 0; i < 4 && !base::valid_utf8(text) && !text.empty(); ++i) text.pop_back();
  if (base::valid_utf8(text)) return text;
  text.assign(statement.substr(0, kMostText));
  for (char& c : text)
    if (static_cast<unsigned char>(c) >= 0x80 || c == '\0') c = '?';
  return text;
}

/// The engine it is made of, with an eye on what is submitted.
class StatementHistory::RecordedEngine : public engine::Engine {
 public:
  RecordedEngine(StatementHistory& history, engine::Engine& engine)
      : history_(history), engine_(engine) {}

  engine::QueryPtr submit(std::string sql, engine::Session session) override {
    const bool remember = session.source != kUnrecordedSource;
    auto query = engine_.submit(std::move(sql), std::move(session));
    if (remember) history_.watch(query);
    return query;
  }
  engine::QueryPtr find(const std::string& id) override { return engine_.find(id); }
  std::vector<QueryInfo> queries() const override { return engine_.queries(); }
  void use_objects(objects::Store& store, engine::AuthorizeObject authorize) override {
    engine_.use_objects(store, std::move(authorize));
  }
  void observe(engine::StatementObserver& observer) override { engine_.observe(observer); }
  void add_catalog(std::unique_ptr<engine::Catalog> catalog) override {
    engine_.add_catalog(std::move(catalog));
  }
  bool drop_catalog(const std::string& name) override { return engine_.drop_catalog(name); }
  std::vector<std::string> catalogs() const override { return engine_.catalogs(); }
  void warm_up() override { engine_.warm_up(); }
  void load_extension(const std::string& name) override { engine_.load_extension(name); }
  void shutdown(std::chrono::milliseconds grace) override { engine_.shutdown(grace); }
  const engine::Options& options() const override { return engine_.options(); }

 private:
  StatementHistory& history_;
  engine::Engine& engine_;
};

StatementHistory::StatementHistory(engine::Engine& engine, SqlStore& store)
    : store_(store), recorded_(std::make_unique<RecordedEngine>(*this, engine)) {
  thread_ = std::thread([this] { run(); });
}

StatementHistory::~StatementHistory() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  flush();
}

void StatementHistory::watch(const engine::QueryPtr& query) {
  const std::lock_guard lock(mutex_);
  if (running_.empty()) changed_.notify_all();
  running_.push_back(query);
}

void StatementHistory::flush() {
  const std::lock_guard writing(writing_);
  std::vector<engine::QueryPtr> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(running_);
  }
  std::vector<engine::QueryPtr> still;
  for (auto& query : all) {
    const QueryInfo info = query->info();
    if (ended(info)) {
      unwritten_.push_back(past_of(info));
    } else {
      still.push_back(std::move(query));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    running_.insert(running_.end(), still.begin(), still.end());
  }
  if (unwritten_.empty()) return;
  try {
    store_.add(unwritten_);
    unwritten_.clear();
  } catch (const std::exception& error) {
    log::warn("the history of statements waits for the metadata database",
              {{"statements", unwritten_.size()}, {"error", error.what()}});
    if (unwritten_.size() > kMostUnwritten)
      unwritten_.erase(unwritten_.begin(),
                       unwritten_.end() - static_cast<ptrdiff_t>(kMostUnwritten));
  }
}

void StatementHistory::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [&] { return stopping_ || !running_.empty(); });
    changed_.wait_for(lock, kLook, [&] { return stopping_; });
    lock.unlock();
    flush();
    lock.lock();
  }
}

}  // namespace meesh::serve::api
