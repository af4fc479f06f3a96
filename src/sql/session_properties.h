// Session properties: those of Trino that clients and dbt projects set. What has no meaning here
// (how a cluster exchanges rows) is accepted, checked and shown, and changes nothing.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sql/type.h"

namespace meesh::sql {

struct SessionProperty {
  /// What a value must look like beside its type.
  enum class Check { kNone, kDuration, kDataSize, kChoice, kTimeZone, kPowerOfTwo, kAtLeastOne };
  std::string_view name;
  std::string_view value;  // the default, as SHOW SESSION tells it; "" = none
  TypeKind type = TypeKind::kVarchar;
  Check check = Check::kNone;
  bool hidden = false;  // SHOW SESSION leaves it out
  std::string_view description;

  /// Why the text is no value of it, as Trino says it; nothing if it is one. For kChoice the values
  /// stand in the description.
  std::optional<std::string> problem(std::string_view text) const;
};

Type property_type(const SessionProperty& property);
/// Those of the system, by name.
std::span<const SessionProperty> session_properties();
/// Case-insensitive; null if there is none.
const SessionProperty* find_session_property(std::string_view name);
/// What the session has set, or the default. `set` may be null.
std::string session_property(const std::map<std::string, std::string>* set, std::string_view name);
/// Those of a kind of catalog ("iceberg"), which are set as CATALOG.NAME; none have a meaning here.
bool is_catalog_property(std::string_view connector, std::string_view name);

}  // namespace meesh::sql
