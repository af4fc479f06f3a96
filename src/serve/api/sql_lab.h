// /api/v1/sql: saved queries, the history of statements, and results as files. The statements
// themselves run over Trino's protocol (serve/trino). See docs/sql-lab.md.
#pragma once

#include "net/http.h"
#include "serve/api/sql_history.h"
#include "serve/api/sql_store.h"

namespace meesh::serve::api {

/// Both outlive the server.
void register_sql_lab(net::Server& server, SqlStore& store, StatementHistory& history);

}  // namespace meesh::serve::api
