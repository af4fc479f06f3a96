// { export: lake.gold.rfm, to: exports/rfm.csv } or { query: "SELECT …", to:
// s3://bucket/rfm.parquet }
//
// The rows are written by the engine into a folder of a bucket of ours, and from there put where
// they are wanted in one piece: who looks there sees the old file or the new one.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "base/uuid.h"
#include "engine/ask.h"
#include "governance/work.h"
#include "pipelines/kinds/kinds.h"
#include "pipelines/sql_tables.h"
#include "quality/parameters.h"

namespace meesh::pipelines {

namespace fs = std::filesystem;

namespace {

constexpr size_t kPiece = 1 << 20;

enum class Format { kCsv, kJson, kParquet };

struct Job {
  std::string query;  // with parameters
  std::string to;     // s3://bucket/key, or a path below the export folder
  Format format = Format::kParquet;
};

/// Where the bytes go; what is not finished leaves no trace.
class Target {
 public:
  virtual ~Target() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish() = 0;
};

class ObjectTarget : public Target {
 public:
  ObjectTarget(objects::Store& store, const std::string& place, Format format) {
    const size_t slash = place.find('/', 5);
    objects::Attributes attributes;
    attributes.content_type = format == Format::kCsv    ? "text/csv"
                              : format == Format::kJson ? "application/x-ndjson"
                                                        : "application/vnd.apache.parquet";
    attributes.owner = "root";
    writer_ = store.put(place.substr(5, slash - 5), place.substr(slash + 1), attributes, {});
  }
  void write(std::string_view bytes) override { writer_->write(bytes); }
  void finish() override { writer_->commit({}); }

 private:
  std::unique_ptr<objects::Writer> writer_;
};

class FileTarget : public Target {
 public:
  explicit FileTarget(fs::path file)
      : file_(std::move(file)),
        part_(file_.parent_path() /
              fmt::format(".{}.{}", file_.filename().string(), base::random_uuid())) {
    fs::create_directories(file_.parent_path());
    descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail();
  }
  ~FileTarget() override {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(part_.c_str());
  }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail();
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  void finish() override {
    if (::fsync(descriptor_) != 0) fail();
    ::close(std::exchange(descriptor_, -1));
    fs::rename(part_, file_);
  }

 private:
  [[noreturn]] void fail() const {
    const bool full = errno == ENOSPC;
    throw Error(full ? Code::kDiskFull : Code::kIoError,
                fmt::format("cannot write '{}': {}", file_.string(), std::strerror(errno)))
        .with_hint(full ? "free some space there" : "");
  }
  const fs::path file_, part_;
  int descriptor_ = -1;
};

std::string csv_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

class ExportAsset : public Asset {
 public:
  ExportAsset(const ExportOptions& options, Job job, std::vector<TableUse> inputs)
      : options_(options), job_(std::move(job)), inputs_(std::move(inputs)) {}

  std::vector<std::string> outputs() const override { return {}; }
  std::vector<TableUse> inputs() const override { return inputs_; }

  StepResult run(const StepContext& context) override {
    const std::string query = quality::fill_parameters(job_.query, context.task.parameters);
    const std::string place = quality::fill_parameters(job_.to, context.task.parameters);
    make_bucket();
    const std::string id = base::random_uuid();
    const std::string folder = fmt::format("s3://{}/{}", options_.bucket, id);
    const std::string table =
        "hive.default." + engine::quote_name("meesh export " + id.substr(0, 18));
    StepResult result;
    try {
      const std::vector<std::string> columns = columns_of(query, context);
      const auto answer = ask(
          fmt::format("CREATE TABLE {} WITH (external_location = {}, format = '{}') AS {}", table,
                      engine::quote_text(folder), format_word(), as_stored(query, columns)),
          context);
      result.rows = answer.update_count;
      result.metadata["bytes"] = put_together(id, place, columns);
    } catch (...) {
      clear(table, id, context);
      throw;
    }
    clear(table, id, context);
    result.message = fmt::format("{} rows to {}", result.rows.value_or(0), place);
    result.metadata["file"] = place;
    return result;
  }

 private:
  engine::Answer ask(std::string sql, const StepContext& context) const {
    engine::Session session;
    session.user = session.original_user = "meesh pipelines";
    session.source = "pipelines";
    auto work = governance::work_of_step(context.pipeline, context.step);
    work.type = "EXPORT";
    work.target = quality::fill_parameters(job_.to, context.task.parameters);
    if (!work.target.starts_with("s3://")) {
      work.target = "file://" + fs::absolute(options_.folder / work.target).string();
    }
    session.client_tags = governance::tags_of(work, context.task);
    return engine::ask(options_.engine, std::move(sql), std::move(session), context.task.stop);
  }

  const char* format_word() const {
    return job_.format == Format::kCsv ? "CSV" : job_.format == Format::kJson ? "JSON" : "PARQUET";
  }

  std::vector<std::string> columns_of(const std::string& query, const StepContext& context) const {
    std::vector<std::string> names;
    for (const auto& column :
         ask(fmt::format("SELECT * FROM ({}) AS q WHERE false", query), context).columns) {
      names.push_back(column.name);
    }
    return names;
  }

  /// CSV files of Hive hold text alone.
  std::string as_stored(const std::string& query, const std::vector<std::string>& columns) const {
    if (job_.format != Format::kCsv) return query;
    std::string list;
    for (const std::string& column : columns) {
      const std::string name = engine::quote_name(column);
      list += fmt::format("{}CAST({} AS varchar) AS {}", list.empty() ? "" : ", ", name, name);
    }
    return fmt::format("SELECT {} FROM ({}) AS q", list, query);
  }

  void make_bucket() const {
    const auto there = [&] {
      return std::ranges::any_of(options_.store.buckets(), [&](const objects::Bucket& bucket) {
        return bucket.name == options_.bucket;
      });
    };
    if (there()) return;
    objects::Bucket bucket;
    bucket.name = options_.bucket;
    bucket.owner = "root";
    try {
      options_.store.create_bucket(bucket);
    } catch (const std::exception&) {
      if (!there()) throw;  // another export was quicker
    }
  }

  std::vector<std::string> files_of(const std::string& id) const {
    objects::ListOptions options;
    options.prefix = id + "/";
    std::vector<std::string> keys;
    for (const auto& object : options_.store.list(options_.bucket, options).objects) {
      keys.push_back(object.key);
    }
    return keys;
  }

  uint64_t put_together(const std::string& id, const std::string& place,
                        const std::vector<std::string>& columns) const {
    std::unique_ptr<Target> target;
    if (place.starts_with("s3://")) {
      target = std::make_unique<ObjectTarget>(options_.store, place, job_.format);
    } else {
      target = std::make_unique<FileTarget>(options_.folder / place);
    }
    uint64_t bytes = 0;
    const auto write = [&](std::string_view text) {
      target->write(text);
      bytes += text.size();
    };
    if (job_.format == Format::kCsv) {
      std::vector<std::string> names;
      for (const std::string& column : columns) names.push_back(csv_text(column));
      write(base::join(names, ",") + "\n");
    }
    std::string buffer(kPiece, '\0');
    for (const std::string& key : files_of(id)) {
      const auto reader = options_.store.get(options_.bucket, key, {});
      for (uint64_t at = 0; at < reader->object().size;) {
        const size_t count = reader->read(at, buffer.data(), buffer.size());
        if (count == 0) throw Error(Code::kIoError, fmt::format("'{}' ends too early", key));
        write(std::string_view(buffer).substr(0, count));
        at += count;
      }
    }
    target->finish();
    return bytes;
  }

  /// What is left is of no use to anybody; that it stays is no reason to fail.
  void clear(const std::string& table, const std::string& id, const StepContext& context) const {
    try {
      StepContext calm = context;
      calm.task.stop = {};
      ask("DROP TABLE IF EXISTS " + table, calm);
      for (const std::string& key : files_of(id)) options_.store.remove(options_.bucket, key, {});
    } catch (const std::exception& error) {
      context.task.warn(fmt::format("files of the export stay behind: {}", error.what()));
    }
  }

  const ExportOptions& options_;
  const Job job_;
  const std::vector<TableUse> inputs_;
};

class ExportKind : public AssetKind {
 public:
  explicit ExportKind(ExportOptions options) : options_(std::move(options)) {}
  std::string_view word() const override { return "export"; }

  std::vector<base::Shape> shape() const override { return export_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    Job job;
    const yaml::Node& what = *from.node.find("export");
    const Location where{what.line, what.column, from.document.file};
    const bool table = what.text.find_first_of(" \n(") == std::string::npos;
    job.query = table ? "SELECT * FROM " + what.text : what.text;
    const yaml::Node& to = *from.node.find("to");
    job.to = checked_place(from, to);
    const yaml::Node* format = from.node.find("format");
    const std::string word = format ? format->text : ending(job.to);
    if (word == "csv") {
      job.format = Format::kCsv;
    } else if (word == "json" || word == "jsonl" || word == "ndjson") {
      job.format = Format::kJson;
    } else if (word == "parquet") {
      job.format = Format::kParquet;
    } else {
      throw from.document
          .error(Code::kConfigInvalid, fmt::format("'{}' does not tell its format", to.text),
                 to.line, to.column)
          .with_hint("end it in .csv, .json or .parquet, or write format:");
    }
    auto reads = tables_at(job.query, where).reads;
    std::vector<NamedAsset> assets;
    assets.push_back(
        {from.name, std::make_unique<ExportAsset>(options_, std::move(job), std::move(reads))});
    return assets;
  }

 private:
  static std::string ending(const std::string& place) {
    const size_t dot = place.rfind('.');
    return dot == std::string::npos ? "" : place.substr(dot + 1);
  }

  static std::string checked_place(const AssetSource& from, const yaml::Node& to) {
    const auto wrong = [&](const char* why) {
      throw from.document.error(Code::kConfigInvalid,
                                fmt::format("'{}' is no place for a file: {}", to.text, why),
                                to.line, to.column);
    };
    if (to.text.starts_with("s3://")) {
      const size_t slash = to.text.find('/', 5);
      if (slash == std::string::npos || slash == 5 || slash + 1 == to.text.size()) {
        wrong("write s3://bucket/file");
      }
      return to.text;
    }
    const fs::path path(to.text);
    const bool up = std::ranges::any_of(path, [](const fs::path& part) { return part == ".."; });
    if (path.is_absolute() || up || !path.has_filename()) {
      wrong("it must lie below data/exports of the mesh");
    }
    // exports/x.csv and x.csv are the same file.
    return to.text.starts_with("exports/") ? to.text.substr(8) : to.text;
  }

  const ExportOptions options_;
};

}  // namespace

std::vector<base::Shape> export_keys() {
  base::Shape what = base::text("A table (catalog.schema.table), or a query.");
  what.max_length = 20'000;
  return {base::required("export", std::move(what)),
          base::required("to", base::text("s3://bucket/file.csv, or a file below data/exports "
                                          "of the mesh; {{ run_date }} may stand in it.")),
          base::optional("format", base::choice("Otherwise the file's ending tells.",
                                                {"csv", "json", "parquet"}))};
}

std::unique_ptr<AssetKind> export_kind(ExportOptions options) {
  return std::make_unique<ExportKind>(std::move(options));
}

}  // namespace meesh::pipelines
