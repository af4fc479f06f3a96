#include "ingest/file_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/uuid.h"
#include "engine/ask.h"
#include "ingest/lake_types.h"
#include "ingest/landing.h"

namespace meesh::ingest {

using engine::FileColumn;
using engine::FileFormat;
using engine::FileSet;
using engine::FileTables;
using engine::FileVersion;

namespace fs = std::filesystem;

namespace {

constexpr size_t kCopied = 1 << 20;

std::string user() { return ingest_session().user; }

/// "leads.csv.gz" → csv.
std::optional<FileFormat::Kind> kind_of(std::string path) {
  for (const char* packed : {".gz", ".zst"})
    if (path.ends_with(packed)) path.resize(path.size() - std::string_view(packed).size());
  for (const char* ending : {".csv", ".tsv", ".txt"})
    if (path.ends_with(ending)) return FileFormat::Kind::kCsv;
  for (const char* ending : {".json", ".jsonl", ".ndjson"})
    if (path.ends_with(ending)) return FileFormat::Kind::kJson;
  if (path.ends_with(".parquet")) return FileFormat::Kind::kParquet;
  return std::nullopt;
}

/// Copies of a remote store's files, for as long as they are read.
class Copies {
 public:
  Copies(objects::Store& store, const fs::path& staging, const std::vector<FileVersion>& files,
         const TaskContext& context)
      : folder_(staging / base::random_uuid()) {
    fs::create_directories(folder_);
    for (size_t i = 0; i < files.size(); ++i) {
      context.check();
      const auto& path = files[i].path;
      const fs::path copy = folder_ / fmt::format("{}-{}", i, path.substr(path.rfind('/') + 1));
      fetch(store, path, copy);
      here_.push_back({copy.string(), files[i].version, files[i].size});
    }
  }
  ~Copies() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  const std::vector<FileVersion>& files() const { return here_; }

 private:
  static void fetch(objects::Store& store, const std::string& path, const fs::path& copy) {
    const std::string place = path.substr(std::string_view("s3://").size());
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

  const fs::path folder_;
  std::vector<FileVersion> here_;
};

class FileSource : public Source {
 public:
  FileSource(SourceConfig config, std::shared_ptr<FileTables> files)
      : config_(std::move(config)), files_(std::move(files)) {
    if (!config_.remote) return;
    remote_ = objects::open_remote(*config_.remote);
    remote_files_ = std::make_shared<FileTables>("$remote", "/", files_->staging(), *remote_,
                                                 engine::AuthorizeObject());
  }

  std::string_view kind() const override { return "files"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override;

  std::vector<FileVersion> find(const TableConfig& table);
  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files) {
    return (remote_files_ ? remote_files_ : files_)->look_again(files);
  }
  FileFormat format_of(const TableConfig& table, const std::vector<FileVersion>& files) const;
  const SourceConfig& config() const { return config_; }
  FileTables& files() { return *files_; }
  objects::Store* remote() { return remote_.get(); }
  Error none(const TableConfig& table) const;

 private:
  const SourceConfig config_;
  const std::shared_ptr<FileTables> files_;
  std::unique_ptr<objects::Store> remote_;
  std::shared_ptr<FileTables> remote_files_;
};

std::vector<FileColumn> declared(const TableConfig& table) {
  std::vector<FileColumn> columns;
  for (const auto& [name, type] : table.columns) columns.push_back({name, landed_type(type)});
  return columns;
}

std::vector<StreamColumn> stream_columns(const FileSet& set) {
  std::vector<StreamColumn> columns;
  for (const auto& column : set.columns) columns.push_back({column.name, column.type, ""});
  return columns;
}

/// What one read takes, and a second time if rows are malformed.
class FileReader : public Reader {
 public:
  FileReader(FileSource& source, ReadRequest request)
      : source_(source), request_(std::move(request)) {}

  std::optional<Portion> next(const TaskContext& context) override;
  std::optional<Portion> again(const Error& error, const TaskContext& context) override;

 private:
  Portion portion();
  void suit_the_table();
  Rejected quarantine(const engine::MalformedRows& rows);
  Error refusal(const engine::MalformedRows& rows, double share) const;
  std::string file_names() const;
  boost::json::object position() const {
    return request_.position.is_object() ? request_.position.as_object() : boost::json::object();
  }

  FileSource& source_;
  const ReadRequest request_;
  bool done_ = false;
  std::vector<FileVersion> taken_;
  std::unique_ptr<Copies> copies_;
  FileSet set_;
  std::unique_ptr<FileTables::Registration> table_, rejected_;
  std::shared_ptr<void> cleanup_;
};

std::vector<FileVersion> FileSource::find(const TableConfig& table) {
  try {
    if (remote_files_) return remote_files_->find(table.path, user(), false);
    return files_->find(table.path, user(), config_.allow_outside);
  } catch (Error& error) {
    throw error.prefixed(fmt::format("Source '{}', table '{}'", config_.name, table.name));
  }
}

Error FileSource::none(const TableConfig& table) const {
  return Error(Code::kNotFound, fmt::format("no file matches '{}'", table.path),
               {table.line, table.column, config_.file.string()})
      .with_hint("paths are s3://bucket/…, or relative to the mesh's folder");
}

FileFormat FileSource::format_of(const TableConfig& table,
                                 const std::vector<FileVersion>& files) const {
  FileFormat format = config_.format;
  if (config_.format_given) return format;
  std::optional<FileFormat::Kind> all;
  for (const auto& file : files) {
    const auto kind = kind_of(file.path);
    if (!kind || (all && *all != *kind)) {
      throw Error(Code::kConfigInvalid,
                  kind ? fmt::format("'{}' names files of several formats", table.path)
                       : fmt::format("the name of '{}' does not tell its format", file.path),
                  {table.line, table.column, config_.file.string()})
          .with_hint("format: csv, json or parquet");
    }
    all = kind;
  }
  format.kind = all.value_or(FileFormat::Kind::kCsv);
  return format;
}

std::string FileSource::check() {
  size_t files = 0;
  uint64_t bytes = 0;
  for (const auto& [name, table] : config_.tables) {
    const auto found = find(table);
    if (found.empty()) throw none(table);
    format_of(table, found);
    files += found.size();
    for (const auto& file : found) bytes += file.size;
  }
  return fmt::format("{} tables, {} files, {:.1f} MB", config_.tables.size(), files,
                     static_cast<double>(bytes) / 1e6);
}

std::vector<Stream> FileSource::discover() {
  std::vector<Stream> streams;
  for (const auto& [name, table] : config_.tables) {
    Stream stream = describe(table);
    const auto found = find(table);
    if (!found.empty()) {
      // Of a few, for a person to look at.
      std::vector<FileVersion> some(
          found.begin(), found.begin() + std::min<long>(5, static_cast<long>(found.size())));
      std::unique_ptr<Copies> copies;
      if (remote_) {
        copies = std::make_unique<Copies>(*remote_, files_->staging(), some, TaskContext{});
        some = copies->files();
      }
      stream.columns =
          stream_columns(files_->look(some, format_of(table, found), declared(table), user()));
    }
    stream.notes.push_back(fmt::format("{} files match {}", found.size(), table.path));
    streams.push_back(std::move(stream));
  }
  return streams;
}

/// The columns are those of the files that are read in the end.
Stream FileSource::describe(const TableConfig& table) {
  Stream stream;
  stream.name = table.name;
  stream.origin = config_.name + "." + table.name;
  // A pattern stands for the folder that has no wildcard any more.
  stream.address = table.path.substr(0, table.path.find_first_of("*?["));
  if (stream.address != table.path) stream.address.resize(stream.address.rfind('/') + 1);
  if (!stream.address.starts_with("s3://"))
    stream.address = "file://" + (files_->folder() / stream.address).lexically_normal().string();
  if (stream.address.ends_with('/')) stream.address.pop_back();
  return stream;
}

std::unique_ptr<Reader> FileSource::read(ReadRequest request) {
  return std::make_unique<FileReader>(*this, std::move(request));
}

std::optional<Portion> FileReader::next(const TaskContext& context) {
  if (std::exchange(done_, true)) return std::nullopt;
  const bool incremental = request_.table.mode == Mode::kIncremental;
  const auto known = position();
  for (auto& file : source_.find(request_.table)) {
    const auto* seen = known.if_contains(file.path);
    if (seen && !incremental) seen = nullptr;
    if (seen && seen->is_string() && seen->as_string() == file.version) continue;
    if (seen) context.warn(fmt::format("{} has changed and is taken again", file.path));
    taken_.push_back(std::move(file));
  }
  if (taken_.empty() && incremental) return std::nullopt;
  if (taken_.empty()) throw source_.none(request_.table);
  if (source_.remote())
    copies_ =
        std::make_unique<Copies>(*source_.remote(), source_.files().staging(), taken_, context);
  const auto& files = copies_ ? copies_->files() : taken_;
  set_ = source_.files().look(files, source_.format_of(request_.table, taken_),
                              declared(request_.table), user());
  std::erase_if(set_.columns, [&](const FileColumn& column) {
    return std::ranges::count(request_.table.exclude, column.name) > 0;
  });
  suit_the_table();
  return portion();
}

/// What a sample shows may differ from one run to the next; what the table holds decides. Values
/// that look like text where the table has none are malformed then.
void FileReader::suit_the_table() {
  for (auto& column : set_.columns) {
    const auto& there = request_.landed_columns;
    const auto found = std::ranges::find(there, column.name, &StreamColumn::name);
    if (found == there.end() || request_.table.columns.contains(column.name)) continue;
    const bool text = column.type.kind == sql::TypeKind::kVarchar;
    if (text || fit(found->type, column.type) == Fit::kCast) column.type = found->type;
  }
}

Portion FileReader::portion() {
  table_.reset();
  table_ = source_.files().add(source_.config().name, request_.stream.name, set_);
  Portion portion;
  portion.query = fmt::format("SELECT * FROM {}", engine::quote_table(table_->name()));
  portion.columns = stream_columns(set_);
  auto after = request_.table.mode == Mode::kIncremental ? position() : boost::json::object();
  for (const auto& file : taken_) after[file.path] = file.version;
  portion.position = std::move(after);
  portion.verify = [this] {
    if (source_.look_again(taken_) == taken_) return;
    throw Error(Code::kTransactionConflict,
                fmt::format("files of {} changed while they were read; nothing was taken",
                            request_.stream.origin))
        .with_hint("run it again once they are written");
  };
  return portion;
}

std::optional<Portion> FileReader::again(const Error& error, const TaskContext& context) {
  if (set_.skip_malformed || !engine::tells_of_malformed_rows(error)) return std::nullopt;
  const auto& config = source_.config();
  const auto rows = source_.files().malformed(set_, user(), context.stop);
  cleanup_ = std::shared_ptr<void>(nullptr, [file = rows.file](void*) {
    std::error_code ignored;
    if (!file.empty()) fs::remove(file, ignored);
  });
  if (rows.bad == 0) return std::nullopt;
  const double share = static_cast<double>(rows.bad) / static_cast<double>(rows.bad + rows.good);
  const auto rejected = quarantine(rows);
  if (config.malformed == Malformed::kFail || share > config.max_malformed)
    throw refusal(rows, share);
  set_.skip_malformed = true;
  auto second = portion();
  second.rejected = rejected;
  if (config.malformed == Malformed::kSkip) second.rejected->query.clear();
  return second;
}

/// With the place of the first row that cannot be read.
Error FileReader::refusal(const engine::MalformedRows& rows, double share) const {
  std::string file = rows.first.file;
  for (size_t i = 0; copies_ && i < taken_.size(); ++i)
    if (copies_->files()[i].path == file) file = taken_[i].path;
  std::string counts = fmt::format("{} of {} rows cannot be read", rows.bad, rows.bad + rows.good);
  const double most = source_.config().max_malformed;
  if (share > most) counts += fmt::format(", more than {}%", most * 100);
  Error error(Code::kInvalidCastArgument,
              fmt::format("{}: {} ({})", request_.stream.origin, rows.first.error, counts),
              {static_cast<int>(rows.first.line), 1, file});
  error.with_hint(source_.config().malformed == Malformed::kFail
                      ? "mend the file, or let such rows be put aside: malformed: quarantine"
                      : "declare the columns' types under 'columns', or raise max_malformed");
  return error;
}

Rejected FileReader::quarantine(const engine::MalformedRows& rows) {
  const FileVersion file{rows.file.string(), "", 1};
  FileFormat format;
  format.kind = FileFormat::Kind::kParquet;
  rejected_.reset();
  rejected_ = source_.files().add(source_.config().name, request_.stream.name + "__rejected",
                                  source_.files().look({file}, format, {}, user()));
  return {rows.bad, fmt::format("SELECT {} AS _file, _line, _column, _error, _text FROM {}",
                                file_names(), engine::quote_table(rejected_->name()))};
}

/// Copies by the names of what they are copies of.
std::string FileReader::file_names() const {
  if (!copies_) return "_file";
  std::string text = "CASE _file";
  for (size_t i = 0; i < taken_.size(); ++i)
    text += fmt::format(" WHEN {} THEN {}", engine::quote_text(copies_->files()[i].path),
                        engine::quote_text(taken_[i].path));
  return text + " END";
}

}  // namespace

std::unique_ptr<Source> open_file_source(SourceConfig config, std::shared_ptr<FileTables> files) {
  return std::make_unique<FileSource>(std::move(config), std::move(files));
}

}  // namespace meesh::ingest
