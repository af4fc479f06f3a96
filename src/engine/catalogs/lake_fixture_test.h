// An engine with a lake of its own (a local store and a SQLite database in a folder), for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/catalogs/lake.h"
#include "engine/engine.h"
#include "lake/catalog.h"
#include "lake/manifest_cache.h"
#include "objects/store.h"

namespace meesh::engine {

class LakeTest : public testing::Test {
 protected:
  LakeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_lake_sql_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    store_ = objects::open_local({.folder = folder_ / "objects"});
    objects::Bucket bucket;
    bucket.name = "datalake";
    store_->create_bucket(bucket);
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meta.db").string()});
    files_ = std::make_unique<lake::Files>(*store_, std::vector<std::string>{kPlace});
    catalog_ =
        std::make_unique<lake::Catalog>(*database_, *files_, lake::Warehouse{"main", kPlace});
    cache_ = std::make_unique<lake::ManifestCache>(*files_);
    Options options;
    options.spill_directory = (folder_ / "spill").string();
    options.extension_directory = extensions();
    options.threads = 2;
    engine_ = Engine::open(options);
    const auto authorize = [](const std::string& user, std::string_view action,
                              const std::string& bucket_name, const std::string& key) {
      if (user == "ada") return;
      if (user == "reader" && action == "s3:GetObject") return;
      if (user == "owner of v" && key.find("/v/") != std::string::npos) return;
      throw Error(Code::kPermissionDenied,
                  user + " may not do " + std::string(action) + " on " + bucket_name + "/" + key);
    };
    engine_->use_objects(*store_, authorize);
    engine_->add_catalog(make_memory_catalog("memory"));
    engine_->add_catalog(make_lake_catalog("lake", *catalog_, *cache_, authorize));
    session_.user = "ada";
    session_.catalog = "lake";
    session_.schema = "s";
    run("CREATE SCHEMA lake.s");
  }
  ~LakeTest() override {
    engine_.reset();
    catalog_.reset();
    cache_.reset();
    files_.reset();
    database_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static std::string extensions() {
    for (const auto& entry : std::filesystem::directory_iterator(".deps")) {
      if (entry.path().filename().string().starts_with("duckdb-"))
        return entry.path() / "extensions";
    }
    return "";
  }

  static std::string cell(const ColumnView& column, size_t row) {
    if (column.is_null(row)) return "NULL";
    switch (column.layout) {
      case Layout::kBool:
        return column.at<bool>(row) ? "true" : "false";
      case Layout::kInt32:
        return std::to_string(column.at<int32_t>(row));
      case Layout::kInt64:
        return std::to_string(column.at<int64_t>(row));
      case Layout::kString:
        return std::string(column.string(row));
      default:
        return "?";
    }
  }

  struct Answer {
    std::vector<Column> columns;
    std::vector<std::string> rows;  // cells between '|'
    std::optional<uint64_t> changed;
  };
  /// Throws the statement's error.
  Answer run(const std::string& text, const std::string& user = "") {
    Session session = session_;
    if (!user.empty()) session.user = user;
    const auto query = engine_->submit(text, session);
    Answer answer;
    while (true) {
      const auto batch = query->next(std::chrono::milliseconds(200));
      if (!batch) {
        if (query->finished()) break;
        continue;
      }
      for (size_t row = 0; row < batch->rows; ++row) {
        std::string line;
        for (const auto& column : batch->columns)
          line += (&column == batch->columns.data() ? "" : "|") + cell(column, row);
        answer.rows.push_back(std::move(line));
      }
    }
    answer.columns = query->columns();
    answer.changed = query->info().update_count;
    return answer;
  }
  std::vector<std::string> rows(const std::string& text) { return run(text).rows; }
  std::string one(const std::string& text) {
    const auto found = rows(text);
    return found.size() == 1 ? found[0] : fmt::format("{} rows", found.size());
  }
  std::vector<std::string> shape(const std::string& text) {
    std::vector<std::string> out;
    for (const auto& column : run(text).columns)
      out.push_back(column.name + " " + column.type.display());
    return out;
  }
  /// The code and message a statement fails with.
  std::string failure(const std::string& text, const std::string& user = "") {
    try {
      run(text, user);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.message();
    }
    return "it did not fail";
  }

  /// Keys of all objects that end so.
  std::vector<std::string> objects_ending(const std::string& end) {
    std::vector<std::string> keys;
    objects::ListOptions wanted;
    while (true) {
      const auto page = store_->list("datalake", wanted);
      for (const auto& object : page.objects)
        if (object.key.ends_with(end)) keys.push_back(object.key);
      if (!page.truncated) return keys;
      wanted.after = page.next;
    }
  }
  void remove_objects(const std::string& with) {
    for (const auto& key : objects_ending(".parquet"))
      if (key.find(with) != std::string::npos) store_->remove("datalake", key, {});
  }

  static constexpr const char* kPlace = "s3://datalake/warehouse";
  std::filesystem::path folder_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<lake::Files> files_;
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<lake::ManifestCache> cache_;
  std::unique_ptr<Engine> engine_;
  Session session_;
};

}  // namespace meesh::engine
