#include "lake/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/log.h"
#include "lake/catalog_names.h"

namespace meesh::lake {
namespace {

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

const char* kind_text(bool view) { return view ? "view" : "table"; }

/// "table", "view", or "" if nothing has the name.
std::string kind_at(soci::session& sql, const std::string& warehouse, const Identifier& name) {
  const std::string space = joined(name.space);
  std::string kind;
  sql << "SELECT kind FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
         "name = :name",
      soci::use(warehouse), soci::use(space), soci::use(name.name), soci::into(kind);
  return sql.got_data() ? kind : "";
}

bool namespace_exists(soci::session& sql, const std::string& warehouse, const std::string& name) {
  int count = 0;
  sql << "SELECT count(*) FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
      soci::use(warehouse), soci::use(name), soci::into(count);
  return count > 0;
}

}  // namespace

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

std::string Catalog::location(const Namespace& name) const {
  if (!name.empty() && has_namespace(name)) {
    const Properties known = properties(name);
    const auto given = known.find("location");
    if (given != known.end() && !given->second.empty()) return without_slashes(given->second);
  }
  std::string place = warehouse_.location;
  for (const std::string& level : name) place += "/" + level;
  return place;
}

// Trino asks for the location: without one it makes a table first and then finds its folder in use.
Properties Catalog::with_location(const Namespace& name, Properties properties) const {
  std::string& location = properties["location"];
  location = without_slashes(location);
  if (location.empty()) {
    location = fmt::format("{}/{}", warehouse_.location, fmt::join(name, "/"));
  }
  check_location(location);
  files_.check(location + "/metadata");
  return properties;
}

void Catalog::insert_namespace(soci::session& sql, const Namespace& name,
                               Properties properties) const {
  const std::string key = joined(name);
  const std::string text = properties_text(with_location(name, std::move(properties)));
  sql << "INSERT INTO lake_namespace VALUES (:warehouse, :name, :properties)",
      soci::use(warehouse_.name), soci::use(key), soci::use(text);
}

void Catalog::create_namespace(const Namespace& name, const Properties& properties,
                               const AlsoCommit& also) {
  check_name(name);
  database_.write([&](soci::session& sql) {
    if (namespace_exists(sql, warehouse_.name, joined(name))) {
      throw Error(Code::kSchemaAlreadyExists,
                  fmt::format("Namespace already exists: {}", display(name)));
    }
    Namespace ancestor;
    for (const auto& level : name) {
      ancestor.push_back(level);
      if (ancestor.size() == name.size()) break;
      if (namespace_exists(sql, warehouse_.name, joined(ancestor))) continue;
      insert_namespace(sql, ancestor, {});
    }
    insert_namespace(sql, name, properties);
    if (also) also(sql);
  });
}

void Catalog::drop_namespace(const Namespace& name, const AlsoCommit& also) {
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
    if (also) also(sql);
  });
}

void Catalog::set_properties(const Namespace& name, const std::function<void(Properties&)>& edit,
                             const AlsoCommit& also) {
  database_.write([&](soci::session& sql) {
    const std::string key = joined(name);
    std::string text;
    sql << "SELECT properties FROM lake_namespace WHERE warehouse = :warehouse AND name = :name",
        soci::use(warehouse_.name), soci::use(key), soci::into(text);
    if (!sql.got_data()) no_namespace(name);
    Properties properties = parse_properties(text);
    edit(properties);
    text = properties_text(with_location(name, std::move(properties)));
    sql << "UPDATE lake_namespace SET properties = :text WHERE warehouse = :warehouse AND "
           "name = :name",
        soci::use(text), soci::use(warehouse_.name), soci::use(key);
    if (also) also(sql);
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
  const bool view = move.kind == Kind::kView;
  const std::string kind = kind_text(view);
  if (!move.from.empty()) {
    soci::statement update =
        (sql.prepare << "UPDATE lake_table SET metadata_location = :to, kind = :kind WHERE "
                        "warehouse = :warehouse AND namespace = :namespace AND name = :name AND "
                        "metadata_location = :from",
         soci::use(move.to), soci::use(kind), soci::use(warehouse_.name), soci::use(space),
         soci::use(move.name.name), soci::use(move.from));
    update.execute(true);
    return update.get_affected_rows() == 1;
  }
  if (!namespace_exists(sql, warehouse_.name, space)) no_namespace(move.name.space);
  const std::string there = kind_at(sql, warehouse_.name, move.name);
  if (!there.empty()) throw already_exists(move.name, view, there == "view");
  sql << "INSERT INTO lake_table VALUES (:warehouse, :namespace, :name, :kind, :location)",
      soci::use(warehouse_.name), soci::use(space), soci::use(move.name.name), soci::use(kind),
      soci::use(move.to);
  return true;
}

bool Catalog::moved(const std::vector<Move>& moves) const {
  return std::all_of(moves.begin(), moves.end(), [&](const Move& move) {
    const auto now = pointer(move.name);
    if (!now) return false;
    if (now->location == move.to) return true;
    if (move.kind == Kind::kView) return false;
    // Somebody may have committed on top since.
    const auto& log = read(now->location)->metadata_log;
    return std::any_of(log.begin(), log.end(),
                       [&](const auto& entry) { return entry.metadata_file == move.to; });
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
    for (const Move& move : moves) tell(move.name);
    return true;
  } catch (const Lost&) {
    return false;
  } catch (const Error& error) {
    // SQLite has rolled back. A PostgreSQL that was lost may have committed: the pointers tell that
    // it has, but not that it has not, as it may still be at it.
    if (error.kind() == ErrorKind::kUser || database_.backend() == meta::Backend::kSqlite) throw;
    const std::string why = error.message();
    try {
      if (!moves.empty() && moved(moves)) {
        for (const Move& move : moves) tell(move.name);
        return true;
      }
    } catch (const Error&) {  // it is still away
    }
    throw CommitStateUnknown(Code::kUnavailable,
                             fmt::format("it is not known whether the commit was done: {}", why));
  }
}

void Catalog::tell(const Identifier& name) const {
  if (observer_) observer_(name);
}

void Catalog::discard(const std::vector<std::string>& files) const {
  try {
    files_.remove(files);
  } catch (const std::exception& error) {  // orphan removal finds them
    log::warn("files of a commit that was not done could not be removed",
              {{"warehouse", warehouse_.name}, {"error", error.what()}});
  }
}

void Catalog::move_name(const Identifier& from, const Identifier& to, Kind kind,
                        const AlsoCommit& also) {
  check_name(to);
  database_.write([&](soci::session& sql) {
    const std::string space = joined(from.space), new_space = joined(to.space);
    const std::string word = kind_text(kind == Kind::kView);
    std::string location;
    sql << "SELECT metadata_location FROM lake_table WHERE warehouse = :warehouse AND namespace = "
           ":namespace AND name = :name AND kind = :kind",
        soci::use(warehouse_.name), soci::use(space), soci::use(from.name), soci::use(word),
        soci::into(location);
    if (!sql.got_data()) not_found(from, kind == Kind::kView);
    const std::string there = kind_at(sql, warehouse_.name, to);
    if (!there.empty()) {
      throw Error(Code::kTableAlreadyExists,
                  fmt::format("Cannot rename {} to {}. {} already exists", from.display(),
                              to.display(), there == "view" ? "View" : "Table"));
    }
    move_one(sql, {to, kind, "", location});
    sql << "DELETE FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
           "name = :name",
        soci::use(warehouse_.name), soci::use(space), soci::use(from.name);
    if (also) also(sql);
  });
  tell(from);
  tell(to);
}

void Catalog::remove_row(const Identifier& name, Kind kind, const AlsoCommit& also) {
  database_.write([&](soci::session& sql) {
    const std::string space = joined(name.space), word = kind_text(kind == Kind::kView);
    soci::statement removal =
        (sql.prepare << "DELETE FROM lake_table WHERE warehouse = :warehouse AND namespace = "
                        ":namespace AND name = :name AND kind = :kind",
         soci::use(warehouse_.name), soci::use(space), soci::use(name.name), soci::use(word));
    removal.execute(true);
    if (removal.get_affected_rows() != 1) not_found(name, kind == Kind::kView);
    if (also) also(sql);
  });
  tell(name);
}

}  // namespace meesh::lake
