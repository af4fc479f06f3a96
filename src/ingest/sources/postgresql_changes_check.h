// Whether changes of a PostgreSQL server can be followed, and what following makes there.
#pragma once

#include <string>
#include <vector>

#include "ingest/sources/postgresql_changes.h"
#include "ingest/sources/postgresql_changes_link.h"
#include "ingest/sources/postgresql_changes_tables.h"

namespace meesh::ingest {

/// Throws the first thing that is in the way, with the statement that mends it. What is worth
/// telling comes back.
std::vector<std::string> check_postgres_changes(PostgresLink& link,
                                                const PostgresChangesOptions& options,
                                                const std::vector<TableConfig>& tables);

/// Makes the publication, or gives it what it lacks of the tables.
void publish_postgres_tables(PostgresLink& link, const PostgresChangesOptions& options,
                             const std::vector<TableConfig>& tables);

struct PostgresSlot {
  bool there = false, lost = false, active = false;
  std::string status;               // wal_status: "reserved", "extended", "unreserved", "lost"
  int64_t safe_bytes = -1;          // safe_wal_size; -1: no limit
  uint64_t confirmed = 0, now = 0;  // LSNs
};
PostgresSlot read_postgres_slot(PostgresLink& link, const std::string& slot);

/// What to do about a slot that keeps too little or too much of the log; none: nothing.
std::vector<std::string> slot_warnings(PostgresLink& link, const std::string& source,
                                       const PostgresSlot& slot);

}  // namespace meesh::ingest
