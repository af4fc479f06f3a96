// What PostgreSQL and the extension that reads it say when something breaks, in our words.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/catalog_set.h"

namespace meesh::engine {

/// Whether the text tells of a server that went away or cannot be reached, rather than of one that
/// refused a statement.
bool tells_of_lost_server(std::string_view message);

/// The one sentence a person needs of a libpq or extension message: "connection refused",
/// "password authentication failed for user "x"", "duplicate key value violates …".
std::string plain_reason(std::string_view message);

/// EXTERNAL: "Catalog 'sales': the PostgreSQL server at host:port cannot be reached: reason".
Error unreachable(const std::string& catalog, const std::string& address, std::string_view message);

/// Whether the error comes from the extension passing on what the server said ("… ERROR:  …").
bool said_by_server(const Error& error);

/// Last resort after every catalog had its look: an error that tells of a lost server but not of
/// which becomes EXTERNAL and names the PostgreSQL catalogs in use.
void name_lost_server(Error& error, const CatalogsInUse& used);

}  // namespace meesh::engine
