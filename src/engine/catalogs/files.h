// The catalog kind `files`: sets of CSV, JSON and Parquet files that a part of the program has
// registered for as long as it reads them. Ingestion reads files through it.
//
//   auto files = std::make_shared<FileTables>("$files", folders, store, authorize);
//   engine.add_catalog(make_files_catalog(files));
//   const auto found = files->find("s3://raw/leads*.csv", user, false);
//   const auto table = files->add("uploads", "leads", files->look(found, format, {}, user));
//   engine.submit("SELECT * FROM " + quote_table(table->name()), session);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/engine.h"
#include "sql/type.h"

namespace meesh::objects {
class Store;
}

namespace meesh::engine {

struct FileFormat {
  enum class Kind { kCsv, kJson, kParquet };
  Kind kind = Kind::kCsv;
  // Of CSV:
  std::string delimiter;  // "" = found out, file by file
  std::string quote = "\"", escape = "\"";
  std::string null_text;  // what stands for NULL beside an empty field; "" = nothing
  std::string encoding = "utf-8";
  bool header = true;
};

/// Which cells of an Excel file are a table.
struct ExcelSheet {
  std::string sheet;  // its name; "" = the first one
  std::string range;  // "A3:F200"; "" = from the first cell with a value to an empty row
  std::optional<bool>
      header;  // the first row names the columns; nothing: if all its cells are texts
};

/// A file as it is now; another `version` tells that it has other content.
struct FileVersion {
  std::string path;  // s3://… or absolute
  std::string version;
  uint64_t size = 0;
  bool operator==(const FileVersion&) const = default;
};

struct FileColumn {
  std::string name;  // lower case, unique
  sql::Type type;    // one that tables of the lake have
  bool operator==(const FileColumn&) const = default;
};

/// Files that are read alike.
struct FileGroup {
  std::vector<FileVersion> files;
  std::string delimiter;  // of CSV
  /// As the files write them, in their order, and what they are called in the set.
  std::vector<std::pair<std::string, std::string>> columns;
};

struct FileSet {
  FileFormat format;
  std::vector<FileGroup> groups;
  /// What a reader sees. May be changed before add(): columns that no file has are NULL, other
  /// types are read as or cast to.
  std::vector<FileColumn> columns;
  bool skip_malformed = false;  // rows that cannot be read are left out; otherwise they fail
};

/// Rows of a set that skip_malformed leaves out.
struct MalformedRows {
  uint64_t good = 0, bad = 0;
  /// A Parquet file with them: _file, _line, _column, _error, _text.
  std::filesystem::path file;
  struct {
    std::string file, error;
    int64_t line = 0;
  } first;  // if there are any
};

class FileTables : public std::enable_shared_from_this<FileTables> {
 public:
  /// `folder`: what relative paths are relative to, and what local files must lie in. `staging`: a
  /// folder for files of its own, made when it is needed. `store` outlives this.
  FileTables(std::string catalog, std::filesystem::path folder, std::filesystem::path staging,
             objects::Store& store, AuthorizeObject authorize);
  ~FileTables();

  const std::filesystem::path& folder() const { return folder_; }

  /// Files that the pattern names, sorted, empty ones left out: * and ? stay within a folder, **
  /// spans any number. Links are followed, but not out of the folder unless `outside`; throws
  /// PERMISSION_DENIED.
  std::vector<FileVersion> find(const std::string& pattern, const std::string& user, bool outside);
  /// The same files as they are now; without those that are gone.
  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files);
  /// Columns of all the files together, by name, with the narrowest types that hold what a sample
  /// of each shows; `declared` types win.
  FileSet look(const std::vector<FileVersion>& files, const FileFormat& format,
               const std::vector<FileColumn>& declared, const std::string& user);
  /// Reads all of the set to find them. JSON is read line by line; files of Parquet are read or not
  /// as a whole, and have none.
  MalformedRows malformed(const FileSet& set, const std::string& user, std::stop_token stop);

  /// Writes the rows of a local Excel file as lines of JSON. A column has the type of its first
  /// cell if all others have it too, otherwise it is text; whole numbers are written as such.
  /// Throws what is wrong with the file, naming it `shown`.
  void excel_to_json(const std::filesystem::path& file, const ExcelSheet& sheet,
                     const std::filesystem::path& json, const std::string& shown,
                     std::stop_token stop);

  /// As long as it is held, the set is the table "<catalog>".<schema>.<table>.
  class Registration {
   public:
    Registration(std::shared_ptr<FileTables> tables, std::string schema, std::string table);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    sql::TableName name() const;

   private:
    const std::shared_ptr<FileTables> tables_;
    const std::string schema_, table_;
  };
  /// Throws ALREADY_EXISTS.
  std::unique_ptr<Registration> add(const std::string& schema, const std::string& table,
                                    const FileSet& set);

  const std::filesystem::path& staging() const { return staging_; }

 private:
  friend class FilesCatalog;
  struct State;

  const std::string catalog_;
  const std::filesystem::path folder_, staging_;
  objects::Store& store_;
  const AuthorizeObject authorize_;
  const std::unique_ptr<State> state_;
};

/// Whether a statement over the tables failed because of a row, or a text that is no row.
bool tells_of_malformed_rows(const Error& error);

std::unique_ptr<Catalog> make_files_catalog(std::shared_ptr<FileTables> tables);

}  // namespace meesh::engine
