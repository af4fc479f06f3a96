#include "serve/api/objects_preview.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "base/uuid.h"
#include "engine/ask.h"

namespace meesh::serve::api {

namespace fs = std::filesystem;
using engine::FileFormat;
using engine::FileVersion;

namespace {

constexpr const char* kCatalog = "$preview";
constexpr auto kPatience = std::chrono::seconds(20);
constexpr size_t kMostColumns = 1000;
constexpr int kMostCell = 4000;  // characters

bool packed(const std::string& key) { return key.ends_with(".gz") || key.ends_with(".zst"); }

/// "leads.csv.gz" → ".csv.gz", as DuckDB and FileTables want names to end.
std::optional<std::pair<FileFormat::Kind, std::string>> kind_of(const std::string& key) {
  std::string name = key.substr(key.rfind('/') + 1), tail;
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  for (const std::string ending : {".gz", ".zst"}) {
    if (!name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    tail = ending;
  }
  static const std::pair<const char*, FileFormat::Kind> kKinds[] = {
      {".csv", FileFormat::Kind::kCsv},     {".tsv", FileFormat::Kind::kCsv},
      {".json", FileFormat::Kind::kJson},   {".jsonl", FileFormat::Kind::kJson},
      {".ndjson", FileFormat::Kind::kJson}, {".parquet", FileFormat::Kind::kParquet},
      {".parq", FileFormat::Kind::kParquet}};
  for (const auto& [ending, kind] : kKinds)
    if (name.ends_with(ending)) return std::pair(kind, ending + tail);
  return std::nullopt;
}

std::string_view format_name(FileFormat::Kind kind) {
  switch (kind) {
    case FileFormat::Kind::kCsv:
      return "csv";
    case FileFormat::Kind::kJson:
      return "json";
    default:
      return "parquet";
  }
}

Error no_rows(std::string message) { return {Code::kNotSupported, std::move(message)}; }

/// A file that is not what its name says is no failure of the program, whatever reading it threw.
template <typename Read>
auto read_file(Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInsufficientResources || error.code() == Code::kUserCanceled)
      throw;
    throw no_rows("the file cannot be read as rows: " + error.message());
  }
}

/// What `ask` can take: every type as text, as people read it.
std::string as_text(const engine::FileColumn& column) {
  const std::string name = engine::quote_name(column.name);
  switch (column.type.kind) {
    case sql::TypeKind::kVarchar:
    case sql::TypeKind::kChar:
      return fmt::format("substr({}, 1, {})", name, kMostCell);
    case sql::TypeKind::kVarbinary:
      return fmt::format("to_hex(substr({}, 1, 256))", name);
    case sql::TypeKind::kArray:
    case sql::TypeKind::kMap:
    case sql::TypeKind::kRow:
    case sql::TypeKind::kJson:
      return fmt::format("substr(json_text({}), 1, {})", name, kMostCell);
    default:
      return fmt::format("CAST({} AS VARCHAR)", name);
  }
}

}  // namespace

/// The beginning of a content in a file, for as long as it is read.
struct FilePreview::Copy {
  Copy(const fs::path& staging, const std::string& ending)
      : path(staging / (base::random_uuid() + ending)) {}
  ~Copy() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  /// Up to `most` bytes; of a text that goes on, whole lines. False: it has no such line.
  bool fill(objects::Reader& reader, uint64_t most, bool lines) {
    std::string bytes(std::min<uint64_t>(most, reader.object().size), '\0');
    size_t at = 0;
    while (at < bytes.size()) {
      const size_t got = reader.read(at, bytes.data() + at, bytes.size() - at);
      if (got == 0) throw Error(Code::kIoError, "an object is shorter than its size");
      at += got;
    }
    if (lines && reader.object().size > most) {
      const size_t end = bytes.rfind('\n');
      if (end == std::string::npos || bytes.find_first_not_of(" \t\r\n") == bytes.find('['))
        return false;
      bytes.resize(end + 1);
    }
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw Error(Code::kIoError, fmt::format("cannot write '{}'", path.string()));
    size = bytes.size();
    return true;
  }

  const fs::path path;
  uint64_t size = 0;
};

FilePreview::FilePreview(engine::Engine& engine, objects::Store& store, fs::path staging)
    : engine_(engine),
      staging_(std::move(staging)),
      files_(std::make_shared<engine::FileTables>(kCatalog, staging_, staging_, store,
                                                  engine::AuthorizeObject())) {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);  // what a killed server left
  engine_.add_catalog(engine::make_files_catalog(files_));
}

FilePreview::~FilePreview() { engine_.drop_catalog(kCatalog); }

std::optional<FileVersion> FilePreview::place(const std::string& bucket, const std::string& key,
                                              const FileFormat& format, objects::Reader& reader,
                                              bool latest, std::optional<Copy>& copy) {
  const uint64_t size = reader.object().size;
  const bool parquet = format.kind == FileFormat::Kind::kParquet;
  if (size > kPreviewBytes && parquet) {
    // Characters that mean something in a pattern would name other objects.
    if (!latest || key.find_first_of("*?[") != std::string::npos) return std::nullopt;
    return FileVersion{fmt::format("s3://{}/{}", bucket, key), reader.object().etag, size};
  }
  if (size > kPreviewBytes && packed(key)) return std::nullopt;
  fs::create_directories(staging_);
  copy.emplace(staging_, kind_of(key)->second);
  if (!copy->fill(reader, kPreviewBytes, !parquet && !packed(key))) return std::nullopt;
  return FileVersion{copy->path.string(), reader.object().etag, copy->size};
}

PreviewedFile FilePreview::look(const std::string& bucket, const std::string& key,
                                objects::Reader& reader, bool latest,
                                const std::function<bool()>& gone) {
  const auto kind = kind_of(key);
  if (!kind) throw no_rows("a file of this name has no rows to show");
  if (reader.object().size == 0) throw no_rows("the file is empty");
  FileFormat format;
  format.kind = kind->first;
  if (kind->second.starts_with(".tsv")) format.delimiter = "\t";
  std::optional<Copy> copy;
  const auto file = place(bucket, key, format, reader, latest, copy);
  if (!file) throw no_rows(fmt::format("the file is too large: {} bytes", reader.object().size));
  auto set = read_file([&] { return files_->look({*file}, format, {}, ""); });
  set.skip_malformed = format.kind != FileFormat::Kind::kParquet;
  if (set.columns.empty()) throw no_rows("the file has no columns");
  if (set.columns.size() > kMostColumns) set.columns.resize(kMostColumns);
  const auto table = files_->add("files", base::random_uuid(), set);
  PreviewedFile found;
  found.format = format_name(format.kind);
  found.beginning_only = copy && copy->size < reader.object().size;
  std::vector<std::string> selected;
  for (const auto& column : set.columns) {
    found.columns.push_back({column.name, column.type.display()});
    selected.push_back(as_text(column));
  }
  engine::Session session;
  session.user = session.original_user = "meesh preview";
  session.source = "preview";
  std::stop_source stop;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  auto answer = engine::ask(engine_,
                            fmt::format("SELECT {} FROM {} LIMIT {}", fmt::join(selected, ", "),
                                        engine::quote_table(table->name()), kPreviewRows + 1),
                            session, stop.get_token(), [&](const engine::QueryInfo&) {
                              if (gone() || std::chrono::steady_clock::now() > until)
                                stop.request_stop();
                            });
  found.more = answer.rows.size() > kPreviewRows;
  if (found.more) answer.rows.resize(kPreviewRows);
  found.rows = std::move(answer.rows);
  return found;
}

}  // namespace meesh::serve::api
