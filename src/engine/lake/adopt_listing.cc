// Listing a folder of foreign files, and the shapes of the files in it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/duck.h"
#include "engine/lake/adopt_files.h"
#include "engine/statement_runner.h"
#include "objects/store.h"

namespace meesh::engine {
namespace {

constexpr size_t kFilesAtOnce = 200;
constexpr std::string_view kMetadataFolder = "metadata/";

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    parts.emplace_back(path.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

bool hidden(const std::string& part) { return part.starts_with('.') || part.starts_with('_'); }

/// What the folders on the way say; false if the file is to be left where it is.
bool read_folders(ForeignFile& file, const std::vector<std::string>& folders,
                  NestedFolders nested) {
  for (const auto& folder : folders) {
    const size_t equals = folder.find('=');
    if (equals != folder.npos && equals > 0) {
      const std::string column = lower_case(folder.substr(0, equals));
      const auto values = lake::parse_partition_name({column}, folder, false);
      if (values) {
        if (std::find(file.columns.begin(), file.columns.end(), column) != file.columns.end()) {
          throw Error(Code::kInvalidProcedureArgument,
                      fmt::format("{} lies in two folders {}=…", file.path, column));
        }
        file.columns.push_back(column);
        file.values.push_back(values->front());
        continue;
      }
    }
    if (nested == NestedFolders::kLeave) return false;
    if (nested == NestedFolders::kFollow) continue;
    throw Error(Code::kNotSupported,
                "Recursive directory must not exist when recursive_directory argument is 'fail': " +
                    file.path)
        .with_hint(
            "recursive_directory => 'true' takes the files of all folders, 'false' those "
            "of the folder alone");
  }
  return true;
}

void check_name(const std::string& path) {
  if (path.find_first_of("*?[") == path.npos) return;
  throw Error(Code::kNotSupported,
              fmt::format("{} cannot be adopted: its name has *, ? or [", path));
}

std::string path_list(const std::vector<ForeignFile>& files, size_t from, size_t to) {
  std::string list;
  for (size_t i = from; i < to; ++i) list += (i > from ? ", " : "") + quote_string(files[i].path);
  return "[" + list + "]";
}

std::unique_ptr<duckdb::MaterializedQueryResult> ask(const RunDuck& run, const std::string& text) {
  sql::Printed printed;
  printed.text = text;
  try {
    return run(printed);
  } catch (Error& error) {
    if (error.message().find("magic") == std::string::npos) throw;
    throw error.with_hint(
        "every file of the folder must be a Parquet file; those whose names begin with _ or . are "
        "passed over");
  }
}

/// The top-level columns as the file writes them.
std::vector<std::string> written_names(const std::string& path, const RunDuck& run) {
  const auto rows = ask(run, fmt::format("SELECT name, coalesce(num_children, 0)::BIGINT FROM "
                                         "parquet_schema([{}]) ORDER BY column_id",
                                         quote_string(path)));
  std::vector<std::string> names;
  int64_t inside = 0;  // nodes of the present column that are still to come
  for (size_t row = 1; row < rows->RowCount(); ++row) {
    if (inside == 0) {
      names.push_back(rows->GetValue(0, row).ToString());
      ++inside;
    }
    inside += rows->GetValue(1, row).GetValue<int64_t>() - 1;
  }
  return names;
}

Shape read_shape(const std::string& path, const RunDuck& run) {
  const auto columns =
      ask(run, fmt::format("SELECT * FROM parquet_scan([{}], hive_partitioning = false) LIMIT 0",
                           quote_string(path)));
  Shape shape;
  shape.example = path;
  shape.names.assign(columns->names.begin(), columns->names.end());
  shape.types.assign(columns->types.begin(), columns->types.end());
  // DuckDB gives columns that differ in case alone names of its own.
  if (shape.names != written_names(path, run)) {
    throw Error(Code::kNotSupported,
                fmt::format("Columns of {} have the same name, or differ in case alone", path));
  }
  return shape;
}

}  // namespace

ForeignFiles list_foreign(objects::Store& store, const lake::Folder& folder, NestedFolders nested,
                          const std::vector<std::string>& above) {
  ForeignFiles found;
  std::vector<std::pair<ForeignFile, std::vector<std::string>>> files;
  objects::ListOptions wanted;
  wanted.prefix = folder.prefix;
  while (true) {
    const auto page = store.list(folder.bucket, wanted);
    for (const auto& object : page.objects) {
      auto parts = split(std::string_view(object.key).substr(folder.prefix.size()));
      const std::string name = parts.back();
      parts.pop_back();
      ForeignFile file;
      file.path = "s3://" + folder.bucket + "/" + object.key;
      file.bytes = static_cast<int64_t>(object.size);
      if (name.ends_with(".metadata.json") && !parts.empty() && parts.back() == "metadata") {
        const std::string place =
            file.path.substr(0, file.path.size() - name.size() - kMetadataFolder.size() - 1);
        if (found.tables.empty() || found.tables.back() != place) found.tables.push_back(place);
      }
      const bool out_of_sight = hidden(name) || std::any_of(parts.begin(), parts.end(), hidden);
      if (name.empty() || object.size == 0 || out_of_sight) continue;
      files.emplace_back(std::move(file), std::move(parts));
    }
    if (!page.truncated) break;
    wanted.after = page.next;
  }
  for (auto& [file, folders] : files) {
    const bool metadata =
        std::any_of(found.tables.begin(), found.tables.end(), [&](const std::string& place) {
          return file.path.starts_with(place + "/" + std::string(kMetadataFolder));
        });
    folders.insert(folders.begin(), above.begin(), above.end());
    if (metadata || !read_folders(file, folders, nested)) continue;
    check_name(file.path);
    found.files.push_back(std::move(file));
  }
  return found;
}

std::vector<std::string> partition_folders(const lake::Folder& folder) {
  auto parts = split(folder.prefix);
  if (parts.back().empty()) parts.pop_back();  // after the last slash
  auto first = parts.end();
  while (first != parts.begin() && std::prev(first)->find('=') != std::string::npos) --first;
  return {first, parts.end()};
}

void read_shapes(ForeignFiles& foreign, const RunDuck& run) {
  std::map<std::string, size_t> places, known;  // of files by path, of shapes by their digest
  for (size_t i = 0; i < foreign.files.size(); ++i) places[foreign.files[i].path] = i;
  for (size_t from = 0; from < foreign.files.size(); from += kFilesAtOnce) {
    const size_t to = std::min(from + kFilesAtOnce, foreign.files.size());
    const auto rows = ask(
        run, fmt::format(
                 "SELECT file_name, md5(CAST(list({{'n': name, 't': type, 'w': type_length, 'r': "
                 "repetition_type, 'k': num_children, 'c': converted_type, 's': scale, 'p': "
                 "precision, 'l': logical_type}} ORDER BY column_id) AS VARCHAR)), "
                 "count(field_id)::BIGINT FROM parquet_schema({}) GROUP BY file_name ORDER BY 1",
                 path_list(foreign.files, from, to)));
    for (size_t row = 0; row < rows->RowCount(); ++row) {
      const std::string path = rows->GetValue(0, row).ToString();
      if (rows->GetValue(2, row).GetValue<int64_t>() > 0) {
        throw Error(Code::kNotSupported,
                    fmt::format("{} has Iceberg's field ids: it is another table's", path))
            .with_hint(
                "system.register_table takes a table with all its files; CREATE TABLE AS over "
                "an external table copies rows");
      }
      const auto [shape, is_new] =
          known.emplace(rows->GetValue(1, row).ToString(), foreign.shapes.size());
      if (is_new) foreign.shapes.push_back(read_shape(path, run));
      foreign.files.at(places.at(path)).shape = shape->second;
    }
  }
}

}  // namespace meesh::engine
