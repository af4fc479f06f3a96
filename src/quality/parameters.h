// Parameters in the SQL texts of a mesh: {{ run_date }}.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace meesh::quality {

/// Puts `values` where `text` says {{ name }}. Throws CONFIG_INVALID at the line and column in the
/// text for a name that has no value, naming those that have.
std::string fill_parameters(std::string_view text,
                            const std::map<std::string, std::string>& values);

/// A parameter that came from outside goes into SQL as it is, so it consists of letters, digits,
/// spaces and _ . : + - alone. Throws INVALID_FUNCTION_ARGUMENT.
void check_parameters(const std::map<std::string, std::string>& values);

/// A table's name that no table has.
inline constexpr std::string_view kTablePlaceholder = "meesh.parameter.this";
/// The text with every parameter replaced by 1, {{ table }} and {{ this }} by kTablePlaceholder:
/// what a parser takes before there are values.
std::string without_parameters(std::string_view text);

}  // namespace meesh::quality
