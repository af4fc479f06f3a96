// Parquet files that others wrote become data files of an Iceberg table where they lie. They have
// no field ids: the table's name mapping (lake/name_mapping.h) says which column is which.
// Folders such as year=2025/month=01 tell the values of identity partitions.
#pragma once

#include <string>

#include "engine/lake/scan.h"
#include "engine/lake/write.h"
#include "engine/procedure_arguments.h"
#include "lake/catalog.h"

namespace meesh::engine {

/// Who adopts, and with what.
struct Adoption {
  LakeSource& source;
  std::string user;
  lake::Properties summary;  // of the snapshot
  RunDuck run;
};

/// What to do with folders below the given one whose names are not column=value.
enum class NestedFolders { kFail, kFollow, kLeave };

struct FolderToAdopt {
  std::string location;  // s3://bucket/folder
  NestedFolders nested = NestedFolders::kFail;
};
/// The arguments location, format and recursive_directory, as Trino's add_files has them.
FolderToAdopt folder_to_adopt(const ProcedureArguments& arguments, bool format_required);

/// All files of the folder join the table in one commit. ALREADY_EXISTS if one of them is the
/// table's already.
void add_files(const Adoption& how, const lake::Identifier& name, const lake::TableMetadata& table,
               const FolderToAdopt& from);

/// A new table whose place is the folder, with the columns of all its files. With gc.enabled false:
/// no procedure and no DROP TABLE removes the files, which somebody else may count on. Nor is it
/// compacted unasked, as that would keep every row twice.
void import_table(const Adoption& how, const lake::Identifier& name, const FolderToAdopt& from);

}  // namespace meesh::engine
