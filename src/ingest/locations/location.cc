#include "ingest/locations/location.h"

#include <fmt/format.h>

#include <fstream>

namespace meesh::ingest {

using engine::FileTables;
using engine::FileVersion;

namespace fs = std::filesystem;

namespace {

constexpr size_t kCopied = 1 << 20;
constexpr std::string_view kScheme = "s3://";

class OwnLocation : public Location {
 public:
  OwnLocation(std::shared_ptr<FileTables> files, objects::Store& store, std::string user,
              bool outside)
      : files_(std::move(files)), store_(store), user_(std::move(user)), outside_(outside) {}

  std::vector<FileVersion> find(const std::string& pattern, const TaskContext&) override {
    return files_->find(pattern, user_, outside_);
  }
  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files) override {
    return files_->look_again(files);
  }
  void fetch(const FileVersion& file, const fs::path& copy, const TaskContext&) override {
    if (file.path.starts_with(kScheme)) {
      copy_object(store_, file.path, copy);
    } else {
      fs::copy_file(file.path, copy);
    }
  }
  bool here() const override { return true; }

 private:
  const std::shared_ptr<FileTables> files_;
  objects::Store& store_;
  const std::string user_;
  const bool outside_;
};

class S3Location : public Location {
 public:
  S3Location(const objects::RemoteOptions& options, const fs::path& staging)
      : store_(objects::open_remote(options)),
        files_(std::make_shared<FileTables>("$remote", "/", staging, *store_,
                                            engine::AuthorizeObject())) {}

  std::vector<FileVersion> find(const std::string& pattern, const TaskContext&) override {
    return files_->find(pattern, "", false);
  }
  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files) override {
    return files_->look_again(files);
  }
  void fetch(const FileVersion& file, const fs::path& copy, const TaskContext&) override {
    copy_object(*store_, file.path, copy);
  }

 private:
  const std::unique_ptr<objects::Store> store_;
  const std::shared_ptr<FileTables> files_;
};

}  // namespace

void copy_object(objects::Store& store, const std::string& path, const fs::path& copy) {
  const std::string place = path.substr(kScheme.size());
  const size_t slash = place.find('/');
  const auto reader = store.get(place.substr(0, slash), place.substr(slash + 1), {});
  std::ofstream out(copy, std::ios::binary);
  std::string buffer(kCopied, '\0');
  uint64_t at = 0;
  while (const size_t got = reader->read(at, buffer.data(), buffer.size())) {
    out.write(buffer.data(), static_cast<std::streamsize>(got));
    at += got;
  }
  out.close();
  if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", copy.string()));
}

std::unique_ptr<Location> own_location(std::shared_ptr<FileTables> files, objects::Store& store,
                                       std::string user, bool outside) {
  return std::make_unique<OwnLocation>(std::move(files), store, std::move(user), outside);
}

std::unique_ptr<Location> s3_location(const objects::RemoteOptions& options,
                                      const fs::path& staging) {
  return std::make_unique<S3Location>(options, staging);
}

}  // namespace meesh::ingest
