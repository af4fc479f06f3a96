// What the tests put in place of the engine and of the network: a query whose batches are laid out
// beforehand, and requests and responses that live in memory.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "net/http.h"

namespace meesh::serve::trino {

/// A column of cells that owns its memory. Cells are nullopt for NULL.
class FakeColumn {
 public:
  FakeColumn(sql::Type type, engine::Layout layout) {
    view.type = std::move(type);
    view.layout = layout;
  }
  template <class T>
  static FakeColumn of(sql::Type type, engine::Layout layout, std::vector<std::optional<T>> cells) {
    FakeColumn column(std::move(type), layout);
    auto data = std::make_shared<std::vector<T>>();
    for (const auto& cell : cells) data->push_back(cell.value_or(T{}));
    column.set(data->data(), data, cells);
    return column;
  }
  static FakeColumn booleans(std::vector<std::optional<uint8_t>> cells) {
    return of<uint8_t>(sql::Type::of(sql::TypeKind::kBoolean), engine::Layout::kBool, cells);
  }
  static FakeColumn strings(sql::Type type, std::vector<std::optional<std::string>> cells) {
    FakeColumn column(std::move(type), engine::Layout::kString);
    struct Held {
      std::deque<std::string> texts;
      std::vector<engine::StringCell> cells;
    };
    auto held = std::make_shared<Held>();
    for (const auto& cell : cells) {
      held->texts.push_back(cell.value_or(""));
      const std::string& text = held->texts.back();
      engine::StringCell out{};
      out.length = static_cast<uint32_t>(text.size());
      if (text.size() <= 12) {
        std::memcpy(out.inlined, text.data(), text.size());
      } else {
        const char* p = text.data();
        std::memcpy(out.inlined, text.data(), 4);
        std::memcpy(out.inlined + 4, &p, sizeof p);
      }
      held->cells.push_back(out);
    }
    column.set(held->cells.data(), held, cells);
    return column;
  }
  /// A list over `element`; for a map `element` is a row of two.
  static FakeColumn lists(sql::Type type, FakeColumn element,
                          std::vector<std::optional<engine::ListEntry>> cells) {
    FakeColumn column = of<engine::ListEntry>(std::move(type), engine::Layout::kList, cells);
    column.adopt(std::move(element));
    return column;
  }
  static FakeColumn rows(sql::Type type, std::vector<FakeColumn> fields) {
    FakeColumn column(std::move(type), engine::Layout::kStruct);
    for (auto& field : fields) column.adopt(std::move(field));
    return column;
  }

  engine::ColumnView view;
  std::vector<std::shared_ptr<const void>> owners;

 private:
  template <class Cells>
  void set(const void* data, std::shared_ptr<const void> owner, const Cells& cells) {
    view.data = data;
    owners.push_back(std::move(owner));
    auto bits = std::make_shared<std::vector<uint64_t>>(cells.size() / 64 + 1, ~uint64_t{0});
    bool any = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i]) continue;
      (*bits)[i / 64] &= ~(uint64_t{1} << (i % 64));
      any = true;
    }
    if (!any) return;
    view.validity = bits->data();
    owners.push_back(std::move(bits));
  }
  void adopt(FakeColumn child) {
    view.children.push_back(child.view);
    for (auto& owner : child.owners) owners.push_back(std::move(owner));
  }
};

inline engine::BatchPtr make_batch(size_t rows, std::vector<FakeColumn> columns) {
  auto batch = std::make_shared<engine::Batch>();
  batch->rows = rows;
  auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  for (auto& column : columns) {
    batch->columns.push_back(column.view);
    for (auto& owner : column.owners) owners->push_back(std::move(owner));
  }
  batch->owner = std::move(owners);
  return batch;
}

/// `rows` consecutive bigints from `first`.
inline engine::BatchPtr numbers(int64_t first, size_t rows) {
  std::vector<std::optional<int64_t>> cells;
  for (size_t i = 0; i < rows; ++i) cells.emplace_back(first + static_cast<int64_t>(i));
  return make_batch(rows, {FakeColumn::of<int64_t>(sql::Type::of(sql::TypeKind::kBigint),
                                                   engine::Layout::kInt64, cells)});
}

class FakeQuery : public engine::Query {
 public:
  FakeQuery(std::string id, std::string text, engine::Session session)
      : id_(std::move(id)), session_(std::move(session)) {
    info_.id = id_;
    info_.text = std::move(text);
    info_.user = session_.user;
    info_.state = engine::QueryState::kQueued;
  }

  // The script, from any thread.
  void columns_are(std::vector<engine::Column> columns) {
    change([&] {
      columns_ = std::move(columns);
      info_.state = engine::QueryState::kRunning;
    });
  }
  void add(engine::BatchPtr batch) {
    change([&] { batches_.push_back(std::move(batch)); });
  }
  void end() {
    change([&] { info_.state = engine::QueryState::kFinished; });
  }
  void fail(Error error) {
    change([&] {
      info_.state = engine::QueryState::kFailed;
      info_.error = std::move(error);
    });
  }
  void with_info(const std::function<void(engine::QueryInfo&)>& edit) {
    change([&] { edit(info_); });
  }
  void set_changes(engine::SessionChanges changes) {
    change([&] { changes_ = std::move(changes); });
  }
  bool canceled() const { return info().error && info().error->code() == Code::kUserCanceled; }

  const std::string& id() const override { return id_; }
  engine::QueryInfo info() const override {
    const std::lock_guard lock(mutex_);
    return info_;
  }
  const engine::Session& session() const override { return session_; }
  bool wait_for_columns(std::chrono::milliseconds at_most) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return columns_ || ended(); });
    return columns_.has_value();
  }
  std::vector<engine::Column> columns() const override {
    const std::lock_guard lock(mutex_);
    return columns_.value_or(std::vector<engine::Column>{});
  }
  engine::BatchPtr next(std::chrono::milliseconds at_most) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return !batches_.empty() || ended(); });
    if (!batches_.empty()) {
      auto batch = batches_.front();
      batches_.pop_front();
      return batch;
    }
    if (info_.error) throw *info_.error;
    return nullptr;
  }
  bool finished() const override {
    const std::lock_guard lock(mutex_);
    return ended() && batches_.empty();
  }
  engine::SessionChanges changes() const override {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  void cancel(Code code, std::string message) override {
    change([&] {
      if (ended()) return;
      batches_.clear();
      info_.state = engine::QueryState::kFailed;
      info_.error = Error(code, std::move(message));
    });
  }

 private:
  template <class F>
  void change(F f) {
    const std::lock_guard lock(mutex_);
    f();
    changed_.notify_all();
  }
  bool ended() const {
    return info_.state == engine::QueryState::kFinished ||
           info_.state == engine::QueryState::kFailed;
  }

  const std::string id_;
  const engine::Session session_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  engine::QueryInfo info_;
  std::optional<std::vector<engine::Column>> columns_;
  std::deque<engine::BatchPtr> batches_;
  engine::SessionChanges changes_;
};

class FakeEngine : public engine::Engine {
 public:
  /// Called with every submitted query, before submit returns.
  std::function<void(FakeQuery&)> on_submit;
  std::optional<Error> refuse;
  engine::Options engine_options;

  std::shared_ptr<FakeQuery> last() const { return queries_.empty() ? nullptr : queries_.back(); }

  engine::QueryPtr submit(std::string sql, engine::Session session) override {
    if (refuse) throw *refuse;
    queries_.push_back(std::make_shared<FakeQuery>("q" + std::to_string(queries_.size() + 1),
                                                   std::move(sql), std::move(session)));
    if (on_submit) on_submit(*queries_.back());
    return queries_.back();
  }
  engine::QueryPtr find(const std::string& id) override {
    for (const auto& query : queries_) {
      if (query->id() == id) return query;
    }
    return nullptr;
  }
  std::vector<engine::QueryInfo> queries() const override {
    std::vector<engine::QueryInfo> out;
    for (auto it = queries_.rbegin(); it != queries_.rend(); ++it) out.push_back((*it)->info());
    return out;
  }
  void observe(engine::StatementObserver&) override {}
  void use_objects(objects::Store&, engine::AuthorizeObject) override {}
  void add_catalog(std::unique_ptr<engine::Catalog>) override {}
  bool drop_catalog(const std::string&) override { return false; }
  std::vector<std::string> catalogs() const override { return {}; }
  void load_extension(const std::string&) override {}
  void warm_up() override {}
  void shutdown(std::chrono::milliseconds) override {}
  const engine::Options& options() const override { return engine_options; }

 private:
  std::vector<std::shared_ptr<FakeQuery>> queries_;
};

class FakeRequest : public net::Request {
 public:
  explicit FakeRequest(std::string body_text = {}) : body_(std::move(body_text)) {
    headers.add("Host", "localhost:8080");
    headers.add("X-Trino-User", "alice");
    remote_address = "127.0.0.1";
  }
  size_t read(char* buffer, size_t size) override {
    const size_t n = std::min(size, body_.size() - read_);
    std::memcpy(buffer, body_.data() + read_, n);
    read_ += n;
    return n;
  }
  bool client_gone() override { return false; }

 private:
  std::string body_;
  size_t read_ = 0;
};

class FakeResponse : public net::Response {
 public:
  std::string sent;
  void write(std::string_view data) override { sent += data; }
  void flush() override {}
};

}  // namespace meesh::serve::trino
