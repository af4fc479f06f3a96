#include "ingest/sources/files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

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

std::string user() { return ingest_session().user; }

constexpr size_t kLookedAt = 5;  // files, for a person to see what columns there are

std::string today() {
  return fmt::format("{:%Y-%m-%d}",
                     std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
}

class FileSource : public Source {
 public:
  FileSource(SourceConfig config, const Resources& resources)
      : config_(std::move(config)),
        options_(files_options(config_)),
        files_(resources.files),
        own_(own_location(files_, resources.store, user(), options_.allow_outside)) {
    if (options_.remote) s3_ = s3_location(*options_.remote, files_->staging());
    web_ = web_location(options_.http);
    sftp_ = sftp_location(options_.sftp);
  }

  std::string_view kind() const override { return "files"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override;

  Location& location(const TableConfig& table) const;
  std::vector<FileVersion> find(const TableConfig& table, const std::string& run_date,
                                const TaskContext& context) const;
  std::unique_ptr<Copies> copies(const TableConfig& table, const std::vector<FileVersion>& files,
                                 const TaskContext& context) const;
  FileFormat format(const Copies& copies) const {
    FileFormat format = options_.csv;
    format.kind = copies.format();
    return format;
  }
  const SourceConfig& config() const { return config_; }
  FileTables& files() const { return *files_; }
  Error none(const TableConfig& table) const;

 private:
  std::string shown_path(const TableConfig& table) const {
    return redacted(files_options(table).path, options_.http.secrets);
  }

  const SourceConfig config_;
  const FilesOptions& options_;  // of config_
  const std::shared_ptr<FileTables> files_;
  std::unique_ptr<Location> own_, s3_, web_, sftp_;
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

Location& FileSource::location(const TableConfig& table) const {
  const std::string& path = files_options(table).path;
  if (path.starts_with("http://") || path.starts_with("https://")) return *web_;
  if (path.starts_with("sftp://")) return *sftp_;
  return s3_ && path.starts_with("s3://") ? *s3_ : *own_;
}

std::vector<FileVersion> FileSource::find(const TableConfig& table, const std::string& run_date,
                                          const TaskContext& context) const {
  try {
    return location(table).find(dated(files_options(table).path, run_date), context);
  } catch (Error& error) {
    throw error.prefixed(fmt::format("Source '{}', table '{}'", config_.name, table.name));
  }
}

std::unique_ptr<Copies> FileSource::copies(const TableConfig& table,
                                           const std::vector<FileVersion>& files,
                                           const TaskContext& context) const {
  try {
    return std::make_unique<Copies>(location(table), *files_, files, options_.form,
                                    files_options(table).taking, context);
  } catch (Error& error) {
    if (error.code() == Code::kConfigInvalid && !error.location().known())
      error.at(config_.file.string(), table.line, table.column);
    throw;
  }
}

Error FileSource::none(const TableConfig& table) const {
  return Error(Code::kNotFound, fmt::format("no file matches '{}'", shown_path(table)),
               {table.line, table.column, config_.file.string()})
      .with_hint("paths are s3://bucket/…, https://…, sftp://…, or relative to the mesh's folder");
}

std::string FileSource::check() {
  size_t files = 0;
  uint64_t bytes = 0;
  for (const auto& [name, table] : config_.tables) {
    const auto found = find(table, today(), TaskContext{});
    if (found.empty()) throw none(table);
    if (location(table).here()) copies(table, {found[0]}, TaskContext{});
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
    auto found = find(table, today(), TaskContext{});
    stream.notes.push_back(fmt::format("{} files match {}", found.size(), shown_path(table)));
    if (found.size() > kLookedAt) found.resize(kLookedAt);
    if (!found.empty()) {
      const auto some = copies(table, found, TaskContext{});
      stream.columns =
          stream_columns(files_->look(some->files(), format(*some), declared(table), user()));
    }
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
  const std::string path = shown_path(table);
  stream.address = path.substr(0, path.find_first_of("*?[{"));
  if (stream.address != path) stream.address.resize(stream.address.rfind('/') + 1);
  if (stream.address.find("://") == std::string::npos)
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
  const bool only_new = files_options(request_.table).only_new;
  for (auto& file : source_.find(request_.table, request_.run_date, context)) {
    const auto* seen = known.if_contains(file.path);
    if (seen && !incremental) seen = nullptr;
    if (seen && (only_new || *seen == boost::json::value(file.version))) continue;
    if (seen) context.warn(fmt::format("{} has changed and is taken again", file.path));
    taken_.push_back(std::move(file));
  }
  if (taken_.empty() && incremental) return std::nullopt;
  if (taken_.empty()) throw source_.none(request_.table);
  copies_ = source_.copies(request_.table, taken_, context);
  set_ = source_.files().look(copies_->files(), source_.format(*copies_), declared(request_.table),
                              user());
  std::erase_if(set_.columns,
                [&](const FileColumn& column) { return !request_.table.takes(column.name); });
  if (set_.columns.empty()) {  // files without rows
    for (const auto& column : request_.landed_columns)
      set_.columns.push_back({column.name, column.type});
    if (set_.columns.empty()) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("the files of {} hold no rows, so there is no table to make",
                              request_.stream.origin));
    }
  }
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
    if (source_.location(request_.table).look_again(taken_) == taken_) return;
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
  for (size_t i = 0; i < copies_->files().size(); ++i)
    if (copies_->files()[i].path == file) file = copies_->names()[i];
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
  return {rows.bad,
          fmt::format("SELECT {} AS _file, _line, _column, _error, _text FROM {}", file_names(),
                      engine::quote_table(rejected_->name())),
          rows.bad + rows.good};
}

/// Copies by the names of what they are copies of.
std::string FileReader::file_names() const {
  const auto& files = copies_->files();
  std::string text;
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i].path == copies_->names()[i]) continue;
    text += fmt::format(" WHEN {} THEN {}", engine::quote_text(files[i].path),
                        engine::quote_text(copies_->names()[i]));
  }
  return text.empty() ? "_file" : "CASE _file" + text + " ELSE _file END";
}

}  // namespace

Kind files_kind() {
  Kind kind;
  kind.word = "files";
  kind.doc = "CSV, JSON, Parquet, Excel and XML files.";
  kind.keys = files_keys();
  kind.table_keys = files_table_keys();
  kind.modes = {"full_refresh", "incremental"};
  kind.needs_tables = true;
  kind.table_name_pattern = "^[a-z][a-z0-9_]*$";
  kind.table_name_means = "a name (lower-case letters, digits and _, beginning with a letter)";
  kind.read = read_files;
  kind.read_table = read_files_table;
  kind.open = [](const SourceConfig& config,
                 const Resources& resources) -> std::unique_ptr<Source> {
    return std::make_unique<FileSource>(config, resources);
  };
  return kind;
}

}  // namespace meesh::ingest
