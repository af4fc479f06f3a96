#include "lake/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/uuid.h"

namespace meesh::lake {
namespace {

constexpr char kLevelMark = '\x1f';  // between the levels of a namespace, as in the REST protocol
constexpr size_t kMostCached = 256;
constexpr int kMostAttempts = 50;
constexpr const char* kJson = "application/json";

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "namespaces, tables and views",
       {"CREATE TABLE lake_namespace (warehouse TEXT NOT NULL, name TEXT NOT NULL, "
        "properties TEXT NOT NULL, PRIMARY KEY (warehouse, name))",
        "CREATE TABLE lake_table (warehouse TEXT NOT NULL, namespace TEXT NOT NULL, "
        "name TEXT NOT NULL, kind TEXT NOT NULL, metadata_location TEXT NOT NULL, "
        "PRIMARY KEY (warehouse, namespace, name))"}}};
  return kMigrations;
}

std::string joined(const Namespace& name) {
  return fmt::format("{}", fmt::join(name, std::string(1, kLevelMark)));
}

Namespace split(std::string_view text) {
  Namespace name;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(kLevelMark, at), text.size());
    name.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return name;
}

void check_name(const Namespace& name) {
  const auto wrong = [](const std::string& level) {
    return level.empty() || level.size() > 255 || level.find(kLevelMark) != level.npos;
  };
  if (name.empty() || std::any_of(name.begin(), name.end(), wrong)) {
    throw Error(Code::kInvalidArguments, fmt::format("Invalid namespace: {}", display(name)))
        .with_hint("each level has 1 to 255 bytes");
  }
}

void check_name(const Identifier& name) {
  check_name(name.space);
  if (name.name.empty() || name.name.size() > 255) {
    throw Error(Code::kInvalidArguments, fmt::format("Invalid name: '{}'", name.name))
        .with_hint("a name has 1 to 255 bytes");
  }
}

std::string properties_text(const Properties& properties) {
  boost::json::object object;
  for (const auto& [key, value] : properties) object[key] = value;
  return boost::json::serialize(object);
}

Properties parse_properties(const std::string& text) {
  Properties properties;
  const boost::json::value parsed = boost::json::parse(text);
  for (const auto& [key, value] : parsed.as_object()) {
    properties.emplace(key, value.as_string());
  }
  return properties;
}

[[noreturn]] void no_namespace(const Namespace& name) {
  throw Error(Code::kSchemaNotFound, fmt::format("Namespace does not exist: {}", display(name)));
}

Error exists(const Identifier& name, bool view) {
  return Error(Code::kTableAlreadyExists,
               fmt::format("{} already exists: {}", view ? "View" : "Table", name.display()));
}

const char* kind_text(bool view) { return view ? "view" : "table"; }

bool namespace_exists(soci::session& sql, const std::string& warehouse, const std::string& name) {
  int count = 0;
  sql << "SELECT count(*) FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
      soci::use(warehouse), soci::use(name), soci::into(count);
  return count > 0;
}

}  // namespace

std::string display(const Namespace& name) { return fmt::format("{}", fmt::join(name, ".")); }

std::string Identifier::display() const { return lake::display(space) + "." + name; }

std::string next_metadata_location(const TableMetadata& metadata, const std::string& previous) {
  int version = -1;
  const std::string_view file =
      std::string_view(previous).substr(previous.empty() ? 0 : previous.rfind('/') + 1);
  std::from_chars(file.data(), file.data() + file.size(), version);
  const auto given = metadata.properties.find("write.metadata.path");
  const std::string folder =
      given != metadata.properties.end() ? given->second : metadata.location + "/metadata";
  return fmt::format("{}/{:05}-{}.metadata.json", folder, version + 1, base::random_uuid());
}

Catalog::Catalog(meta::Database& database, const Files& files, Warehouse warehouse)
    : database_(database), files_(files), warehouse_(std::move(warehouse)) {
  meta::migrate(database_, "lake", migrations());
}

// Namespaces

std::vector<Namespace> Catalog::namespaces(const Namespace& parent) const {
  if (!parent.empty() && !has_namespace(parent)) no_namespace(parent);
  std::set<Namespace> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT name FROM lake_namespace WHERE warehouse = :warehouse",
         soci::use(warehouse_.name));
    for (const auto& row : rows) {
      Namespace name = split(row);
      if (name.size() <= parent.size() || !std::equal(parent.begin(), parent.end(), name.begin())) {
        continue;
      }
      name.resize(parent.size() + 1);
      found.insert(std::move(name));
    }
  });
  return {found.begin(), found.end()};
}

bool Catalog::has_namespace(const Namespace& name) const {
  bool there = false;
  database_.read(
      [&](soci::session& sql) { there = namespace_exists(sql, warehouse_.name, joined(name)); });
  return there;
}

Properties Catalog::properties(const Namespace& name) const {
  std::string text;
  database_.read([&](soci::session& sql) {
    const std::string key = joined(name);
    sql << "SELECT properties FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
        soci::use(warehouse_.name), soci::use(key), soci::into(text);
    if (!sql.got_data()) no_namespace(name);
  });
  return parse_properties(text);
}

void Catalog::create_namespace(const Namespace& name, const Properties& properties) {
  check_name(name);
  database_.write([&](soci::session& sql) {
    const std::string key = joined(name), text = properties_text(properties);
    if (namespace_exists(sql, warehouse_.name, key)) {
      throw Error(Code::kSchemaAlreadyExists,
                  fmt::format("Namespace already exists: {}", display(name)));
    }
    sql << "INSERT INTO lake_namespace VALUES (:warehouse, :name, :properties)",
        soci::use(warehouse_.name), soci::use(key), soci::use(text);
  });
}

void Catalog::drop_namespace(const Namespace& name) {
  database_.write([&](soci::session& sql) {
    const std::string key = joined(name), below = key + kLevelMark;
    if (!namespace_exists(sql, warehouse_.name, key)) no_namespace(name);
    int tables = 0, children = 0;
    sql << "SELECT count(*) FROM lake_table WHERE warehouse = :warehouse AND namespace = :name",
        soci::use(warehouse_.name), soci::use(key), soci::into(tables);
    sql << "SELECT count(*) FROM lake_namespace WHERE warehouse = :warehouse AND "
           "substr(name, 1, length(:below)) = :below2",
        soci::use(warehouse_.name), soci::use(below), soci::use(below), soci::into(children);
    if (tables > 0 || children > 0) {
      throw Error(Code::kSchemaNotEmpty, fmt::format("Namespace {} is not empty. {} {} exist.",
                                                     display(name), tables > 0 ? tables : children,
                                                     tables > 0 ? "tables" : "namespaces"));
    }
    sql << "DELETE FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
        soci::use(warehouse_.name), soci::use(key);
  });
}

void Catalog::set_properties(const Namespace& name, const std::function<void(Properties&)>& edit) {
  database_.write([&](soci::session& sql) {
    const std::string key = joined(name);
    std::string text;
    sql << "SELECT properties FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
        soci::use(warehouse_.name), soci::use(key), soci::into(text);
    if (!sql.got_data()) no_namespace(name);
    Properties properties = parse_properties(text);
    edit(properties);
    text = properties_text(properties);
    sql << "UPDATE lake_namespace SET properties = :text WHERE warehouse = :warehouse AND "
           "name = :name",
        soci::use(text), soci::use(warehouse_.name), soci::use(key);
  });
}

// Pointers

std::optional<Catalog::Pointer> Catalog::pointer(const Identifier& name) const {
  std::optional<Pointer> found;
  database_.read([&](soci::session& sql) {
    found.reset();
    const std::string space = joined(name.space);
    std::string kind, location;
    sql << "SELECT kind, metadata_location FROM lake_table WHERE warehouse = :warehouse AND "
           "namespace = :namespace AND name = :name",
        soci::use(warehouse_.name), soci::use(space), soci::use(name.name), soci::into(kind),
        soci::into(location);
    if (sql.got_data()) found = {kind == "view" ? Kind::kView : Kind::kTable, location};
  });
  return found;
}

std::vector<std::string> Catalog::names(const Namespace& space, Kind kind) const {
  std::vector<std::string> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const std::string key = joined(space), word = kind_text(kind == Kind::kView);
    if (!namespace_exists(sql, warehouse_.name, key)) no_namespace(space);
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT name FROM lake_table WHERE warehouse = :warehouse AND "
                        "namespace = :namespace AND kind = :kind ORDER BY name",
         soci::use(warehouse_.name), soci::use(key), soci::use(word));
    found.assign(rows.begin(), rows.end());
  });
  return found;
}

bool Catalog::move_one(soci::session& sql, const Move& move) const {
  const std::string space = joined(move.name.space);
  if (!move.from.empty()) {
    soci::statement update =
        (sql.prepare << "UPDATE lake_table SET metadata_location = :to WHERE warehouse = "
                        ":warehouse AND namespace = :namespace AND name = :name AND "
                        "metadata_location = :from",
         soci::use(move.to), soci::use(warehouse_.name), soci::use(space),
         soci::use(move.name.name), soci::use(move.from));
    update.execute(true);
    return update.get_affected_rows() == 1;
  }
  if (!namespace_exists(sql, warehouse_.name, space)) no_namespace(move.name.space);
  std::string there;
  sql << "SELECT kind FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
         "name = :name",
      soci::use(warehouse_.name), soci::use(space), soci::use(move.name.name), soci::into(there);
  if (sql.got_data()) throw exists(move.name, there == "view");
  const std::string kind = kind_text(move.kind == Kind::kView);
  sql << "INSERT INTO lake_table VALUES (:warehouse, :namespace, :name, :kind, :location)",
      soci::use(warehouse_.name), soci::use(space), soci::use(move.name.name), soci::use(kind),
      soci::use(move.to);
  return true;
}

bool Catalog::moved(const std::vector<Move>& moves) const {
  return std::all_of(moves.begin(), moves.end(), [&](const Move& move) {
    const auto now = pointer(move.name);
    return now && now->location == move.to;
  });
}

bool Catalog::swap(const std::vector<Move>& moves, const AlsoCommit& also) {
  struct Lost {};
  try {
    database_.write([&](soci::session& sql) {
      for (const Move& move : moves) {
        if (!move_one(sql, move)) throw Lost();
      }
      if (also) also(sql);
    });
    return true;
  } catch (const Lost&) {
    return false;
  } catch (const Error& error) {
    // A connection lost on the way back from COMMIT does not tell; the pointers do.
    if (error.kind() == ErrorKind::kUser || !moved(moves)) throw;
    return true;
  }
}

void Catalog::move_name(const Identifier& from, const Identifier& to, Kind kind) {
  check_name(to);
  database_.write([&](soci::session& sql) {
    const std::string space = joined(from.space), new_space = joined(to.space);
    const std::string word = kind_text(kind == Kind::kView);
    std::string location;
    sql << "SELECT metadata_location FROM lake_table WHERE warehouse = :warehouse AND namespace = "
           ":namespace AND name = :name AND kind = :kind",
        soci::use(warehouse_.name), soci::use(space), soci::use(from.name), soci::use(word),
        soci::into(location);
    if (!sql.got_data()) not_found(from, kind);
    move_one(sql, {to, kind, "", location});
    sql << "DELETE FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
           "name = :name",
        soci::use(warehouse_.name), soci::use(space), soci::use(from.name);
  });
}

void Catalog::remove_row(const Identifier& name, Kind kind) {
  database_.write([&](soci::session& sql) {
    const std::string space = joined(name.space), word = kind_text(kind == Kind::kView);
    soci::statement removal =
        (sql.prepare << "DELETE FROM lake_table WHERE warehouse = :warehouse AND namespace = "
                        ":namespace AND name = :name AND kind = :kind",
         soci::use(warehouse_.name), soci::use(space), soci::use(name.name), soci::use(word));
    removal.execute(true);
    if (removal.get_affected_rows() != 1) not_found(name, kind);
  });
}

void Catalog::not_found(const Identifier& name, Kind kind) const {
  if (kind == Kind::kTable && !has_namespace(name.space)) no_namespace(name.space);
  throw Error(
      Code::kTableNotFound,
      fmt::format("{} does not exist: {}", kind == Kind::kView ? "View" : "Table", name.display()));
}

// Tables

std::vector<std::string> Catalog::tables(const Namespace& space) const {
  return names(space, Kind::kTable);
}

std::shared_ptr<const TableMetadata> Catalog::read(const std::string& location) const {
  {
    const std::lock_guard lock(cache_mutex_);
    const auto known = cache_.find(location);
    if (known != cache_.end()) return known->second;
  }
  std::shared_ptr<const TableMetadata> metadata;
  try {
    metadata = std::make_shared<const TableMetadata>(parse_metadata(files_.read(location)));
  } catch (Error& error) {
    throw error.prefixed(location);
  }
  const std::lock_guard lock(cache_mutex_);
  if (!cache_.emplace(location, metadata).second) return metadata;
  cached_.push_back(location);
  if (cached_.size() > kMostCached) {
    cache_.erase(cached_.front());
    cached_.pop_front();
  }
  return metadata;
}

std::optional<Table> Catalog::find(const Identifier& name) const {
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kTable) return std::nullopt;
  return Table{name, there->location, read(there->location)};
}

Table Catalog::load(const Identifier& name) const {
  auto table = find(name);
  if (!table) not_found(name, Kind::kTable);
  return std::move(*table);
}

std::string Catalog::default_location(const Identifier& name) const {
  const Properties of_space = properties(name.space);
  const auto given = of_space.find("location");
  if (given != of_space.end()) return fmt::format("{}/{}", given->second, name.name);
  return fmt::format("{}/{}/{}", warehouse_.location, fmt::join(name.space, "/"), name.name);
}

Table Catalog::write(const Identifier& name, TableMetadata metadata, const Table* base) const {
  files_.check(metadata.location + "/metadata");
  const std::string previous = base ? base->metadata_location : "";
  Table table{name, next_metadata_location(metadata, previous), nullptr};
  files_.write(table.metadata_location, metadata_json(metadata), kJson);
  table.metadata = std::make_shared<const TableMetadata>(std::move(metadata));
  return table;
}

Table Catalog::create(const Identifier& name, const TableMetadata& metadata,
                      const AlsoCommit& also) {
  check_name(name);
  if (const auto there = pointer(name)) throw exists(name, there->kind == Kind::kView);
  if (!has_namespace(name.space)) no_namespace(name.space);
  Table table = write(name, metadata, nullptr);
  try {
    swap({{name, Kind::kTable, "", table.metadata_location}}, also);
  } catch (...) {
    files_.remove({table.metadata_location});
    throw;
  }
  return table;
}

std::vector<std::unique_lock<std::mutex>> Catalog::take_turns(
    const std::vector<TableChange>& changes) {
  std::set<size_t> places;
  for (const auto& change : changes) {
    places.insert(std::hash<std::string>()(change.table.display()) % turns_.size());
  }
  std::vector<std::unique_lock<std::mutex>> turns;
  for (const size_t place : places) turns.emplace_back(turns_[place]);
  return turns;
}

bool Catalog::attempt(const std::vector<TableChange>& changes, const AlsoCommit& also,
                      std::vector<Table>& done) {
  std::vector<Move> moves;
  std::vector<std::pair<Table, Table>> replaced;  // before, after
  std::vector<std::string> written;
  done.clear();
  try {
    for (const TableChange& change : changes) {
      Table before = load(change.table);
      TableMetadata made = change.make(before);
      if (made == *before.metadata) {
        done.push_back(std::move(before));
        continue;
      }
      Table after = write(change.table, std::move(made), &before);
      written.push_back(after.metadata_location);
      moves.push_back(
          {change.table, Kind::kTable, before.metadata_location, after.metadata_location});
      done.push_back(after);
      replaced.emplace_back(std::move(before), std::move(after));
    }
    if (moves.empty() && !also) return true;
    if (!swap(moves, also)) {
      files_.remove(written);
      return false;
    }
  } catch (...) {
    files_.remove(written);
    throw;
  }
  for (const auto& [before, after] : replaced) {
    drop_old_metadata(*before.metadata, *after.metadata);
  }
  return true;
}

std::vector<Table> Catalog::commit(const std::vector<TableChange>& changes,
                                   const AlsoCommit& also) {
  const auto turns = take_turns(changes);
  std::vector<Table> done;
  for (int tries = 0; tries < kMostAttempts; ++tries) {
    if (attempt(changes, also, done)) return done;
    // Only another process can have been faster: give it room.
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(1 << std::min(tries, 7), 100)));
  }
  throw Error(Code::kIcebergCommitError,
              fmt::format("Cannot commit to {}: other commits have been faster {} times",
                          changes.front().table.display(), kMostAttempts))
      .with_hint("try again when fewer writers are at work on the table");
}

void Catalog::drop_old_metadata(const TableMetadata& before, const TableMetadata& after) const {
  const auto wanted = after.properties.find("write.metadata.delete-after-commit.enabled");
  if (wanted == after.properties.end() || wanted->second != "true") return;
  std::set<std::string> kept;
  for (const auto& entry : after.metadata_log) kept.insert(entry.metadata_file);
  std::vector<std::string> gone;
  for (const auto& entry : before.metadata_log) {
    if (!kept.contains(entry.metadata_file)) gone.push_back(entry.metadata_file);
  }
  try {
    files_.remove(gone);
  } catch (const std::exception& error) {  // the commit stands; orphan removal finds them
    log::warn("old metadata files could not be removed",
              {{"table", after.location}, {"error", error.what()}});
  }
}

Table Catalog::drop(const Identifier& name) {
  Table table{name, "", nullptr};
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kTable) not_found(name, Kind::kTable);
  table.metadata_location = there->location;
  try {
    table.metadata = read(there->location);
  } catch (const Error& error) {  // a table that cannot be read can still be dropped
    log::warn("a table is dropped whose metadata cannot be read",
              {{"table", name.display()}, {"error", error.what()}});
  }
  remove_row(name, Kind::kTable);
  return table;
}

void Catalog::rename(const Identifier& from, const Identifier& to) {
  move_name(from, to, Kind::kTable);
}

Table Catalog::register_table(const Identifier& name, const std::string& metadata_location,
                              bool overwrite) {
  check_name(name);
  Table table{name, metadata_location, read(metadata_location)};
  files_.check(table.metadata->location + "/metadata");
  const auto there = pointer(name);
  Move move{name, Kind::kTable, "", metadata_location};
  if (there && overwrite && there->kind == Kind::kTable) move.from = there->location;
  if (!swap({move}, nullptr)) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Cannot register {}: it was changed meanwhile", name.display()));
  }
  return table;
}

// Views

std::vector<std::string> Catalog::views(const Namespace& space) const {
  return names(space, Kind::kView);
}

std::optional<View> Catalog::find_view(const Identifier& name) const {
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kView) return std::nullopt;
  try {
    return View{
        name, there->location,
        std::make_shared<const ViewMetadata>(parse_view_metadata(files_.read(there->location)))};
  } catch (Error& error) {
    throw error.prefixed(there->location);
  }
}

View Catalog::load_view(const Identifier& name) const {
  auto view = find_view(name);
  if (!view) not_found(name, Kind::kView);
  return std::move(*view);
}

View Catalog::create_view(const Identifier& name, const ViewMetadata& metadata) {
  check_name(name);
  if (const auto there = pointer(name)) throw exists(name, there->kind == Kind::kView);
  if (!has_namespace(name.space)) no_namespace(name.space);
  files_.check(metadata.location + "/metadata");
  View view{
      name,
      fmt::format("{}/metadata/00000-{}.metadata.json", metadata.location, base::random_uuid()),
      std::make_shared<const ViewMetadata>(metadata)};
  files_.write(view.metadata_location, view_metadata_json(metadata), kJson);
  try {
    swap({{name, Kind::kView, "", view.metadata_location}}, nullptr);
  } catch (...) {
    files_.remove({view.metadata_location});
    throw;
  }
  return view;
}

View Catalog::commit_view(const Identifier& name,
                          const std::function<ViewMetadata(const ViewMetadata& base)>& make) {
  const auto turns = take_turns({{name, nullptr}});
  for (int tries = 0; tries < kMostAttempts; ++tries) {
    const View before = load_view(name);
    ViewMetadata made = make(*before.metadata);
    files_.check(made.location + "/metadata");
    const std::string& old = before.metadata_location;
    int version = 0;
    const size_t file = old.rfind('/') + 1;
    std::from_chars(old.data() + file, old.data() + old.size(), version);
    View after{name,
               fmt::format("{}/metadata/{:05}-{}.metadata.json", made.location, version + 1,
                           base::random_uuid()),
               std::make_shared<const ViewMetadata>(made)};
    files_.write(after.metadata_location, view_metadata_json(made), kJson);
    if (swap({{name, Kind::kView, old, after.metadata_location}}, nullptr)) return after;
    files_.remove({after.metadata_location});
  }
  throw Error(Code::kIcebergCommitError, fmt::format("Cannot commit to {}", name.display()));
}

void Catalog::drop_view(const Identifier& name) { remove_row(name, Kind::kView); }

void Catalog::rename_view(const Identifier& from, const Identifier& to) {
  move_name(from, to, Kind::kView);
}

}  // namespace meesh::lake
