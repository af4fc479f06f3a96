#include "ingest/locations/copies.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/uuid.h"
#include "engine/catalogs/files_pattern.h"
#include "ingest/locations/records_file.h"
#include "ingest/locations/unpack.h"

namespace meesh::ingest {

using engine::FileFormat;
using engine::FileVersion;

namespace fs = std::filesystem;

namespace {

constexpr size_t kLongestName = 100;  // of a copy

/// The last part of a path or an address.
std::string file_name(const std::string& path) {
  const bool address = path.starts_with("http://") || path.starts_with("https://");
  const std::string plain = address ? path.substr(0, path.find_first_of("?#")) : path;
  return plain.substr(plain.rfind('/') + 1);
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool is_object(const std::string& path) { return path.starts_with("s3://"); }

}  // namespace

/// A copy, or a file of the mesh where it lies.
struct Copies::Step {
  std::string path, name, version;
  uint64_t size = 0;
};

std::optional<FileForm> form_of(const std::string& name) {
  const std::string plain = lower(unpacked_name(file_name(name)));
  for (const char* ending : {".csv", ".tsv", ".txt"})
    if (plain.ends_with(ending)) return FileForm::kCsv;
  for (const char* ending : {".json", ".jsonl", ".ndjson"})
    if (plain.ends_with(ending)) return FileForm::kJson;
  if (plain.ends_with(".parquet")) return FileForm::kParquet;
  if (plain.ends_with(".xlsx")) return FileForm::kExcel;
  if (plain.ends_with(".xml")) return FileForm::kXml;
  return std::nullopt;
}

Copies::Copies(Location& location, engine::FileTables& tables,
               const std::vector<FileVersion>& files, std::optional<FileForm> form,
               const Taking& taking, const TaskContext& context)
    : location_(location),
      tables_(tables),
      form_(form),
      taking_(taking),
      folder_(tables.staging() / base::random_uuid()) {
  try {
    for (const auto& file : files) take(file, context);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

Copies::~Copies() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

fs::path Copies::fresh(const std::string& name) {
  fs::create_directories(folder_);
  std::string plain = file_name(name);
  if (plain.size() > kLongestName) plain = plain.substr(plain.size() - kLongestName);
  return folder_ / fmt::format("{}-{}", made_++, plain);
}

void Copies::take(const FileVersion& file, const TaskContext& context) {
  context.check();
  Step step{file.path, file.path, file.version, file.size};
  const std::string name = file_name(file.path);
  const auto form = form_ ? form_ : form_of(name);
  const bool apart = form == FileForm::kExcel || form == FileForm::kXml ||
                     (form == FileForm::kJson && !taking_.records.empty());
  // DuckDB unpacks these itself, of texts.
  const bool readable = (lower(name).ends_with(".gz") || lower(name).ends_with(".zst")) &&
                        !is_archive(name) && form != FileForm::kParquet && !apart;
  const bool unpacks = is_packed(name) && !readable;
  const bool copied = !location_.here() || (is_object(file.path) && (unpacks || apart));
  if (copied) {
    const auto copy = fresh(name);
    location_.fetch(file, copy, context);
    step.path = copy.string();
  }
  if (!unpacks) return take_apart(std::move(step), context);
  for (const auto& inner : unpack(step.path, file.path, fresh("unpacked"), context)) {
    const std::string member =
        is_archive(name) ? inner.name.substr(file.path.size() + 1) : std::string();
    if (!taking_.members.empty() && !member.empty() &&
        !engine::file_matches(taking_.members, member))
      continue;
    take_apart({inner.file.string(), inner.name, file.version, fs::file_size(inner.file)}, context);
  }
  if (copied) fs::remove(step.path);
}

/// Takes records out of files that DuckDB does not read.
void Copies::take_apart(Step step, const TaskContext& context) {
  const auto form = form_ ? form_ : form_of(step.name);
  if (!form || (all_ && *all_ != *form)) {
    throw Error(Code::kConfigInvalid,
                form ? fmt::format("'{}' has another format than the files before it", step.name)
                     : fmt::format("the name of '{}' does not tell its format", step.name))
        .with_hint(
            "format: csv, json, parquet, excel or xml; of archives, 'members' names some of "
            "their files");
  }
  all_ = form;
  const fs::path file = step.path;
  const auto lines = [&] { return fresh("lines.json"); };
  if (form == FileForm::kExcel) {
    step.path = lines().string();
    tables_.excel_to_json(file, taking_.sheet, step.path, step.name, context.stop);
  } else if (form == FileForm::kXml) {
    step.path = lines().string();
    write_xml_records(file, taking_.records, step.name, step.path);
  } else if (form == FileForm::kJson && !taking_.records.empty()) {
    step.path = lines().string();
    write_json_records(file, taking_.records, step.name, step.path);
  }
  if (step.path != file.string()) step.size = fs::file_size(step.path);
  finish(std::move(step), context);
}

void Copies::finish(Step step, const TaskContext& context) {
  context.check();
  format_ = all_ == FileForm::kCsv       ? FileFormat::Kind::kCsv
            : all_ == FileForm::kParquet ? FileFormat::Kind::kParquet
                                         : FileFormat::Kind::kJson;
  if (step.size == 0) return;
  files_.push_back({std::move(step.path), std::move(step.version), step.size});
  names_.push_back(std::move(step.name));
}

}  // namespace meesh::ingest
