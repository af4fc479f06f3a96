#include "ingest/locations/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace meesh::ingest {

namespace fs = std::filesystem;

namespace {

constexpr size_t kBlock = 1 << 18;
constexpr uint64_t kMostBytes = 200ull << 30;  // a few kilobytes can be made to unpack to any size
constexpr size_t kMostFiles = 100'000;
constexpr size_t kLongestName = 100;  // of a copy
constexpr const char* kPackings[] = {".gz", ".zst", ".bz2", ".xz"};
constexpr const char* kArchives[] = {".zip",     ".tar",     ".tgz",    ".tar.gz",
                                     ".tar.zst", ".tar.bz2", ".tar.xz", ".tbz2"};

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

class Archive {
 public:
  Archive(const fs::path& file, const std::string& shown)
      : shown_(shown), archive_(archive_read_new(), archive_read_free) {
    archive_read_support_filter_all(archive_.get());
    if (!is_archive(shown)) {
      archive_read_support_format_raw(archive_.get());
    } else if (lower(shown).ends_with(".zip")) {
      archive_read_support_format_zip_seekable(archive_.get());
    } else {
      archive_read_support_format_tar(archive_.get());
    }
    need(archive_read_open_filename(archive_.get(), file.c_str(), kBlock));
  }

  /// Null: there is none any more.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int state = archive_read_next_header(archive_.get(), &entry);
    if (state == ARCHIVE_EOF) return nullptr;
    need(state);
    return entry;
  }

  /// The bytes of the entry that was given last.
  uint64_t copy(const fs::path& to, const TaskContext& context) {
    std::ofstream out(to, std::ios::binary);
    std::string block(kBlock, '\0');
    uint64_t bytes = 0;
    while (true) {
      context.check();
      const auto got = archive_read_data(archive_.get(), block.data(), block.size());
      if (got < 0) need(ARCHIVE_FATAL);
      if (got == 0) break;
      out.write(block.data(), got);
      bytes += static_cast<uint64_t>(got);
      total_ += static_cast<uint64_t>(got);
      if (total_ > kMostBytes) {
        throw Error(Code::kInvalidArguments,
                    fmt::format("{} unpacks to more than {} GB", shown_, kMostBytes >> 30));
      }
    }
    out.close();
    if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", to.string()));
    return bytes;
  }

 private:
  void need(int state) const {
    if (state == ARCHIVE_OK || state == ARCHIVE_WARN) return;
    const char* why = archive_error_string(archive_.get());
    throw Error(Code::kInvalidArguments,
                fmt::format("{} cannot be unpacked: {}", shown_, why ? why : "it is malformed"));
  }

  const std::string shown_;
  const std::unique_ptr<archive, int (*)(archive*)> archive_;
  uint64_t total_ = 0;
};

/// What is put into archives beside the files.
bool hidden(const std::string& name) {
  return name.starts_with('.') || name.starts_with("__MACOSX/") ||
         name.find("/.") != std::string::npos;
}

std::string file_name(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

bool is_archive(const std::string& name) {
  return std::ranges::any_of(kArchives,
                             [&](const char* ending) { return lower(name).ends_with(ending); });
}

bool is_packed(const std::string& name) {
  return is_archive(name) || std::ranges::any_of(kPackings, [&](const char* ending) {
           return lower(name).ends_with(ending);
         });
}

std::string unpacked_name(const std::string& name) {
  if (is_archive(name)) return "";
  for (const std::string_view ending : kPackings)
    if (lower(name).ends_with(ending)) return name.substr(0, name.size() - ending.size());
  return name;
}

std::vector<Unpacked> unpack(const fs::path& file, const std::string& shown, const fs::path& folder,
                             const TaskContext& context) {
  fs::create_directories(folder);
  Archive archive(file, shown);
  std::vector<Unpacked> files;
  size_t made = 0;
  const auto target = [&](const std::string& name) {
    std::string plain = file_name(name);
    if (plain.size() > kLongestName) plain = plain.substr(plain.size() - kLongestName);
    return folder / fmt::format("{}-{}", made++, plain);
  };
  if (!is_archive(shown)) {
    if (!archive.next()) return files;
    const std::string name = unpacked_name(shown);
    const auto to = target(name);
    if (archive.copy(to, context) > 0) files.push_back({to, name});
    return files;
  }
  while (auto* entry = archive.next()) {
    if (files.size() == kMostFiles)
      throw Error(Code::kInvalidArguments,
                  fmt::format("{} holds more than {} files", shown, kMostFiles));
    const char* path = archive_entry_pathname_utf8(entry);
    const std::string name = path ? path : "";
    if (archive_entry_filetype(entry) != AE_IFREG || name.empty() || hidden(name)) continue;
    if (archive_entry_is_encrypted(entry)) {
      throw Error(Code::kNotSupported,
                  fmt::format("{} is encrypted: {} cannot be unpacked", shown, name));
    }
    const auto to = target(name);
    if (archive.copy(to, context) > 0) files.push_back({to, shown + "/" + name});
  }
  return files;
}

}  // namespace meesh::ingest
