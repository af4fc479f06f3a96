#include "ingest/sources/postgresql_changes_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace meesh::ingest {

namespace {

constexpr int kLeastVersion = 130000;     // publications speak for partitioned tables since
constexpr int64_t kLittleRoom = 1 << 30;  // bytes of the log before a slot is given up

std::string cell(const std::vector<PostgresCells>& rows, size_t column = 0) {
  return rows.empty() ? "" : rows[0].at(column).value_or("");
}

Error refused(const std::string& source, const std::string& what, std::string hint) {
  return Error(Code::kConfigInvalid, fmt::format("Source '{}': {}", source, what))
      .with_hint(std::move(hint));
}

void check_server(PostgresLink& link, const PostgresChangesOptions& options) {
  const auto row = link.ask(
      "SELECT current_setting('server_version_num'), current_setting('server_version'), "
      "current_setting('wal_level'), (SELECT rolsuper OR rolreplication FROM pg_roles WHERE "
      "rolname = current_user) OR EXISTS (SELECT 1 FROM pg_roles WHERE rolname IN "
      "('rds_replication', 'azure_pg_admin') AND pg_has_role(current_user, oid, 'MEMBER')), "
      "current_user");
  if (std::stoi(cell(row)) < kLeastVersion) {
    throw refused(options.source,
                  fmt::format("changes of PostgreSQL {} cannot be followed", cell(row, 1)),
                  "13 and newer can; older ones can be taken by mode: incremental");
  }
  if (cell(row, 2) != "logical") {
    throw refused(
        options.source,
        fmt::format("the server's wal_level is '{}': it does not write down what changes in rows",
                    cell(row, 2)),
        "ALTER SYSTEM SET wal_level = logical; and start the server anew");
  }
  if (cell(row, 3) != "t") {
    throw refused(options.source, fmt::format("'{}' may not follow changes", cell(row, 4)),
                  fmt::format("ALTER ROLE {} REPLICATION;", postgres_name(cell(row, 4))));
  }
}

/// A slot of our own, and another one for the blink of a snapshot.
void check_room(PostgresLink& link, const PostgresChangesOptions& options) {
  const auto row = link.ask(fmt::format(
      "SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = {0}), "
      "current_setting('max_replication_slots')::int - (SELECT count(*) FROM "
      "pg_replication_slots), (SELECT coalesce(plugin, '') FROM pg_replication_slots WHERE "
      "slot_name = {0}), (SELECT database FROM pg_replication_slots WHERE slot_name = {0}), "
      "current_database()",
      postgres_text(options.slot)));
  const bool there = cell(row) != "0";
  if (there && (cell(row, 2) != "pgoutput" || cell(row, 3) != cell(row, 4))) {
    throw refused(options.source,
                  fmt::format("the replication slot '{}' is somebody else's", options.slot),
                  "name another: 'slot' in the source's file");
  }
  const int needed = there ? 1 : 2;
  if (std::stoi(cell(row, 1)) < needed) {
    throw refused(options.source,
                  fmt::format("the server has {} replication slots left, and {} are needed",
                              cell(row, 1), needed),
                  "raise max_replication_slots, or drop slots nobody uses: SELECT slot_name FROM "
                  "pg_replication_slots WHERE NOT active");
  }
}

void check_table(const PostgresChangesOptions& options, const PostgresTable& table,
                 const TableConfig& config, std::vector<std::string>& notes) {
  const std::string name = table.quoted();
  if (table.kind != 'r' && table.kind != 'p') {
    throw refused(options.source,
                  fmt::format("{} is no table: its changes are written nowhere", name),
                  "take it by mode: full_refresh");
  }
  if (!table.permanent) {
    throw refused(options.source,
                  fmt::format("{} is UNLOGGED: its changes are written nowhere", name),
                  fmt::format("ALTER TABLE {} SET LOGGED;", name));
  }
  const bool told = table.identity == 'f' || (table.identity == 'd' && !table.primary.empty()) ||
                    (table.identity == 'i' && !table.identity_index.empty());
  if (!told) {
    throw refused(
        options.source,
        fmt::format("{} has no {}: PostgreSQL cannot tell which row changed, and would refuse "
                    "UPDATE and DELETE of a table that is followed",
                    name, table.identity == 'n' ? "replica identity" : "primary key"),
        fmt::format("give it a primary key, or ALTER TABLE {} REPLICA IDENTITY FULL;", name));
  }
  const auto key = postgres_key(table, config);
  for (const auto& column : key) {
    if (!config.takes(column)) {
      throw refused(options.source,
                    fmt::format("column '{}' of {} is a part of the key", column, name),
                    "take it off 'exclude', or name it under 'include'");
    }
  }
  if (table.identity == 'f' && table.primary.empty() && config.key.empty())
    notes.push_back(fmt::format(
        "{} has no primary key: whole rows are its key, and rows that are alike are one", name));
  if (!config.key.empty() && table.identity != 'f') {
    auto identity = table.identity == 'i' ? table.identity_index : table.primary;
    for (auto& column : identity) column = lower_case_name(column);
    if (!std::ranges::is_permutation(identity, config.key)) {
      throw refused(options.source,
                    fmt::format("PostgreSQL does not tell the key of {} that the file names", name),
                    fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL; or leave out 'key'", name));
    }
  }
  for (const auto& column : table.columns)
    if (column.generated)
      notes.push_back(
          fmt::format("column {} of {} is generated: PostgreSQL tells no changes of it, "
                      "and it is left out",
                      column.name, name));
}

std::string list_of(const std::vector<PostgresTable>& tables) {
  std::vector<std::string> names;
  for (const auto& table : tables) names.push_back(table.quoted());
  return base::join(names, ", ");
}

struct Publication {
  bool there = false, all_tables = false, roots = false;
  std::string operations;  // of insert, update, delete, truncate those it does not have
};

Publication read_publication(PostgresLink& link, const std::string& name) {
  const auto row = link.ask(
      "SELECT puballtables, pubviaroot, concat_ws(', ', CASE WHEN NOT pubinsert THEN 'insert' END, "
      "CASE WHEN NOT pubupdate THEN 'update' END, CASE WHEN NOT pubdelete THEN 'delete' END, CASE "
      "WHEN NOT pubtruncate THEN 'truncate' END) FROM pg_publication WHERE pubname = " +
      postgres_text(name));
  if (row.empty()) return {};
  return {true, cell(row) == "t", cell(row, 1) == "t", cell(row, 2)};
}

std::vector<PostgresTable> not_published(PostgresLink& link, const PostgresChangesOptions& options,
                                         const std::vector<TableConfig>& tables) {
  std::vector<PostgresTable> missing;
  for (const auto& config : tables) {
    auto table = read_postgres_table(link, options.source, options.schema, config);
    if (link.ask(fmt::format("SELECT 1 FROM pg_publication_tables WHERE pubname = {} AND "
                             "schemaname = {} AND tablename = {}",
                             postgres_text(options.publication), postgres_text(table.schema),
                             postgres_text(table.name)))
            .empty())
      missing.push_back(std::move(table));
  }
  return missing;
}

std::string create_publication(const PostgresChangesOptions& options,
                               const std::vector<PostgresTable>& tables) {
  return fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH (publish_via_partition_root = true)",
                     postgres_name(options.publication), list_of(tables));
}
std::string alter_publication(const PostgresChangesOptions& options,
                              const std::vector<PostgresTable>& tables) {
  return fmt::format("ALTER PUBLICATION {} ADD TABLE {}", postgres_name(options.publication),
                     list_of(tables));
}

void check_publication(PostgresLink& link, const PostgresChangesOptions& options,
                       const std::vector<TableConfig>& tables) {
  const auto publication = read_publication(link, options.publication);
  const auto missing = not_published(link, options, tables);
  const auto statement = publication.there ? alter_publication(options, missing)
                                           : create_publication(options, missing);
  if (publication.there && !publication.operations.empty()) {
    throw refused(options.source,
                  fmt::format("the publication '{}' leaves out: {}", options.publication,
                              publication.operations),
                  fmt::format("ALTER PUBLICATION {} SET (publish = 'insert, update, delete, "
                              "truncate');",
                              postgres_name(options.publication)));
  }
  if (publication.there && !publication.roots) {
    throw refused(options.source,
                  fmt::format("the publication '{}' tells partitions apart", options.publication),
                  fmt::format("ALTER PUBLICATION {} SET (publish_via_partition_root = true);",
                              postgres_name(options.publication)));
  }
  if (missing.empty()) return;
  const bool may_create =
      publication.there ||
      cell(link.ask("SELECT has_database_privilege(current_database(), 'CREATE')")) == "t";
  const auto other = std::ranges::find(missing, false, &PostgresTable::mine);
  if (may_create && other == missing.end()) return;
  throw refused(
      options.source,
      other != missing.end()
          ? fmt::format("the role does not own {}, and cannot publish it", other->quoted())
          : "the role may not create a publication in this database",
      fmt::format("whoever may, runs: {};", statement));
}

}  // namespace

std::vector<std::string> check_postgres_changes(PostgresLink& link,
                                                const PostgresChangesOptions& options,
                                                const std::vector<TableConfig>& tables) {
  check_server(link, options);
  check_room(link, options);
  std::vector<std::string> notes;
  for (const auto& config : tables)
    check_table(options, read_postgres_table(link, options.source, options.schema, config), config,
                notes);
  check_publication(link, options, tables);
  if (cell(link.ask("SELECT current_setting('max_slot_wal_keep_size')")) == "-1") {
    notes.push_back(
        "max_slot_wal_keep_size is not set: while nobody follows, the server keeps its log for us "
        "until its disk is full; a limit well above what is written in a day or two is better");
  }
  return notes;
}

void publish_postgres_tables(PostgresLink& link, const PostgresChangesOptions& options,
                             const std::vector<TableConfig>& tables) {
  const bool there = read_publication(link, options.publication).there;
  const auto missing = not_published(link, options, tables);
  if (missing.empty()) return;
  link.ask(there ? alter_publication(options, missing) : create_publication(options, missing));
}

PostgresSlot read_postgres_slot(PostgresLink& link, const std::string& slot) {
  const auto rows = link.ask(
      "SELECT wal_status, safe_wal_size, confirmed_flush_lsn, active, CASE WHEN "
      "pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END FROM "
      "pg_replication_slots WHERE slot_name = " +
      postgres_text(slot));
  PostgresSlot found;
  if (rows.empty()) return found;
  const auto& row = rows[0];
  found.there = true;
  found.status = row.at(0).value_or("");
  found.lost = found.status == "lost" || !row.at(2);
  if (row.at(1)) found.safe_bytes = std::stoll(*row.at(1));
  if (row.at(2)) found.confirmed = read_lsn(*row.at(2)).value_or(0);
  found.active = row.at(3) == "t";
  if (row.at(4)) found.now = read_lsn(*row.at(4)).value_or(0);
  return found;
}

std::vector<std::string> slot_warnings(PostgresLink& link, const std::string& source,
                                       const PostgresSlot& slot) {
  const bool near = slot.safe_bytes >= 0 && slot.safe_bytes < kLittleRoom;
  if (slot.status != "unreserved" && slot.status != "lost" && !near) return {};
  const auto limit = cell(link.ask("SELECT current_setting('max_slot_wal_keep_size')"));
  if (slot.status == "lost")
    return {
        fmt::format("Source '{}': the server has given up its slot (max_slot_wal_keep_size = "
                    "{}); its tables must be taken anew",
                    source, limit)};
  return {
      fmt::format("Source '{}': the server gives up its slot after {} MB more of its log "
                  "(wal_status {}): let it be followed now, or raise max_slot_wal_keep_size "
                  "above {}",
                  source, std::max<int64_t>(slot.safe_bytes, 0) >> 20, slot.status, limit)};
}

}  // namespace meesh::ingest
