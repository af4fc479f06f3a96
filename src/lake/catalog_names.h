// Names of namespaces and tables as the catalog's own sources see them.
#pragma once

#include <string>
#include <string_view>

#include "lake/catalog.h"

namespace meesh::lake {

/// Between the levels of a namespace in the database, as in the REST protocol.
inline constexpr char kLevelMark = '\x1f';
std::string joined(const Namespace& name);
Namespace split(std::string_view text);

/// INVALID_ARGUMENTS for what cannot be a name.
void check_name(const Namespace& name);
void check_name(const Identifier& name);

std::string without_slashes(std::string path);  // at its end
/// Keys are vended for what lies below a location, by policies in which *, ? and $ mean something:
/// INVALID_ARGUMENTS.
void check_location(const std::string& location);

/// SCHEMA_NOT_FOUND.
[[noreturn]] void no_namespace(const Namespace& name);
/// TABLE_NOT_FOUND, also where there is no such namespace: readers of a table that is none look
/// for its metadata tables (namespace.table.files) then.
[[noreturn]] void not_found(const Identifier& name, bool view);
/// TABLE_ALREADY_EXISTS, for what was to be a table or, with `view`, a view, where there is either.
Error already_exists(const Identifier& name, bool view, bool there_view);

}  // namespace meesh::lake
