// Columns by name, for Parquet files that carry no field ids: files adopted from elsewhere. Source:
// the Iceberg table spec, "Column Projection" and appendix C, "Name Mapping Serialization".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/metadata.h"

namespace meesh::lake {

/// The table property that holds the mapping as JSON.
inline constexpr const char* kNameMapping = "schema.name-mapping.default";

/// One field and the names it has in files. Parts of lists and maps are named "element", "key" and
/// "value" here, whatever files call them.
struct MappedField {
  std::optional<int> id;
  std::vector<std::string> names;
  std::vector<MappedField> fields;

  bool operator==(const MappedField& other) const = default;
};
using NameMapping = std::vector<MappedField>;

/// Null if no field has the name, letter by letter.
const MappedField* find_mapped(const NameMapping& mapping, std::string_view name);

/// ICEBERG_INVALID_METADATA, with the place, for what is no mapping.
NameMapping parse_name_mapping(std::string_view json);
std::string name_mapping_json(const NameMapping& mapping);

/// Every field by its present name.
NameMapping mapping_of(const std::vector<Field>& fields);
/// What the table says; nothing if it says nothing.
std::optional<NameMapping> mapping_of(const TableMetadata& table);

}  // namespace meesh::lake
