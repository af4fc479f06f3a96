#include "engine/object_files.h"

#include <fnmatch.h>

#include "duckdb/common/file_opener.hpp"
#include "duckdb/common/file_system.hpp"
#include "duckdb/common/types/timestamp.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "duckdb/main/client_data.hpp"
#include "objects/store.h"

namespace meesh::engine {
namespace {

using duckdb::FileHandle;
using duckdb::FileOpener;
using duckdb::FileOpenFlags;
using duckdb::optional_ptr;

constexpr std::string_view kScheme = "s3://";
constexpr const char* kCallerState = "meesh_caller";

struct Caller : duckdb::ClientContextState {
  std::string user;
};

struct Address {
  std::string bucket, key;
};

Address parse(const std::string& path) {
  const size_t slash = path.find('/', kScheme.size());
  if (slash == std::string::npos || slash == kScheme.size()) {
    throw duckdb::IOException("'%s' is not s3://bucket/key", path);
  }
  return {path.substr(kScheme.size(), slash - kScheme.size()), path.substr(slash + 1)};
}

/// One file open for reading or for writing.
class ObjectHandle : public FileHandle {
 public:
  using FileHandle::FileHandle;
  ~ObjectHandle() override = default;  // a writer not closed is dropped, and with it what it wrote

  void Close() override {
    if (writer) writer->commit({});
    writer.reset();
    reader.reset();
  }

  std::shared_ptr<objects::Reader> reader;
  std::unique_ptr<objects::Writer> writer;
  uint64_t position = 0;
};

ObjectHandle& of(FileHandle& handle) { return handle.Cast<ObjectHandle>(); }

/// Store errors come out as DuckDB's own, so that they pass through its operators.
template <class F>
auto guarded(const std::string& path, F&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() == Code::kPermissionDenied) {
      throw duckdb::PermissionException("%s: %s", path, error.message());
    }
    throw duckdb::IOException("%s: %s", path, error.message());
  }
}

class ObjectFileSystem : public duckdb::FileSystem {
 public:
  ObjectFileSystem(objects::Store& store, AuthorizeObject authorize)
      : store_(store), authorize_(std::move(authorize)) {}

  std::string GetName() const override { return "MeeshObjects"; }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kScheme); }
  std::string PathSeparator(const std::string&) override { return "/"; }
  bool CanSeek() override { return true; }
  bool OnDiskFile(FileHandle& handle) override {
    return of(handle).reader && of(handle).reader->file().has_value();
  }

  duckdb::unique_ptr<FileHandle> OpenFile(const std::string& path, FileOpenFlags flags,
                                          optional_ptr<FileOpener> opener) override {
    return guarded(path, [&]() -> duckdb::unique_ptr<FileHandle> {
      const Address at = parse(path);
      auto handle = duckdb::make_uniq<ObjectHandle>(*this, path, flags);
      if (flags.OpenForWriting()) {
        if (flags.OpenForAppending()) throw Error(Code::kNotSupported, "objects do not grow");
        allow(opener, "s3:PutObject", at);
        handle->writer = store_.put(at.bucket, at.key, {}, {});
        return handle;
      }
      allow(opener, "s3:GetObject", at);
      try {
        handle->reader = store_.get(at.bucket, at.key, {});
      } catch (const objects::ObjectError& error) {
        if (flags.ReturnNullIfNotExists() && reason_status(error.reason()) == 404) return nullptr;
        throw;
      }
      return handle;
    });
  }

  void Read(FileHandle& handle, void* buffer, int64_t size, idx_t location) override {
    if (read_at(handle, buffer, size, location) != size) {
      throw duckdb::IOException("%s: %lld bytes at %llu are past its end", handle.path, size,
                                location);
    }
  }
  int64_t Read(FileHandle& handle, void* buffer, int64_t size) override {
    const int64_t got = read_at(handle, buffer, size, of(handle).position);
    of(handle).position += static_cast<uint64_t>(got);
    return got;
  }
  int64_t Write(FileHandle& handle, void* buffer, int64_t size) override {
    guarded(handle.path, [&] {
      of(handle).writer->write({static_cast<const char*>(buffer), static_cast<size_t>(size)});
    });
    of(handle).position += static_cast<uint64_t>(size);
    return size;
  }
  void Write(FileHandle& handle, void* buffer, int64_t size, idx_t location) override {
    if (location != of(handle).position) {
      throw duckdb::IOException("%s: objects are written from their beginning on", handle.path);
    }
    Write(handle, buffer, size);
  }
  void FileSync(FileHandle&) override {}  // closing makes it durable

  int64_t GetFileSize(FileHandle& handle) override {
    const auto& file = of(handle);
    return static_cast<int64_t>(file.reader ? file.reader->object().size : file.position);
  }
  duckdb::timestamp_t GetLastModifiedTime(FileHandle& handle) override {
    if (!of(handle).reader) return duckdb::timestamp_t::epoch();
    return duckdb::Timestamp::FromEpochMs(
        of(handle).reader->object().modified.time_since_epoch().count());
  }
  std::string GetVersionTag(FileHandle& handle) override {
    return of(handle).reader ? of(handle).reader->object().etag : "";
  }
  duckdb::FileType GetFileType(FileHandle&) override { return duckdb::FileType::FILE_TYPE_REGULAR; }
  void Seek(FileHandle& handle, idx_t location) override { of(handle).position = location; }
  void Reset(FileHandle& handle) override { of(handle).position = 0; }
  idx_t SeekPosition(FileHandle& handle) override { return of(handle).position; }

  bool FileExists(const std::string& path, optional_ptr<FileOpener> opener) override {
    return guarded(path, [&] {
      const Address at = parse(path);
      allow(opener, "s3:GetObject", at);
      try {
        store_.head(at.bucket, at.key, {});
        return true;
      } catch (const objects::ObjectError& error) {
        if (reason_status(error.reason()) == 404) return false;
        throw;
      }
    });
  }
  void RemoveFile(const std::string& path, optional_ptr<FileOpener> opener) override {
    guarded(path, [&] {
      const Address at = parse(path);
      allow(opener, "s3:DeleteObject", at);
      store_.remove(at.bucket, at.key, {});
    });
  }
  // Prefixes are no folders: all of them are there, and none needs making.
  bool DirectoryExists(const std::string&, optional_ptr<FileOpener>) override { return true; }
  void CreateDirectory(const std::string&, optional_ptr<FileOpener>) override {}

  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, FileOpener* opener) override {
    return guarded(path, [&] {
      duckdb::vector<duckdb::OpenFileInfo> found;
      const Address at = parse(path);
      const size_t wild = at.key.find_first_of("*?[");
      if (wild == std::string::npos) {
        if (FileExists(path, opener)) found.emplace_back(path);
        return found;
      }
      allow(opener, "s3:ListBucket", at);
      objects::ListOptions wanted;
      wanted.prefix = at.key.substr(0, wild);
      while (true) {
        const auto page = store_.list(at.bucket, wanted);
        for (const auto& object : page.objects) {
          if (!key_matches(at.key, object.key)) continue;
          found.emplace_back(std::string(kScheme) + at.bucket + "/" + object.key);
        }
        if (!page.truncated) return found;
        wanted.after = page.next;
      }
    });
  }

 private:
  static int64_t read_at(FileHandle& handle, void* buffer, int64_t size, uint64_t location) {
    return guarded(handle.path, [&] {
      return static_cast<int64_t>(
          of(handle).reader->read(location, static_cast<char*>(buffer), static_cast<size_t>(size)));
    });
  }

  void allow(optional_ptr<FileOpener> opener, std::string_view action, const Address& at) const {
    if (!authorize_) return;
    const auto context = FileOpener::TryGetClientContext(opener);
    if (!context) return;
    const auto caller = context->registered_state->Get<Caller>(kCallerState);
    if (caller && !caller->user.empty()) authorize_(caller->user, action, at.bucket, at.key);
  }

  objects::Store& store_;
  const AuthorizeObject authorize_;
};

}  // namespace

void register_object_files(Duck& duck, objects::Store& store, AuthorizeObject authorize) {
  duckdb::FileSystem::GetFileSystem(*duck.db->instance)
      .RegisterSubSystem(duckdb::make_uniq<ObjectFileSystem>(store, std::move(authorize)));
}

void set_caller(duckdb::Connection& connection, const std::string& user) {
  connection.context->registered_state->GetOrCreate<Caller>(kCallerState)->user = user;
}

std::string caller_of(duckdb::ClientContext& context) {
  const auto caller = context.registered_state->Get<Caller>(kCallerState);
  return caller ? caller->user : "";
}

bool key_matches(std::string_view pattern, std::string_view key) {
  const size_t slash = pattern.find('/');
  const std::string segment(pattern.substr(0, slash));
  if (segment == "**") {
    if (slash == std::string_view::npos) return true;
    const std::string_view rest = pattern.substr(slash + 1);
    for (size_t from = 0; from != std::string_view::npos;) {
      if (key_matches(rest, key.substr(from))) return true;
      const size_t next = key.find('/', from);
      from = next == std::string_view::npos ? next : next + 1;
    }
    return false;
  }
  const size_t end = key.find('/');
  if (fnmatch(segment.c_str(), std::string(key.substr(0, end)).c_str(), FNM_NOESCAPE) != 0) {
    return false;
  }
  if (slash == std::string_view::npos || end == std::string_view::npos) return slash == end;
  return key_matches(pattern.substr(slash + 1), key.substr(end + 1));
}

}  // namespace meesh::engine
