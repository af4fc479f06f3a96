// What the tests of Access share: a database of either kind, a clock that stands, restarts.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "access/access.h"
#include "base/postgres_server_test.h"
#include "meta/database.h"

namespace meesh::access {

class AccessTest : public ::testing::TestWithParam<meta::Backend> {
 protected:
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "meesh-access-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    location_.kind = GetParam();
    if (GetParam() == meta::Backend::kPostgresql) {
      if (!server_) server_ = new PostgresServer("first");
      const std::string name = fmt::format("access_{}", count_++);
      server_->run("CREATE DATABASE " + name);
      location_.location = server_->url(name);
    } else {
      location_.location = folder_ / "meesh.db";
    }
    start();
  }
  void TearDown() override {
    access_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  Options options() {
    return {.database = database_.get(), .key = key_, .clock = [this] { return now_.load(); }};
  }
  /// The same as after a restart of the process.
  void start() {
    access_.reset();
    database_ = meta::Database::open(location_);
    access_ = std::make_unique<Access>(options());
    access_->set_root("minioadmin", "minioadmin");
  }
  void pass(std::chrono::milliseconds time) { now_ = now_.load() + time; }

  static Code code_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      last_message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return Code::kGenericInternalError;
  }
  bool may(const Identity& identity, const std::string& action, const std::string& resource,
           const Policy* bucket_policy = nullptr) const {
    return access_
        ->decide({.identity = &identity,
                  .action = action,
                  .resource = resource,
                  .resource_policy = bucket_policy})
        .allowed;
  }
  Identity identity_of(const NewKey& key) const {
    const auto found = access_->credentials(key.access_key, "");
    if (!found) throw std::runtime_error("unknown key");
    return found->identity;
  }
  bool known(const Credentials& c) const {
    return access_->credentials(c.access_key, c.session_token).has_value();
  }

  static inline PostgresServer* server_ = nullptr;
  static inline int count_ = 0;
  static inline std::string last_message_;
  meta::DatabaseOptions location_;
  std::filesystem::path folder_;
  std::string key_ = std::string(32, 'k');
  std::atomic<Time> now_{Time(std::chrono::milliseconds(1'777'593'600'000))};
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Access> access_;
};

inline std::string backend_name(const ::testing::TestParamInfo<meta::Backend>& info) {
  return info.param == meta::Backend::kSqlite ? "Sqlite" : "Postgresql";
}

}  // namespace meesh::access
