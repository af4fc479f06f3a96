#include "engine/catalogs/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "engine/catalogs/files_excel.h"
#include "engine/catalogs/files_pattern.h"
#include "engine/catalogs/files_read.h"
#include "engine/object_files.h"
#include "objects/store.h"

namespace meesh::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr const char* kWild = "*?[";

bool is_object(std::string_view path) { return path.starts_with(kScheme); }

std::pair<std::string, std::string> bucket_and_key(const std::string& path) {
  const size_t slash = path.find('/', kScheme.size());
  if (slash == std::string::npos || slash == kScheme.size()) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' names no files", path))
        .with_hint("s3://bucket/folder/*.csv, or a path relative to the mesh's folder");
  }
  return {path.substr(kScheme.size(), slash - kScheme.size()), path.substr(slash + 1)};
}

/// Nothing if it is no file, or an empty one.
std::optional<FileVersion> local_version(const fs::path& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0)
    return std::nullopt;
  return FileVersion{
      path.string(),
      fmt::format("{}.{:09}-{}", found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino),
      static_cast<uint64_t>(found.st_size)};
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// Everything below the last folder of the pattern that has no wildcard.
std::vector<fs::path> matching_files(const fs::path& pattern) {
  const std::string text = pattern.lexically_normal().string();
  const size_t wild = text.find_first_of(kWild);
  if (wild == std::string::npos) return {text};
  const size_t slash = text.rfind('/', wild);
  const std::string top = text.substr(0, slash + 1), rest = text.substr(slash + 1);
  std::vector<fs::path> found;
  std::error_code failure;
  fs::recursive_directory_iterator walk(top, fs::directory_options::skip_permission_denied,
                                        failure);
  for (; !failure && walk != fs::recursive_directory_iterator(); walk.increment(failure)) {
    const std::string below = walk->path().string().substr(top.size());
    if (walk->path().filename().string().starts_with('.')) {
      walk.disable_recursion_pending();
    } else if (key_matches(rest, below)) {
      found.push_back(walk->path());
    }
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

bool file_matches(std::string_view pattern, std::string_view path) {
  return key_matches(pattern, path);
}

struct FileTables::State {
  struct Table {
    sql::TableInfo info;
  };
  mutable std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Table> tables;  // guarded by mutex
  Duck* duck = nullptr;                                         // set when the catalog is added
};

/// The registered sets as a catalog.
class FilesCatalog : public Catalog {
 public:
  explicit FilesCatalog(std::shared_ptr<FileTables> tables) : tables_(std::move(tables)) {}

  const std::string& name() const override { return tables_->catalog_; }
  std::string_view connector() const override { return "files"; }
  void open(Duck& duck) override {
    register_file_readers(duck);
    tables_->state_->duck = &duck;
  }
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}

  std::vector<std::string> schemas() override {
    std::vector<std::string> names;
    each([&](const auto& key, const auto&) {
      if (names.empty() || names.back() != key.first) names.push_back(key.first);
    });
    return names;
  }
  bool schema_exists(const std::string& schema) override {
    return std::ranges::count(schemas(), schema) > 0;
  }
  std::vector<std::string> tables(const std::string& schema) override {
    std::vector<std::string> names;
    each([&](const auto& key, const auto&) {
      if (key.first == schema) names.push_back(key.second);
    });
    return names;
  }
  std::optional<sql::TableInfo> table(const std::string& schema,
                                      const std::string& table) override {
    const auto& state = *tables_->state_;
    std::lock_guard lock(state.mutex);
    const auto found = state.tables.find({schema, table});
    if (found == state.tables.end()) return std::nullopt;
    return found->second.info;
  }

 private:
  template <class F>
  void each(F&& use) const {
    const auto& state = *tables_->state_;
    std::lock_guard lock(state.mutex);
    for (const auto& [key, table] : state.tables) use(key, table);
  }

  const std::shared_ptr<FileTables> tables_;
};

FileTables::FileTables(std::string catalog, fs::path folder, fs::path staging,
                       objects::Store& store, AuthorizeObject authorize)
    : catalog_(std::move(catalog)),
      folder_(fs::weakly_canonical(folder)),
      staging_(std::move(staging)),
      store_(store),
      authorize_(std::move(authorize)),
      state_(std::make_unique<State>()) {}

FileTables::~FileTables() = default;

std::vector<FileVersion> FileTables::find(const std::string& pattern, const std::string& user,
                                          bool outside) {
  std::vector<FileVersion> found;
  if (!is_object(pattern)) {
    for (const auto& path : matching_files(folder_ / pattern)) {
      std::error_code failure;
      const auto real = fs::canonical(path, failure);
      if (failure) continue;
      if (!outside && !lies_in(real, folder_)) {
        throw Error(Code::kPermissionDenied,
                    fmt::format("'{}' lies outside of the mesh's folder", path.string()))
            .with_hint("copy it to the folder, or write 'allow_outside: true' into the source");
      }
      if (auto version = local_version(real)) found.push_back(std::move(*version));
    }
    return found;
  }
  const auto [bucket, key] = bucket_and_key(pattern);
  if (authorize_) authorize_(user, "s3:ListBucket", bucket, key);
  objects::ListOptions wanted;
  wanted.prefix = key.substr(0, key.find_first_of(kWild));
  while (true) {
    const auto page = store_.list(bucket, wanted);
    for (const auto& object : page.objects) {
      if (object.size > 0 && key_matches(key, object.key))
        found.push_back(
            {fmt::format("{}{}/{}", kScheme, bucket, object.key), object.etag, object.size});
    }
    if (!page.truncated) return found;
    wanted.after = page.next;
  }
}

std::vector<FileVersion> FileTables::look_again(const std::vector<FileVersion>& files) {
  std::vector<FileVersion> now;
  for (const auto& file : files) {
    if (!is_object(file.path)) {
      if (auto version = local_version(file.path)) now.push_back(std::move(*version));
      continue;
    }
    const auto [bucket, key] = bucket_and_key(file.path);
    try {
      const auto object = store_.head(bucket, key, {});
      now.push_back({file.path, object.etag, object.size});
    } catch (const objects::ObjectError& error) {
      if (reason_status(error.reason()) != 404) throw;
    }
  }
  return now;
}

FileSet FileTables::look(const std::vector<FileVersion>& files, const FileFormat& format,
                         const std::vector<FileColumn>& declared, const std::string& user) {
  if (!state_->duck) internal_error("the catalog of files is in no engine");
  return FileLooker(*state_->duck, store_, format, user).look(files, declared);
}

MalformedRows FileTables::malformed(const FileSet& set, const std::string& user,
                                    std::stop_token stop) {
  fs::create_directories(staging_);
  return find_malformed_rows(*state_->duck, set, user, staging_, stop);
}

void FileTables::excel_to_json(const fs::path& file, const ExcelSheet& sheet, const fs::path& json,
                               const std::string& shown, std::stop_token stop) {
  if (!state_->duck) internal_error("the catalog of files is in no engine");
  write_excel_as_json(*state_->duck, file, sheet, json, shown, stop);
}

std::unique_ptr<FileTables::Registration> FileTables::add(const std::string& schema,
                                                          const std::string& table,
                                                          const FileSet& set) {
  State::Table made;
  made.info.name = {catalog_, schema, table};
  for (const auto& column : set.columns) {
    sql::ColumnInfo info;
    info.name = column.name;
    info.type = column.type;
    made.info.columns.push_back(std::move(info));
  }
  made.info.duckdb_source = files_source(set);
  {
    std::lock_guard lock(state_->mutex);
    if (!state_->tables.emplace(std::pair(schema, table), std::move(made)).second) {
      throw Error(Code::kAlreadyExists,
                  fmt::format("the files of {}.{} are being read already", schema, table));
    }
  }
  return std::make_unique<Registration>(shared_from_this(), schema, table);
}

FileTables::Registration::Registration(std::shared_ptr<FileTables> tables, std::string schema,
                                       std::string table)
    : tables_(std::move(tables)), schema_(std::move(schema)), table_(std::move(table)) {}

FileTables::Registration::~Registration() {
  std::lock_guard lock(tables_->state_->mutex);
  tables_->state_->tables.erase({schema_, table_});
}

sql::TableName FileTables::Registration::name() const {
  return {tables_->catalog_, schema_, table_};
}

std::unique_ptr<Catalog> make_files_catalog(std::shared_ptr<FileTables> tables) {
  return std::make_unique<FilesCatalog>(std::move(tables));
}

}  // namespace meesh::engine
