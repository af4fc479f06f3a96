// Tables and views of the catalog: reading, committing, naming.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/uuid.h"
#include "lake/catalog.h"
#include "lake/catalog_names.h"

namespace meesh::lake {
namespace {

constexpr int kMostAttempts = 50;
constexpr const char* kJson = "application/json";

/// The number a metadata file's name begins with, -1 if there is none.
int version_of(const std::string& location) {
  const size_t file = location.rfind('/') + 1;
  int version = -1;
  std::from_chars(location.data() + file, location.data() + location.size(), version);
  return version >= 0 && version < 1'000'000'000 ? version : -1;
}

/// <location>/metadata/00003-<uuid>.metadata.json, one version after `previous` ("" = 00000).
std::string next_metadata_location(const std::string& location, const Properties& properties,
                                   const std::string& previous) {
  const auto given = properties.find("write.metadata.path");
  const std::string folder =
      given != properties.end() ? without_slashes(given->second) : location + "/metadata";
  return fmt::format("{}/{:05}-{}.metadata.json", folder, version_of(previous) + 1,
                     base::random_uuid());
}

}  // namespace

// Tables

std::vector<std::string> Catalog::tables(const Namespace& space) const {
  return names(space, Kind::kTable);
}

std::shared_ptr<const TableMetadata> Catalog::read(const std::string& location) const {
  if (auto known = cache_.find(location)) return known;
  try {
    const std::string json = files_.read(location);
    auto metadata = std::make_shared<const TableMetadata>(parse_metadata(json));
    cache_.keep(location, metadata, json.size());
    return metadata;
  } catch (Error& error) {
    throw error.prefixed(location);
  }
}

std::optional<Table> Catalog::find(const Identifier& name) const {
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kTable) return std::nullopt;
  return Table{name, there->location, read(there->location)};
}

Table Catalog::load(const Identifier& name) const {
  auto table = find(name);
  if (!table) not_found(name, false);
  return std::move(*table);
}

std::string Catalog::default_location(const Identifier& name) const {
  const Properties of_space = properties(name.space);
  const auto given = of_space.find("location");
  if (given != of_space.end()) {
    return fmt::format("{}/{}", without_slashes(given->second), name.name);
  }
  return fmt::format("{}/{}/{}", warehouse_.location, fmt::join(name.space, "/"), name.name);
}

Table Catalog::write(const Identifier& name, TableMetadata metadata, const Table* base) const {
  check_location(metadata.location);
  files_.check(metadata.location + "/metadata");
  const std::string previous = base ? base->metadata_location : "";
  Table table{name, next_metadata_location(metadata.location, metadata.properties, previous),
              nullptr};
  const std::string json = metadata_json(metadata);
  files_.write(table.metadata_location, json, kJson);
  table.metadata = std::make_shared<const TableMetadata>(std::move(metadata));
  cache_.keep(table.metadata_location, table.metadata, json.size());
  return table;
}

void Catalog::check_new(const Identifier& name, Kind kind) const {
  check_name(name);
  if (const auto there = pointer(name)) {
    throw already_exists(name, kind == Kind::kView, there->kind == Kind::kView);
  }
  if (!has_namespace(name.space)) no_namespace(name.space);
}

void Catalog::check_new(const Identifier& name) const { check_new(name, Kind::kTable); }

Table Catalog::create(const Identifier& name, const TableMetadata& metadata, const AlsoCommit& also,
                      bool instead_of_view) {
  const auto view = instead_of_view ? find_view(name) : std::nullopt;
  if (!view) check_new(name);
  Table table = write(name, metadata, nullptr);
  try {
    const std::string from = view ? view->metadata_location : "";
    if (!swap({{name, Kind::kTable, from, table.metadata_location}}, also))
      throw Error(Code::kIcebergCommitError, "the view has changed meanwhile: " + name.display());
  } catch (const CommitStateUnknown&) {
    throw;
  } catch (...) {
    discard({table.metadata_location});
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
      discard(written);
      return false;
    }
  } catch (const CommitStateUnknown&) {
    throw;
  } catch (...) {
    discard(written);
    throw;
  }
  for (const auto& [before, after] : replaced) {
    cache_.erase(before.metadata_location);
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
    // The log says what its writer liked: only what can be metadata of this table goes.
    const std::string& file = entry.metadata_file;
    if (!kept.contains(file) && file.ends_with(".metadata.json") &&
        lies_below(file, after.location + "/metadata")) {
      gone.push_back(file);
    }
  }
  try {
    files_.remove(gone);
  } catch (const std::exception& error) {  // the commit stands; orphan removal finds them
    log::warn("old metadata files could not be removed",
              {{"table", after.location}, {"error", error.what()}});
  }
}

Table Catalog::drop(const Identifier& name, const AlsoCommit& also) {
  Table table{name, "", nullptr};
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kTable) not_found(name, false);
  table.metadata_location = there->location;
  try {
    table.metadata = read(there->location);
  } catch (const Error& error) {  // a table that cannot be read can still be dropped
    log::warn("a table is dropped whose metadata cannot be read",
              {{"table", name.display()}, {"error", error.what()}});
  }
  remove_row(name, Kind::kTable, also);
  return table;
}

void Catalog::rename(const Identifier& from, const Identifier& to, const AlsoCommit& also) {
  move_name(from, to, Kind::kTable, also);
}

Table Catalog::register_table(const Identifier& name, const std::string& metadata_location,
                              bool overwrite, const AlsoCommit& also) {
  check_name(name);
  cache_.erase(metadata_location);  // another engine may have made it anew under the same name
  Table table{name, metadata_location, read(metadata_location)};
  check_location(table.metadata->location);
  files_.check(table.metadata->location + "/metadata");
  const auto there = pointer(name);
  Move move{name, Kind::kTable, "", metadata_location};
  if (there && overwrite && there->kind == Kind::kTable) move.from = there->location;
  if (!swap({move}, also)) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Cannot register {}: it was changed meanwhile", name.display()));
  }
  return table;
}

// Views

std::vector<std::string> Catalog::views(const Namespace& space) const {
  return names(space, Kind::kView);
}

View Catalog::read_view(const Identifier& name, const std::string& location) const {
  try {
    return View{name, location,
                std::make_shared<const ViewMetadata>(parse_view_metadata(files_.read(location)))};
  } catch (Error& error) {
    throw error.prefixed(location);
  }
}

View Catalog::write_view(const Identifier& name, const ViewMetadata& metadata,
                         const std::string& previous) const {
  files_.check(metadata.location + "/metadata");
  View view{name, next_metadata_location(metadata.location, metadata.properties, previous),
            std::make_shared<const ViewMetadata>(metadata)};
  files_.write(view.metadata_location, view_metadata_json(metadata), kJson);
  return view;
}

std::optional<View> Catalog::find_view(const Identifier& name) const {
  const auto there = pointer(name);
  if (!there || there->kind != Kind::kView) return std::nullopt;
  return read_view(name, there->location);
}

View Catalog::load_view(const Identifier& name) const {
  auto view = find_view(name);
  if (!view) not_found(name, true);
  return std::move(*view);
}

View Catalog::create_view(const Identifier& name, const ViewMetadata& metadata,
                          const AlsoCommit& also) {
  check_new(name, Kind::kView);
  View view = write_view(name, metadata, "");
  try {
    swap({{name, Kind::kView, "", view.metadata_location}}, also);
  } catch (const CommitStateUnknown&) {
    throw;
  } catch (...) {
    discard({view.metadata_location});
    throw;
  }
  return view;
}

View Catalog::register_view(const Identifier& name, const std::string& metadata_location,
                            const AlsoCommit& also) {
  check_name(name);
  View view = read_view(name, metadata_location);
  files_.check(view.metadata->location + "/metadata");
  swap({{name, Kind::kView, "", metadata_location}}, also);
  return view;
}

View Catalog::commit_view(const Identifier& name,
                          const std::function<ViewMetadata(const ViewMetadata& base)>& make,
                          const AlsoCommit& also) {
  const auto turns = take_turns({{name, nullptr}});
  for (int tries = 0; tries < kMostAttempts; ++tries) {
    const View before = load_view(name);
    const std::string& old = before.metadata_location;
    View after = write_view(name, make(*before.metadata), old);
    if (swap({{name, Kind::kView, old, after.metadata_location}}, also)) return after;
    discard({after.metadata_location});
  }
  throw Error(Code::kIcebergCommitError, fmt::format("Cannot commit to {}", name.display()));
}

void Catalog::drop_view(const Identifier& name, const AlsoCommit& also) {
  remove_row(name, Kind::kView, also);
}

void Catalog::rename_view(const Identifier& from, const Identifier& to, const AlsoCommit& also) {
  move_name(from, to, Kind::kView, also);
}

}  // namespace meesh::lake
