// Files as DuckDB can read them: copied from where they are, unpacked, and records taken out of
// what it does not read itself, for as long as they are read. What needs none of this stays where
// it is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/files.h"
#include "ingest/locations/location.h"

namespace meesh::ingest {

enum class FileForm { kCsv, kJson, kParquet, kExcel, kXml };

/// By the name's ending, behind which it may be packed: "leads.csv.gz" → csv. Nothing: it does not
/// tell.
std::optional<FileForm> form_of(const std::string& name);

/// What is taken out of files.
struct Taking {
  std::string records;  // JSON: a RecordPath; XML: an XPath; "" = the outermost list
  std::string members;  // pattern of an archive's files; "" = all
  engine::ExcelSheet sheet;
};

class Copies {
 public:
  /// `form`: of all; without it, each name's ending tells. `files` outlives the call alone. Throws
  /// CONFIG_INVALID if the files have several forms, or one cannot be told.
  Copies(Location& location, engine::FileTables& tables,
         const std::vector<engine::FileVersion>& files, std::optional<FileForm> form,
         const Taking& taking, const TaskContext& context);
  ~Copies();
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  /// What is to be read. There may be more or fewer than were given.
  const std::vector<engine::FileVersion>& files() const { return files_; }
  /// By the same index: the name of what each is a copy of.
  const std::vector<std::string>& names() const { return names_; }
  engine::FileFormat::Kind format() const { return format_; }

 private:
  struct Step;  // a file on its way
  void take(const engine::FileVersion& file, const TaskContext& context);
  void take_apart(Step step, const TaskContext& context);
  void finish(Step step, const TaskContext& context);
  std::filesystem::path fresh(const std::string& name);

  Location& location_;
  engine::FileTables& tables_;
  const std::optional<FileForm> form_;
  const Taking& taking_;
  const std::filesystem::path folder_;
  size_t made_ = 0;  // files in the folder
  std::optional<FileForm> all_;
  engine::FileFormat::Kind format_ = engine::FileFormat::Kind::kCsv;
  std::vector<engine::FileVersion> files_;
  std::vector<std::string> names_;
};

}  // namespace meesh::ingest
