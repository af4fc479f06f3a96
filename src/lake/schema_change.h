// ALTER TABLE on an Iceberg schema: columns are added, dropped, renamed, moved and widened without
// touching files, because files know them by id.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lake/metadata.h"
#include "lake/updates.h"

namespace meesh::lake {

struct ColumnPosition {
  enum class Place { kLast, kFirst, kAfter };
  Place place = Place::kLast;
  std::string after;  // kAfter: a sibling's own name, without its parents
};

/// Changes follow one another; each sees those before. Columns are named as SQL does, letters' case
/// aside, nested ones dotted ("address.city"; a list's struct needs no "element"). What is not
/// possible throws and leaves the schema as it was before that call: kColumnNotFound,
/// kColumnAlreadyExists, kTypeMismatch or kNotSupported.
class SchemaChange {
 public:
  /// Changes the current schema. `metadata` may end before this does.
  explicit SchemaChange(const TableMetadata& metadata);

  /// `parent` is "" for a column, else a struct, a list of structs or a map to structs. The ids in
  /// `type` do not matter, new ones are given. Required columns are refused: files already written
  /// have no values for them.
  SchemaChange& add(std::string_view parent, const std::string& name, const Type& type,
                    const std::string& doc = "", bool required = false,
                    const ColumnPosition& position = {});
  /// Refused for sources of any partition spec and of the sort order, identifier fields, parts of
  /// lists and maps, and the last column.
  SchemaChange& drop(std::string_view name);
  SchemaChange& rename(std::string_view name, const std::string& new_name);
  /// Among its siblings.
  SchemaChange& move(std::string_view name, const ColumnPosition& position);
  /// int to long, float to double, more digits for a decimal.
  SchemaChange& widen(std::string_view name, const Type& type);
  SchemaChange& set_doc(std::string_view name, const std::string& doc);
  /// DROP NOT NULL. Refused for identifier fields.
  SchemaChange& make_optional(std::string_view name);
  /// SET NOT NULL. The caller has made sure that no live row has a null there.
  SchemaChange& make_required(std::string_view name);
  /// The table's row key, in place of the former; each required, primitive and no float.
  SchemaChange& set_identifier_fields(const std::vector<std::string>& names);

  const Schema& schema() const { return schema_; }
  /// Adds the schema and makes it the current one.
  std::vector<Update> updates() const;

 private:
  Field& find(std::string_view name);
  std::vector<Field>& siblings_of(int id);
  void refuse_inside_map_key(int id, std::string_view name) const;
  void refuse_used(const Field& field, std::string_view name) const;

  Schema schema_;
  int last_column_id_;
  std::set<int> partition_sources_, old_partition_sources_, sort_sources_;
};

}  // namespace meesh::lake
