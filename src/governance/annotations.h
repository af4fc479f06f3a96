// What people say about data: catalogue/*.yaml in the mesh's folder.
//
//   assets:
//     lake.gold.rfm:                      # a table or view; others are kind:name (bucket:bronze)
//       description: One row a customer, with recency, frequency and amount.
//       owner: Marketing team
//       tags: [KPI]
//       columns:
//         email: { tags: [PII.Email], terms: [Customer] }
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_schema.h"
#include "base/yaml.h"
#include "mesh/mesh_files.h"

namespace meesh::governance {

struct ColumnNote {
  std::string description;  // Markdown
  std::vector<std::string> tags, terms;
  bool propagate = true;  // false: columns made of it get neither its tags nor its terms
  bool inherit = true;    // false: it takes none of the columns it is made of

  bool empty() const {
    return description.empty() && tags.empty() && terms.empty() && propagate && inherit;
  }
  bool operator==(const ColumnNote&) const = default;
};

struct AssetNote {
  std::string description;  // Markdown
  std::string owner, tier;  // "" = not said
  std::vector<std::string> tags, terms;
  std::map<std::string, ColumnNote> columns;

  bool empty() const;
  bool operator==(const AssetNote&) const = default;
};

/// A term of the glossary: glossary/*.yaml.
struct Term {
  std::string name, definition;  // Markdown
  std::vector<std::string> synonyms, related;
  std::string parent, owner;     // "" = none
  std::string status = "draft";  // draft, approved, deprecated
  bool operator==(const Term&) const = default;
};

using AssetNotes = std::map<std::string, AssetNote>;  // by the asset's name
using Terms = std::map<std::string, Term>;            // by their names

/// The shapes of catalogue/*.yaml and glossary/*.yaml.
const base::Shape& catalogue_shape();
const base::Shape& glossary_shape();

/// Of documents that fit their shapes. What a shape does not see goes to `problems`.
AssetNotes read_assets(const yaml::Document& document, std::vector<Error>& problems);
Terms read_terms(const yaml::Document& document, std::vector<Error>& problems);

/// Files that read as what they were written from. Comments are not kept.
std::string write_assets(const AssetNotes& assets);
std::string write_terms(const Terms& terms);

/// "lake.gold.rfm" in lower case as tables are named; other names as they are.
std::string asset_name(std::string_view written);

}  // namespace meesh::governance
