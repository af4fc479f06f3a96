#include "engine/lake/adopt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/clock.h"
#include "engine/lake/adopt_files.h"
#include "engine/lake/changes.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "lake/updates.h"

namespace meesh::engine {
namespace {

std::string without_slash(const lake::Folder& folder) {
  std::string place = folder.path();
  while (place.ends_with('/')) place.pop_back();
  return place;
}

/// Throws PERMISSION_DENIED, which says how files from elsewhere get in, unless the lake may use
/// it.
void check_place(const lake::Files& files, const std::string& place) {
  try {
    files.check_folder(place);
  } catch (Error& error) {
    if (error.code() != Code::kPermissionDenied) throw;
    throw error.with_hint(fmt::format(
        "the lake's files lie below {}. Either add {} to allowed_locations of the lake in "
        "meesh.yaml or domain.yaml, or copy the files: meesh lake cp -r {} {}/…",
        fmt::join(files.places(), ", "), place, place, files.places().front()));
  }
}

/// Lists what the user may read.
ForeignFiles list_readable(const Adoption& how, const FolderToAdopt& from, bool partition_itself) {
  const auto folder = lake::parse_folder(from.location);
  const auto& files = how.source.catalog.files();
  check_place(files, without_slash(folder));
  how.source.allow(how.user, "s3:ListBucket", folder.path());
  how.source.allow(how.user, "s3:GetObject", folder.path() + "*");
  auto found =
      list_foreign(files.store(), folder, from.nested,
                   partition_itself ? partition_folders(folder) : std::vector<std::string>{});
  for (const auto& file : found.files) files.check(file.path);
  return found;
}

[[noreturn]] void nothing_there(const FolderToAdopt& from) {
  throw Error(Code::kInvalidProcedureArgument, "There are no files in " + from.location)
      .with_hint("files whose names begin with _ or . are passed over, as are empty ones");
}

/// Adds the names that files give the table's fields in another case. True if there were any.
bool learn_names(lake::NameMapping& mapping, const std::string& name,
                 const duckdb::LogicalType& type);

bool learn_parts(lake::MappedField& field, const duckdb::LogicalType& type) {
  using duckdb::LogicalTypeId;
  bool learnt = false;
  if (type.id() == LogicalTypeId::STRUCT) {
    for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type))
      learnt = learn_names(field.fields, name, child) || learnt;
  } else if (type.id() == LogicalTypeId::LIST && field.fields.size() == 1) {
    learnt = learn_parts(field.fields[0], duckdb::ListType::GetChildType(type));
  } else if (type.id() == LogicalTypeId::MAP && field.fields.size() == 2) {
    learnt = learn_parts(field.fields[0], duckdb::MapType::KeyType(type));
    learnt = learn_parts(field.fields[1], duckdb::MapType::ValueType(type)) || learnt;
  }
  return learnt;
}

bool learn_names(lake::NameMapping& mapping, const std::string& name,
                 const duckdb::LogicalType& type) {
  for (auto& field : mapping) {
    auto& names = field.names;
    if (std::find(names.begin(), names.end(), name) != names.end()) return learn_parts(field, type);
  }
  for (auto& field : mapping) {
    const bool same = std::any_of(field.names.begin(), field.names.end(), [&](const auto& other) {
      return lower_case(other) == lower_case(name);
    });
    if (!same) continue;
    field.names.push_back(name);
    learn_parts(field, type);
    return true;
  }
  return false;
}

/// The table's name mapping as the files need it, and whether it must be written.
std::pair<lake::NameMapping, bool> fitting_mapping(const ForeignFiles& foreign,
                                                   const lake::TableMetadata& table) {
  auto told = mapping_of(table);
  bool changed = !told;
  lake::NameMapping mapping = told ? std::move(*told) : mapping_of(table.schema().fields);
  for (const auto& shape : foreign.shapes) {
    for (size_t i = 0; i < shape.names.size(); ++i)
      changed = learn_names(mapping, shape.names[i], shape.types[i]) || changed;
  }
  return {std::move(mapping), changed};
}

const lake::Field* field_of(const lake::TableMetadata& table, const lake::NameMapping& mapping,
                            const std::string& name) {
  const auto* mapped = find_mapped(mapping, name);
  if (mapped && mapped->id) return lake::find_field(table.schema(), *mapped->id);
  return nullptr;
}

/// Refuses files whose columns the table cannot have.
void check_shapes(const ForeignFiles& foreign, const lake::TableMetadata& table,
                  const lake::NameMapping& mapping) {
  for (const auto& shape : foreign.shapes) {
    std::set<int> there;
    for (size_t i = 0; i < shape.names.size(); ++i) {
      const auto* field = field_of(table, mapping, shape.names[i]);
      if (!field) continue;
      there.insert(field->id);
      int ids = 1;
      const auto type = foreign_type(shape.names[i], shape, shape.types[i], &ids);
      if (readable_as(type, field->type)) continue;
      throw Error(Code::kTypeMismatch,
                  fmt::format("Column '{}' is {} in {} and {} in the table", shape.names[i],
                              lake::type_name(type), shape.example, lake::type_name(field->type)));
    }
    if (there.empty()) {
      throw Error(Code::kTypeMismatch,
                  "None of the table's columns is in the file " + shape.example);
    }
    for (const auto& field : table.schema().fields) {
      const auto& by = table.spec().fields;
      const bool partition = std::any_of(
          by.begin(), by.end(), [&](const auto& one) { return one.source_id == field.id; });
      if (!field.required || partition || there.contains(field.id)) continue;
      throw Error(Code::kConstraintViolation,
                  fmt::format("NULL value not allowed for NOT NULL column: {} is not in {}",
                              field.name, shape.example));
    }
  }
}

/// The values of the table's partition that the file's folders tell.
std::vector<lake::Value> partition_of(const ForeignFile& file, const lake::TableMetadata& table) {
  std::vector<lake::Value> values;
  std::set<std::string> used;
  for (const auto& field : table.spec().fields) {
    const auto* source = lake::find_field(table.schema(), field.source_id);
    const std::string column = source ? lower_case(source->name) : "";
    const auto found = std::find(file.columns.begin(), file.columns.end(), column);
    if (field.transform.kind == lake::TransformKind::kVoid) {
      values.emplace_back();
      continue;
    }
    if (field.transform.kind != lake::TransformKind::kIdentity || found == file.columns.end()) {
      throw Error(Code::kNotSupported,
                  fmt::format("The table is partitioned by {}({}), which the folders of {} do not "
                              "tell",
                              lake::transform_name(field.transform), column, file.path))
          .with_hint(
              "files join tables without partitions, and tables partitioned by columns "
              "whose values stand in the names of folders (country=de)");
    }
    used.insert(column);
    const auto& text = file.values.at(static_cast<size_t>(found - file.columns.begin()));
    const auto value = text ? value_of_statistics(source->type, *text) : lake::Value();
    if (!value) {
      throw Error(Code::kInvalidProcedureArgument,
                  fmt::format("'{}' in the folder of {} is not of the type {} of column '{}'",
                              *text, file.path, lake::type_name(source->type), column));
    }
    values.push_back(*value);
  }
  for (const auto& column : file.columns) {
    if (used.contains(column)) continue;
    throw Error(Code::kNotSupported,
                fmt::format("The table is not partitioned by '{}', but {} is", column, file.path));
  }
  return values;
}

void refuse_nulls(const lake::DataFile& file, const lake::TableMetadata& table) {
  for (const auto& field : table.schema().fields) {
    if (!field.required || field.type.nested()) continue;
    const auto known = file.metrics.find(field.id);
    if (!known || known->nulls <= 0) continue;
    throw Error(
        Code::kConstraintViolation,
        fmt::format("NULL value not allowed for NOT NULL column: {} in {}", field.name, file.path));
  }
}

/// The files as the table's own; those without rows are left out.
std::vector<lake::NewFile> as_data_files(const Adoption& how, const ForeignFiles& foreign,
                                         const lake::TableMetadata& table,
                                         const lake::NameMapping& mapping) {
  check_shapes(foreign, table, mapping);
  std::vector<std::vector<lake::Value>> partitions;
  for (const auto& file : foreign.files) partitions.push_back(partition_of(file, table));
  auto made = read_footers(foreign, table, mapping, how.run);
  for (size_t i = 0; i < made.size(); ++i) {
    refuse_nulls(made[i].file, table);
    made[i].file.partition = std::move(partitions[i]);
  }
  std::erase_if(made, [](const auto& one) { return one.file.records == 0; });
  return made;
}

// ---------------------------------------------------------------- a new table

/// The columns of all shapes; `next_id` numbers them.
lake::Schema united(const ForeignFiles& foreign, int* next_id) {
  lake::Schema schema;
  std::vector<const Shape*> first;  // who brought the column
  for (const auto& shape : foreign.shapes) {
    for (size_t i = 0; i < shape.names.size(); ++i) {
      lake::Field field;
      field.id = (*next_id)++;
      field.name = shape.names[i];
      field.type = foreign_type(field.name, shape, shape.types[i], next_id);
      const auto known = std::find_if(
          schema.fields.begin(), schema.fields.end(),
          [&](const auto& one) { return lower_case(one.name) == lower_case(field.name); });
      if (known == schema.fields.end()) {
        schema.fields.push_back(std::move(field));
        first.push_back(&shape);
        continue;
      }
      const auto& other = *first[static_cast<size_t>(known - schema.fields.begin())];
      if (known->name != field.name) {
        throw Error(Code::kNotSupported,
                    fmt::format("The column is '{}' in {} and '{}' in {}", known->name,
                                other.example, field.name, shape.example));
      }
      const std::string before = lake::type_name(known->type);
      if (unite(known->type, field.type)) continue;
      throw Error(Code::kTypeMismatch,
                  fmt::format("Column '{}' is {} in {} and {} in {}", field.name, before,
                              other.example, lake::type_name(field.type), shape.example))
          .with_hint("files of one table must agree in their columns");
    }
  }
  return schema;
}

bool all_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// What the values in folders' names look like: whole numbers (07 too, but not 007), dates, texts.
lake::Type type_of_folders(const std::set<std::string>& values) {
  size_t longest = 0;
  bool numbers = !values.empty(), dates = !values.empty();
  const auto date = lake::primitive_type(lake::TypeKind::kDate);
  for (const auto& value : values) {
    const std::string digits = value.starts_with('-') ? value.substr(1) : value;
    numbers = numbers && all_digits(digits) && (digits.front() != '0' || digits.size() <= 2);
    longest = std::max(longest, digits.size());
    dates = dates && value.size() == 10 && value[4] == '-' && value[7] == '-' &&
            value_of_statistics(date, value).has_value();
  }
  if (numbers && longest <= 9) return lake::primitive_type(lake::TypeKind::kInt);
  if (numbers && longest <= 18) return lake::primitive_type(lake::TypeKind::kLong);
  return lake::primitive_type(dates ? lake::TypeKind::kDate : lake::TypeKind::kString);
}

/// Adds the columns that only folders tell, and partitions by all of those.
lake::PartitionSpec partition_by_folders(const ForeignFiles& foreign, lake::Schema& schema,
                                         int* next_id) {
  lake::PartitionSpec spec;
  const auto& first = foreign.files.front();
  for (const auto& file : foreign.files) {
    if (file.columns == first.columns) continue;
    throw Error(
        Code::kNotSupported,
        fmt::format("{} lies in folders of [{}], {} in folders of [{}]", first.path,
                    fmt::join(first.columns, ", "), file.path, fmt::join(file.columns, ", ")));
  }
  for (size_t i = 0; i < first.columns.size(); ++i) {
    auto column = std::find_if(schema.fields.begin(), schema.fields.end(), [&](const auto& field) {
      return lower_case(field.name) == first.columns[i];
    });
    if (column == schema.fields.end()) {
      std::set<std::string> values;
      for (const auto& file : foreign.files)
        if (file.values[i]) values.insert(*file.values[i]);
      lake::Field field;
      field.id = (*next_id)++;
      field.name = first.columns[i];
      field.type = type_of_folders(values);
      column = schema.fields.insert(schema.fields.end(), std::move(field));
    }
    lake::PartitionField field;
    field.source_id = column->id;
    field.name = column->name;
    if (!lake::can_transform(field.transform, column->type)) {
      throw Error(Code::kNotSupported, fmt::format("Column '{}' of type {} cannot be a partition's",
                                                   column->name, lake::type_name(column->type)));
    }
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

/// Two tables must not have files in one folder: either might remove them. `itself` may.
void refuse_shared(const lake::Catalog& catalog, const std::string& place,
                   const lake::Identifier& itself) {
  const std::function<void(const lake::Namespace&)> look_into = [&](const lake::Namespace& parent) {
    for (const auto& space : catalog.namespaces(parent)) {
      for (const auto& name : catalog.tables(space)) {
        if (lake::Identifier{space, name} == itself) continue;
        std::optional<lake::Table> other;
        try {
          other = catalog.find({space, name});
        } catch (const Error&) {  // one that cannot be read must not be in the way
          continue;
        }
        if (!other) continue;
        const auto& location = other->metadata->location;
        if (!lake::lies_below(location, place) && !lake::lies_below(place, location)) continue;
        throw Error(Code::kInvalidProcedureArgument,
                    fmt::format("{} and the place {} of table {} lie in each other", place,
                                location, other->name.display()));
      }
      look_into(space);
    }
  };
  look_into({});
}

}  // namespace

FolderToAdopt folder_to_adopt(const ProcedureArguments& arguments, bool format_required) {
  FolderToAdopt from;
  from.location = arguments.full_text("location");
  if (format_required || arguments.has("format")) {
    const std::string format = lower_case(arguments.text("format"));
    if (format == "orc" || format == "avro") {
      throw Error(Code::kNotSupported, "Files of format " + arguments.text("format") +
                                           " cannot be adopted: only PARQUET is supported");
    }
    if (format != "parquet") arguments.refuse("Unknown format: " + arguments.text("format"));
  }
  if (!arguments.has("recursive_directory")) return from;
  const std::string nested = lower_case(arguments.text("recursive_directory"));
  if (nested == "true") {
    from.nested = NestedFolders::kFollow;
  } else if (nested == "false") {
    from.nested = NestedFolders::kLeave;
  } else if (nested != "fail") {
    arguments.refuse("Invalid recursive_directory, expected 'true', 'false' or 'fail': " + nested);
  }
  return from;
}

void add_files(const Adoption& how, const lake::Identifier& name, const lake::TableMetadata& table,
               const FolderToAdopt& from) {
  check_writable(table);
  auto foreign = list_readable(how, from, !table.spec().unpartitioned());
  for (const auto& other : foreign.tables) {
    if (other == table.location) continue;
    throw Error(Code::kInvalidProcedureArgument, "There is another Iceberg table in " + other);
  }
  if (foreign.files.empty()) nothing_there(from);
  refuse_shared(how.source.catalog, without_slash(lake::parse_folder(from.location)), name);
  const auto plan = lake::plan_scan(how.source.cache, table, table.current_snapshot(), {});
  std::set<std::string_view> known;
  for (const auto& file : plan.files) known.insert(file.file->path);
  for (const auto& file : foreign.files) {
    if (known.contains(file.path))
      throw Error(Code::kAlreadyExists, "File already exists: " + file.path);
  }
  read_shapes(foreign, how.run);
  const auto [mapping, changed] = fitting_mapping(foreign, table);
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = table.uuid;
  if (const auto* head = table.current_snapshot()) snapshot.read_snapshot_id = head->id;
  snapshot.adopted = true;
  snapshot.summary = how.summary;
  snapshot.data = as_data_files(how, foreign, table, mapping);
  if (snapshot.data.empty()) return;
  if (changed)
    snapshot.updates.emplace_back(
        lake::SetProperties{{{lake::kNameMapping, name_mapping_json(mapping)}}});
  std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
  changes.emplace_back(name, std::move(snapshot));
  lake::commit(how.source.catalog, how.source.cache, std::move(changes));
}

void import_table(const Adoption& how, const lake::Identifier& name, const FolderToAdopt& from) {
  auto& catalog = how.source.catalog;
  if (!catalog.has_namespace(name.space)) {
    throw Error(Code::kSchemaNotFound,
                fmt::format("Schema '{}' does not exist", lake::display(name.space)))
        .with_hint("create it first: CREATE SCHEMA …");
  }
  if (catalog.find(name) || catalog.find_view(name))
    throw Error(Code::kTableAlreadyExists,
                fmt::format("Table '{}' already exists", name.display()));
  const std::string place = without_slash(lake::parse_folder(from.location));
  auto foreign = list_readable(how, from, false);
  how.source.allow(how.user, "s3:PutObject", place + "/*");
  if (!foreign.tables.empty()) {
    throw Error(Code::kInvalidProcedureArgument,
                "There is an Iceberg table already in " + foreign.tables.front())
        .with_hint("give it a name with system.register_table");
  }
  if (foreign.files.empty()) nothing_there(from);
  refuse_shared(catalog, place, name);
  read_shapes(foreign, how.run);
  int next_id = 1;
  auto schema = united(foreign, &next_id);
  const auto spec = partition_by_folders(foreign, schema, &next_id);
  auto fresh = lake::new_table_metadata(schema, spec, {}, place,
                                        {{"write.format.default", "PARQUET"},
                                         {"write.parquet.compression-codec", "zstd"},
                                         {"gc.enabled", "false"},
                                         {"meesh.maintenance.compaction", "false"}},
                                        base::now_ms());
  const auto mapping = mapping_of(fresh.schema().fields);
  fresh.properties[lake::kNameMapping] = name_mapping_json(mapping);
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = fresh.uuid;
  snapshot.adopted = true;
  snapshot.summary = how.summary;
  snapshot.data = as_data_files(how, foreign, fresh, mapping);
  lake::create_table_as(catalog, how.source.cache, name, fresh, std::move(snapshot));
}

}  // namespace meesh::engine
