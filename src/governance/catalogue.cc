#include "governance/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "base/log.h"
#include "base/text.h"
#include "governance/catalogue_lineage.h"
#include "net/http.h"

namespace meesh::governance {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 1s;  // between two looks at statements that ended
// In milliseconds. Catalogs that tell nobody of changes are looked at every kAllEvery, and rarely
// when nobody asked for kLonely.
constexpr int64_t kToldEvery = 1'000, kAllEvery = 30'000, kAllWhenLonely = 600'000;
constexpr int64_t kAskAgain = 1'000, kLonely = 300'000, kFlushEvery = 10'000;
constexpr auto kFlock = 200ms;          // changes come together: one look for those of a moment
constexpr size_t kMostSql = 256 << 10;  // longer statements are not read for their tables
constexpr int kDaysOfWeight = 30, kMadeUp = 25;
constexpr size_t kMostWeighed = 5000;
constexpr const char* kOwnUser = "meesh";

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// TPC-H's tables are for trying things out: what people work with comes before them.
bool is_made_up(const mesh::Mesh& mesh, const std::string& catalog) {
  return std::ranges::any_of(mesh.catalogs, [&](const mesh::ExtraCatalog& extra) {
    return extra.name == catalog && extra.kind == mesh::ExtraCatalog::Kind::kTpch;
  });
}

/// Catalogs whose changes are told: the others are looked at again and again.
bool tells(const mesh::Mesh& mesh, const std::string& catalog) {
  if (catalog == mesh.lake.catalog || catalog == "hive") return true;
  return std::ranges::any_of(mesh.domains, [&](const mesh::Domain& domain) {
    return domain.lake && domain.lake->catalog == catalog;
  });
}

/// Of what tells that a table's shape changed.
std::string shape_of(const TableFact& table) {
  std::string shape = table.kind + table.comment;
  for (const auto& column : table.columns)
    shape += "\n" + column.name + " " + column.type + " " + column.comment;
  return fmt::format("{:x}", base::checksum(shape));
}

template <class F>
void quietly(const char* what, F&& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log::warn(what, {{"error", error.what()}});
  }
}

}  // namespace

Catalogue::Catalogue(engine::Engine& engine, meta::Database& database, const mesh::Mesh& mesh,
                     CatalogueOptions options)
    : engine_(engine),
      database_(database),
      mesh_(mesh),
      options_(std::move(options)),
      files_(mesh),
      usage_(database),
      inherited_(std::make_shared<const Inheritance>()) {}

Catalogue::~Catalogue() { stop(); }

void Catalogue::start() {
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Catalogue::stop() {
  if (!worker_.joinable()) return;
  worker_.request_stop();
  worker_.join();
  quietly("usage counts could not be written", [&] { usage_.flush(); });
}

void Catalogue::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  wake_.notify_all();
}

bool Catalogue::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}

int64_t Catalogue::refreshed_ms() const {
  const std::lock_guard lock(mutex_);
  return refreshed_ms_;
}

void Catalogue::work(const std::stop_token& stop) {
  // In milliseconds since 1970: when to look at changed tables next, when everything
  // was looked at, and ten times what that took: a large mesh is looked at less often.
  int64_t next_told = 0, last_all = 0, took = 0, next_flush = now_ms() + kFlushEvery;
  bool told = false;
  for (bool first = true; !stop.stop_requested(); first = false) {
    bool lonely = false;
    {
      std::unique_lock lock(mutex_);
      if (!first) wake_.wait_for(lock, stop, kTick, [&] { return changed_ && !told; });
      if (stop.stop_requested()) return;
      told |= std::exchange(changed_, false);
      lonely = now_ms() - asked_ms_ > kLonely;
    }
    if (told && !first) pause(stop);
    quietly("the catalogue could not be brought up to date", [&] {
      const int64_t begin = now_ms();
      const int64_t due = last_all + std::max(lonely ? kAllWhenLonely : kAllEvery, took);
      const bool all = files_.refresh() || begin >= due;
      if (!all && !(told && begin >= next_told)) return;
      told = false;
      refresh_origins();
      refresh_catalogs(all, stop);
      const int64_t spent = 10 * (now_ms() - begin);
      next_told = begin + std::max(kToldEvery, spent / 4);
      if (!all) return;
      last_all = begin;
      took = spent;
    });
    quietly("statements could not be counted", [&] { count_statements(); });
    if (now_ms() < next_flush) continue;
    next_flush = now_ms() + kFlushEvery;
    quietly("usage counts could not be written", [&] { usage_.flush(); });
  }
}

void Catalogue::pause(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, kFlock, [] { return false; });
  changed_ = false;
}

void Catalogue::refresh() {
  files_.refresh();
  refresh_origins();
  refresh_catalogs(true, {});
}

void Catalogue::noted(const std::string& asset) {
  std::string catalog;
  std::vector<TableFact> tables;
  {
    const std::lock_guard lock(mutex_);
    if (const auto place = places_.find(asset); place != places_.end()) {
      catalog = place->second.first;
      tables = catalogs_.at(catalog);
    }
  }
  if (catalog.empty()) return refresh_origins();
  const std::lock_guard refreshing(refreshing_);
  index_catalog(catalog, tables);
}

void Catalogue::refresh_catalogs(bool all, const std::stop_token& stop) {
  const std::lock_guard refreshing(refreshing_);
  const auto names = engine_.catalogs();
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [catalog, tables] : catalogs_) {
      if (std::ranges::find(names, catalog) == names.end()) gone.push_back(catalog);
    }
  }
  for (const auto& catalog : gone) index_catalog(catalog, {});
  for (const auto& catalog : names) {
    if (stop.stop_requested()) return;
    if (catalog == "system" || (!all && !tells(mesh_, catalog))) continue;
    // TPC-H's tables never change.
    if (is_made_up(mesh_, catalog) && indexed(catalog)) continue;
    try {
      index_catalog(catalog, tables_of(engine_, catalog, stop));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInternal)
        log::warn("a catalog could not be read", {{"catalog", catalog}, {"error", error.what()}});
    }
  }
  const std::lock_guard lock(mutex_);
  ready_ = true;
  refreshed_ms_ = now_ms();
}

bool Catalogue::indexed(const std::string& catalog) const {
  const std::lock_guard lock(mutex_);
  return catalogs_.contains(catalog);
}

std::map<std::string, int> Catalogue::weights() {
  std::map<std::string, int> out;
  for (const auto& one : usage_.most_used(kDaysOfWeight, kMostWeighed))
    out[one.asset] = std::min<int>(10, std::bit_width(one.statements));
  return out;
}

void Catalogue::index_catalog(const std::string& catalog, const std::vector<TableFact>& tables) {
  const auto notes = files_.now();
  const auto weights = this->weights();
  const bool made_up = is_made_up(mesh_, catalog);
  std::vector<SearchEntry> entries;
  {
    const std::lock_guard lock(mutex_);
    auto& seen = seen_[catalog];
    const bool first = !catalogs_.contains(catalog);
    std::erase_if(places_, [&](const auto& one) { return one.second.first == catalog; });
    for (size_t i = 0; i < tables.size(); ++i) places_[tables[i].name] = {catalog, i};
    std::map<std::string, int64_t> now;
    for (const auto& table : tables) {
      const std::string key = table.name + " " + shape_of(table);
      const auto known = seen.find(key);
      now[key] = known != seen.end() ? known->second : first ? 0 : now_ms();
    }
    seen = std::move(now);
    catalogs_[catalog] = tables;
    for (const auto& table : tables) {
      entries.push_back(entry_of(table, *notes));
      if (const auto weight = weights.find(table.name); weight != weights.end())
        entries.back().weight = weight->second;
      if (made_up) entries.back().weight -= kMadeUp;
      entries.back().changed_ms = seen.at(table.name + " " + shape_of(table));
    }
  }
  index_.replace("catalog " + catalog, std::move(entries));
}

Ownership Catalogue::ownership(const std::string& asset) const {
  Ownership out;
  std::string team;
  for (const auto& domain : mesh_.domains) {
    const auto of = [&](const std::string& catalog) { return asset.starts_with(catalog + "."); };
    if (of(domain.catalog) || (domain.lake && of(domain.lake->catalog))) {
      out.domain = domain.name;
      team = domain.owner.team;
    }
  }
  const auto notes = files_.now();
  if (const AssetNote* note = notes->asset(asset); note && !note->owner.empty()) {
    out.owner = note->owner;
  } else if (!team.empty()) {
    out.owner = team;
    out.of_domain = true;
  }
  return out;
}

void Catalogue::annotate(SearchEntry& entry, const std::string& asset, const Notes& notes) const {
  const Ownership ownership = this->ownership(asset);
  if (entry.domain.empty()) entry.domain = ownership.domain;
  if (!ownership.owner.empty() && (entry.owner.empty() || !ownership.of_domain))
    entry.owner = ownership.owner;
  const AssetNote* note = notes.asset(asset);
  if (!note) return;
  if (!note->description.empty()) entry.description = note->description;
  const auto add = [&](const std::vector<std::string>& words) {
    for (const auto& word : words) {
      if (std::ranges::find(entry.tags, word) == entry.tags.end()) entry.tags.push_back(word);
    }
  };
  add(note->tags);
  add(note->terms);
  if (!note->tier.empty()) add({"Tier." + note->tier});
  for (const auto& [name, column] : note->columns) {
    add(column.tags);
    add(column.terms);
    if (!column.description.empty()) entry.columns += name + ": " + column.description + " ";
  }
}

SearchEntry Catalogue::entry_of(const TableFact& table, const Notes& notes) const {
  SearchEntry entry;
  entry.kind = table.kind;
  entry.name = table.name;
  entry.description = table.comment;
  entry.url = "/catalogue/" + net::percent_encode(table.name);
  // What the pipeline that makes it says of it.
  if (const auto maker = index_.find("asset", table.name)) {
    if (entry.description.empty()) entry.description = maker->description;
    entry.tags = maker->tags;
  }
  for (const auto& column : table.columns)
    entry.columns += column.name + (column.comment.empty() ? " " : " " + column.comment + " ");
  annotate(entry, table.name, notes);
  return entry;
}

void Catalogue::refresh_origin(const std::string& origin, const Notes& notes) {
  quietly("a part of the mesh could not be indexed", [&] {
    auto entries = options_.origins.at(origin)();
    for (auto& entry : entries) annotate(entry, entry.kind + ":" + entry.name, notes);
    index_.replace(origin, std::move(entries));
  });
}

void Catalogue::refresh_origins() {
  const auto notes = files_.now();
  for (const auto& [origin, read] : options_.origins) refresh_origin(origin, *notes);
  index_terms();
}

void Catalogue::origin_changed(const std::string& origin) { refresh_origin(origin, *files_.now()); }

void Catalogue::index_terms() {
  std::vector<SearchEntry> entries;
  for (const auto& [name, term] : files_.now()->terms) {
    SearchEntry entry;
    entry.kind = "term";
    entry.name = name;
    entry.description = term.definition;
    entry.owner = term.owner;
    entry.url = "/catalogue/glossary?term=" + net::percent_encode(name);
    for (const auto& synonym : term.synonyms) entry.columns += synonym + " ";
    entries.push_back(std::move(entry));
  }
  index_.replace("glossary", std::move(entries));
}

SearchAnswer Catalogue::search(const SearchQuery& query) {
  {
    const std::lock_guard lock(mutex_);
    asked_ms_ = now_ms();
  }
  return index_.search(query);
}

std::optional<TableFact> Catalogue::table(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  asked_ms_ = now_ms();
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return catalogs_.at(place->second.first).at(place->second.second);
}

std::optional<TableFact> Catalogue::find_table(const std::string& name) {
  if (auto known = table(name)) return known;
  const std::string catalog = name.substr(0, name.find('.'));
  const auto all = engine_.catalogs();
  if (catalog == "system" || std::ranges::find(all, catalog) == all.end()) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    auto& last = asked_for_[catalog];
    if (now_ms() - last < kAskAgain) return std::nullopt;
    last = now_ms();
  }
  try {
    const std::lock_guard refreshing(refreshing_);
    if (auto known = table(name)) return known;
    index_catalog(catalog, tables_of(engine_, catalog, {}));
  } catch (const Error& error) {
    log::debug("a catalog could not be read", {{"catalog", catalog}, {"error", error.what()}});
  }
  return table(name);
}

std::vector<TableFact> Catalogue::tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<TableFact> all;
  for (const auto& [catalog, tables] : catalogs_)
    all.insert(all.end(), tables.begin(), tables.end());
  return all;
}

std::shared_ptr<const Inheritance> Catalogue::inherited() {
  const uint64_t version = lineage_version(database_);
  const auto notes = files_.now();
  {
    const std::lock_guard lock(mutex_);
    if (inherited_of_ == std::pair(version, notes)) return inherited_;
  }
  auto fresh =
      std::make_shared<const Inheritance>(propagate(notes->assets, column_edges(database_)));
  const std::lock_guard lock(mutex_);
  inherited_ = fresh;
  inherited_of_ = {version, notes};
  return fresh;
}

void Catalogue::count_statements() {
  if (!options_.tables_read) return;
  std::set<std::string> ended;
  for (const auto& query : engine_.queries()) {
    if (query.state != engine::QueryState::kFinished && query.state != engine::QueryState::kFailed)
      continue;
    ended.insert(query.id);
    // What our own rooms ask is no use by anybody.
    if (counted_.contains(query.id) || query.state == engine::QueryState::kFailed ||
        query.user == kOwnUser || query.text.size() > kMostSql)
      continue;
    try {
      std::vector<std::string> tables;
      for (auto table : options_.tables_read(query.text, query.catalog, query.schema)) {
        if (const size_t mark = table.find('$'); mark != std::string::npos) table.resize(mark);
        const bool own =
            table.starts_with("system.") || table.find(".information_schema.") != std::string::npos;
        if (!own && std::ranges::find(tables, table) == tables.end())
          tables.push_back(std::move(table));
      }
      const int64_t at =
          std::chrono::duration_cast<std::chrono::milliseconds>(query.ended.time_since_epoch())
              .count();
      usage_.count(tables, query.user, at);
    } catch (const Error&) {
      continue;  // words that are no SQL of ours
    }
  }
  counted_ = std::move(ended);
}

}  // namespace meesh::governance
