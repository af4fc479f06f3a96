// A mesh of pipelines in a folder of its own, whose assets do what a test tells them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/postgres_server_test.h"
#include "base/uuid.h"
#include "meta/database.h"
#include "pipelines/pipelines.h"
#include "pipelines/sql_tables.h"

namespace meesh::pipelines {

/// What assets of kind `fake` do: { fake: "SELECT … or words" }; by their names.
class FakeWork {
 public:
  using Do = std::function<StepResult(const StepContext&)>;
  void on(const std::string& asset, Do work) {
    const std::lock_guard lock(mutex_);
    work_[asset] = std::move(work);
  }
  StepResult run(const StepContext& context) {
    Do work;
    {
      const std::lock_guard lock(mutex_);
      ran_.push_back(context.step);
      if (const auto found = work_.find(context.step); found != work_.end()) work = found->second;
    }
    return work ? work(context) : StepResult{1, "done", {}};
  }
  std::vector<std::string> ran() {
    const std::lock_guard lock(mutex_);
    return ran_;
  }
  int count(const std::string& asset) {
    const auto all = ran();
    return static_cast<int>(std::ranges::count(all, asset));
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Do> work_;
  std::vector<std::string> ran_;
};

class FakeAsset : public Asset {
 public:
  FakeAsset(FakeWork& work, std::string name, std::vector<TableUse> reads)
      : work_(work), name_(std::move(name)), reads_(std::move(reads)) {}
  std::vector<std::string> outputs() const override { return {name_}; }
  std::vector<TableUse> inputs() const override { return reads_; }
  StepResult run(const StepContext& context) override { return work_.run(context); }

 private:
  FakeWork& work_;
  const std::string name_;
  const std::vector<TableUse> reads_;
};

class FakeKind : public AssetKind {
 public:
  explicit FakeKind(FakeWork& work) : work_(work) {}
  std::string_view word() const override { return "fake"; }
  std::vector<base::Shape> shape() const override {
    return {base::required("fake", base::text("A query."))};
  }
  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const yaml::Node& node = *from.node.find("fake");
    auto reads = tables_in(node.text, from.document.file, "lake", "silver").reads;
    for (TableUse& use : reads) use.where = {node.line, node.column, from.document.file};
    std::vector<NamedAsset> assets;
    assets.push_back({from.name, std::make_unique<FakeAsset>(work_, from.name, std::move(reads))});
    return assets;
  }

 private:
  FakeWork& work_;
};

class PipelinesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("meesh-pipelines-" + base::random_uuid());
    std::filesystem::create_directories(folder_ / "pipelines");
    mesh_.folder = mesh_.shown = folder_;
    mesh_.name = "test";
    mesh_.secret = [](const std::string&) { return std::nullopt; };
    open_database();
  }
  void TearDown() override {
    other_.reset();
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open_database() { database_ = meta::Database::open(database_options()); }
  virtual meta::DatabaseOptions database_options() {
    return {.location = (folder_ / "meesh.db").string()};
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / "pipelines" / name) << text;
  }
  AssetKinds kinds() {
    AssetKinds all;
    all.push_back(std::make_unique<FakeKind>(work_));
    return all;
  }
  PipelinesOptions options(const std::string& holder = "test") {
    PipelinesOptions options;
    options.logs = folder_ / "logs";
    options.holder = holder;
    options.version = version_;
    return options;
  }
  Pipelines& start() {
    service_ = std::make_unique<Pipelines>(*database_, mesh_, kinds(), options());
    service_->start();
    return *service_;
  }
  Pipelines& service() { return *service_; }
  /// A second server on the same mesh and database.
  Pipelines& start_other() {
    other_ = std::make_unique<Pipelines>(*database_, mesh_, kinds(), options("other"));
    other_->start();
    return *other_;
  }

  /// The run once it has ended.
  pipelines::Run finished(const std::string& id) {
    uint64_t seen = 0;
    while (true) {
      pipelines::Run run = service_->run(id);
      if (ended(run.record.state)) return run;
      seen = service_->wait_for_change(id, seen, std::chrono::milliseconds(200));
    }
  }
  static std::string state(const pipelines::Run& run, const std::string& step) {
    for (const StepRecord& one : run.steps) {
      if (one.name == step) return std::string(word(one.state));
    }
    return "none";
  }
  std::vector<std::string> mistakes() {
    try {
      const Pipelines read(*database_, mesh_, kinds(), options());
    } catch (const mesh::ConfigError& error) {
      std::vector<std::string> all;
      for (const Error& one : error.all()) {
        std::string text = one.what();
        const std::string prefix = folder_.string() + "/";
        for (size_t at; (at = text.find(prefix)) != std::string::npos;)
          text.erase(at, prefix.size());
        all.push_back(text);
      }
      return all;
    }
    return {};
  }

  std::filesystem::path folder_;
  mesh::Mesh mesh_;
  FakeWork work_;
  std::function<std::string(const std::string&)> version_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Pipelines> service_, other_;
};

/// The same with the metadata database in SQLite or in PostgreSQL; each test has its own.
class PipelinesOnBoth : public PipelinesTest, public ::testing::WithParamInterface<meta::Backend> {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer("meshes"); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  meta::DatabaseOptions database_options() override {
    if (GetParam() == meta::Backend::kSqlite) return PipelinesTest::database_options();
    if (url_.empty()) {
      const std::string name = fmt::format("mesh_{}", count_++);
      server_->run("CREATE DATABASE " + name);
      url_ = server_->url(name);
    }
    return {.kind = meta::Backend::kPostgresql, .location = url_};
  }

 private:
  static inline PostgresServer* server_ = nullptr;
  static inline int count_ = 0;
  std::string url_;
};

/// A gate that steps wait at until a test opens it, or they are told to stop.
class Door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass(const TaskContext& task) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, task.stop, [&] { return open_; });
    --waiting_;
    lock.unlock();
    task.check();
  }
  void wait_for(int waiting) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= waiting; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace meesh::pipelines
