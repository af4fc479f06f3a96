// Reading commits from JSON values, for updates, views and handlers that hold a parsed request.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lake/metadata_json.h"
#include "lake/updates.h"

namespace meesh::lake {

/// {"requirements": […], "updates": […]}, other members passed over; code of errors: the node's.
Commit read_commit(const JsonNode& node);

/// "updates[0].action: unknown update 'add-shema'", with a hint from those known.
[[noreturn]] void unknown_kind(const JsonNode& node, std::string_view member, std::string_view what,
                               const std::string& name, std::span<const std::string> known);

}  // namespace meesh::lake
