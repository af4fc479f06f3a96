// Values out of JSON that dbt wrote: what is absent or of another type reads as empty.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::transform::dbt_json {

inline std::string text(const boost::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

/// Null if it is no object.
inline const boost::json::object* object(const boost::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

inline std::vector<std::string> texts(const boost::json::object& from, std::string_view key) {
  std::vector<std::string> all;
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_array()) return all;
  for (const auto& one : value->get_array()) {
    if (one.is_string()) all.emplace_back(one.get_string());
  }
  return all;
}

/// catalog.schema.table in lower case; "" if a part is missing.
inline std::string relation(std::string_view catalog, std::string_view schema,
                            std::string_view table) {
  if (catalog.empty() || schema.empty() || table.empty()) return "";
  std::string all = std::string(catalog) + '.' + std::string(schema) + '.' + std::string(table);
  for (char& c : all) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return all;
}

}  // namespace meesh::transform::dbt_json
