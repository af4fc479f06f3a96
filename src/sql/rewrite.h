// SHOW and DESCRIBE as queries over information_schema, system tables and VALUES.
#pragma once

#include "sql/sql.h"

namespace meesh::sql {

/// A name as SHOW CREATE prints it: quoted only if it must be.
std::string shown_ident(std::string_view name);
/// The query that answers the statement, parsed, not yet resolved. Throws what Trino throws when
/// the catalog, schema or table does not exist.
StatementPtr rewrite_show(const Show& show, const ResolveContext& context);

}  // namespace meesh::sql
