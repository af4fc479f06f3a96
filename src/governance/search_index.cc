#include "governance/search_index.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "sql/lexer.h"

namespace meesh::governance {
namespace {

// Up to here all that is found is ranked by BM25. Words that more entries have say next to nothing,
// and ranking them would cost more than a keystroke may: their names decide.
constexpr size_t kMostRanked = 4000;
constexpr size_t kMostByName = 2000;
constexpr size_t kBatch = 200;  // changes between two chances for searches
constexpr size_t kInlineTags = 8, kMostOfFacet = 30;
constexpr size_t kMostWords = 12;
constexpr size_t kSnippet = 140;

constexpr size_t kOrders = 6;
constexpr int kPlaceBits = 40;

/// What people look for first, where words alone do not tell.
int order_of(const std::string& kind) {
  static const std::map<std::string, int> kOrder{
      {"product", 0},           {"dashboard", 1}, {"table", 2},    {"view", 2},
      {"materialized_view", 2}, {"term", 3},      {"pipeline", 4}, {"stream", 4}};
  const auto found = kOrder.find(kind);
  return found == kOrder.end() ? 5 : found->second;
}

class Statement {
 public:
  Statement(sqlite3* database, const char* text) : database_(database) {
    if (sqlite3_prepare_v2(database, text, -1, &statement_, nullptr) != SQLITE_OK)
      internal_error(std::string("search index: ") + sqlite3_errmsg(database));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// The text must live until the next step.
  Statement& bind(int at, std::string_view text) {
    sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int at, int64_t number) {
    sqlite3_bind_int64(statement_, at, number);
    return *this;
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE)
      internal_error(std::string("search index: ") + sqlite3_errmsg(database_));
    sqlite3_reset(statement_);
    return false;
  }
  int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// As the index takes texts apart, except for letters beyond ASCII, which SQLite looks at.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty() && words.size() < kMostWords) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80) {
      word += c;
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

/// "custom" * AND "ord" *; "" if there is no word.
std::string match_of(const std::vector<std::string>& words) {
  std::string match;
  for (const auto& word : words)
    match += fmt::format("{}\"{}\" *", match.empty() ? "" : " AND ", word);
  return match;
}

/// As people type it: words by single spaces, small.
std::string typed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return sql::lower(out);
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + " ";
  return all;
}

/// A piece of the text around the first place of a word; "" if it has none of them.
std::string piece(const std::string& text, const std::vector<std::string>& words) {
  const std::string small = sql::lower(text);
  size_t at = std::string::npos;
  for (const auto& word : words) at = std::min(at, small.find(sql::lower(word)));
  if (at == std::string::npos) return "";
  size_t begin = at > 40 ? at - 40 : 0;
  const auto inside = [&](size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  while (begin > 0 && begin < at && text[begin - 1] != ' ') ++begin;
  size_t end = std::min(text.size(), begin + kSnippet);
  while (inside(end)) ++end;
  while (inside(begin)) ++begin;
  std::string out = text.substr(begin, end - begin);
  std::ranges::replace(out, '\n', ' ');
  return (begin > 0 ? "…" : "") + out + (end < text.size() ? "…" : "");
}

/// How well the name itself fits: what ranking by rare words does not see.
double name_fit(const SearchEntry& entry, const std::string& text) {
  const std::string name = sql::lower(entry.name), title = sql::lower(entry.title);
  const std::string last = name.substr(name.rfind('.') + 1);
  if (name == text || title == text || last == text) return 30;
  if (last.starts_with(text) || title.starts_with(text)) return 15;
  if (name.starts_with(text)) return 8;
  return name.find(text) != std::string::npos || title.find(text) != std::string::npos ? 4 : 0;
}

double bonus_of(const SearchEntry& entry, const std::string& text) {
  return name_fit(entry, text) + 5 - order_of(entry.kind) + entry.weight;
}

/// Texts that many entries have, as numbers.
class Names {
 public:
  uint32_t id(const std::string& text) {
    const auto [found, is_new] = ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return found->second;
  }
  size_t size() const { return texts_.size(); }

  Facet facet_of(const std::vector<uint32_t>& counts) const {
    Facet all;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != 0 && !texts_[i].empty()) all.emplace_back(texts_[i], counts[i]);
    }
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (all.size() > kMostOfFacet) all.resize(kMostOfFacet);
    return all;
  }

 private:
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string> texts_;
};

/// What facets are counted from, small enough to run through all of them.
struct Marks {
  bool there = false;
  uint32_t kind = 0, domain = 0, owner = 0, tag_count = 0;
  std::array<uint32_t, kInlineTags> tags{};
  std::vector<uint32_t> more_tags;
};

}  // namespace

struct SearchIndex::Impl {
  struct Row {
    SearchEntry entry;
    std::string origin;
  };
  /// Entries of one order_of(), by their number.
  struct Shelf {
    std::deque<Row> rows;
    std::deque<Marks> marks;
  };
  using Place = int64_t;  // the shelf, and the number there; what comes first has small ones

  std::mutex writing;  // one replace() at a time
  mutable std::mutex mutex;
  sqlite3* database = nullptr;  // guarded, as all below
  std::array<Shelf, kOrders> shelves;
  std::unordered_map<std::string, Place> places;         // by key_of()
  std::map<std::string, std::set<std::string>> origins;  // the keys each has
  Names kinds, domains, owners, tags;
  // All names in lower case, a line each, for looking inside of words; made when it is asked for.
  mutable std::string lines;
  mutable std::vector<std::pair<size_t, Place>> line_places;
  mutable bool lines_stale = true;

  Impl() {
    // Our own lock guards the connection.
    if (sqlite3_open_v2(":memory:", &database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr) != SQLITE_OK)
      internal_error("search index: SQLite cannot be opened");
    run("CREATE VIRTUAL TABLE f USING fts5(name, tags, description, columns, content='', "
        "tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')");
    run("INSERT INTO f (f, rank) VALUES ('hashsize', 16777216)");
  }
  ~Impl() { sqlite3_close(database); }

  void run(const char* text) {
    if (sqlite3_exec(database, text, nullptr, nullptr, nullptr) != SQLITE_OK)
      internal_error(std::string("search index: ") + sqlite3_errmsg(database));
  }

  static std::string key_of(const std::string& kind, const std::string& name) {
    return kind + '\0' + name;
  }
  static Shelf& shelf_of(std::array<Shelf, kOrders>& all, Place place) {
    return all[static_cast<size_t>(place >> kPlaceBits)];
  }
  static size_t number_of(Place place) {
    return static_cast<size_t>(place & ((int64_t{1} << kPlaceBits) - 1)) - 1;
  }
  const Row& row(Place place) const {
    return shelves[static_cast<size_t>(place >> kPlaceBits)].rows[number_of(place)];
  }
  const Marks& marks(Place place) const {
    return shelves[static_cast<size_t>(place >> kPlaceBits)].marks[number_of(place)];
  }

  // ---- changes
  void write(Statement& statement, Place place, const SearchEntry& entry) {
    const std::string name = entry.name + " " + entry.title;
    const std::string marked = joined(entry.tags) + entry.domain + " " + entry.owner;
    statement.bind(1, place).bind(2, name).bind(3, marked).bind(4, entry.description);
    statement.bind(5, entry.columns);
    statement.step();
  }
  void erase(const std::string& key);
  void put(const std::string& origin, const std::string& key, const SearchEntry& entry);
  Marks marks_of(const SearchEntry& entry);

  // ---- reading
  bool wanted(const SearchEntry& entry, const SearchQuery& query) const {
    if (!query.kind.empty() && entry.kind != query.kind) return false;
    if (!query.domain.empty() && entry.domain != query.domain) return false;
    if (!query.owner.empty() && entry.owner != query.owner) return false;
    if (query.without_owner && !entry.owner.empty()) return false;
    if (query.without_description && !entry.description.empty()) return false;
    return query.tag.empty() || std::ranges::find(entry.tags, query.tag) != entry.tags.end();
  }
  static bool filters(const SearchQuery& query) {
    return !query.kind.empty() || !query.domain.empty() || !query.owner.empty() ||
           !query.tag.empty() || query.without_owner || query.without_description;
  }
  /// At most so many.
  std::vector<Place> everything(size_t most = SIZE_MAX) const;
  std::vector<Place> matching(const std::string& match, bool names_only, size_t most) const;
  uint64_t count(const std::string& match) const;
  std::unordered_map<Place, double> scores(const std::string& match) const;
  void add_inside(const std::string& text, std::vector<Place>& found) const;
  void make_lines() const;
  void count_facets(SearchAnswer& answer, const std::vector<Place>& found) const;
  void rank_all(const std::string& match, const std::string& text, std::vector<Place>& found) const;
  void rank_by_name(const std::string& match, const std::string& text, const SearchQuery& query,
                    std::vector<Place>& found) const;
  SearchAnswer search(const SearchQuery& query) const;
};

// ---------------------------------------------------------------- changes

Marks SearchIndex::Impl::marks_of(const SearchEntry& entry) {
  Marks marks;
  marks.there = true;
  marks.kind = kinds.id(entry.kind);
  marks.domain = domains.id(entry.domain);
  marks.owner = owners.id(entry.owner);
  for (const auto& tag : entry.tags) {
    if (marks.tag_count < kInlineTags) {
      marks.tags[marks.tag_count++] = tags.id(tag);
    } else {
      marks.more_tags.push_back(tags.id(tag));
    }
  }
  return marks;
}

void SearchIndex::Impl::erase(const std::string& key) {
  const auto found = places.find(key);
  if (found == places.end()) return;
  Row& row = shelf_of(shelves, found->second).rows[number_of(found->second)];
  Statement statement(database,
                      "INSERT INTO f (f, rowid, name, tags, description, columns) VALUES "
                      "('delete', ?1, ?2, ?3, ?4, ?5)");
  write(statement, found->second, row.entry);
  origins[row.origin].erase(key);
  row = {};
  shelf_of(shelves, found->second).marks[number_of(found->second)] = {};
  places.erase(found);
  lines_stale = true;
}

void SearchIndex::Impl::put(const std::string& origin, const std::string& key,
                            const SearchEntry& entry) {
  erase(key);
  const auto order = static_cast<size_t>(order_of(entry.kind));
  Shelf& shelf = shelves[order];
  shelf.rows.push_back({entry, origin});
  shelf.marks.push_back(marks_of(entry));
  const Place place =
      (static_cast<Place>(order) << kPlaceBits) + static_cast<Place>(shelf.rows.size());
  Statement statement(database,
                      "INSERT INTO f (rowid, name, tags, description, columns) VALUES (?1, ?2, ?3, "
                      "?4, ?5)");
  write(statement, place, entry);
  places[key] = place;
  origins[origin].insert(key);
  lines_stale = true;
}

// ---------------------------------------------------------------- reading

std::vector<SearchIndex::Impl::Place> SearchIndex::Impl::everything(size_t most) const {
  std::vector<Place> found;
  for (size_t order = 0; order < kOrders; ++order) {
    Place place = static_cast<Place>(order) << kPlaceBits;
    for (const Marks& marks : shelves[order].marks) {
      ++place;
      if (found.size() >= most) return found;
      if (marks.there) found.push_back(place);
    }
  }
  return found;
}

std::vector<SearchIndex::Impl::Place> SearchIndex::Impl::matching(const std::string& match,
                                                                  bool names_only,
                                                                  size_t most) const {
  std::vector<Place> found;
  Statement select(database, "SELECT rowid FROM f WHERE f MATCH ?1 LIMIT ?2");
  const std::string text = names_only ? "{name} : (" + match + ")" : match;
  select.bind(1, text).bind(2, static_cast<int64_t>(most));
  while (select.step()) found.push_back(select.number(0));
  return found;
}

uint64_t SearchIndex::Impl::count(const std::string& match) const {
  Statement select(database, "SELECT count(*) FROM f WHERE f MATCH ?1");
  select.bind(1, match);
  return select.step() ? static_cast<uint64_t>(select.number(0)) : 0;
}

std::unordered_map<SearchIndex::Impl::Place, double> SearchIndex::Impl::scores(
    const std::string& match) const {
  std::unordered_map<Place, double> scores;
  Statement select(database, "SELECT rowid, bm25(f, 10.0, 6.0, 2.0, 1.0) FROM f WHERE f MATCH ?1");
  select.bind(1, match);
  while (select.step()) scores[select.number(0)] = -select.real(1);
  return scores;
}

void SearchIndex::Impl::make_lines() const {
  if (!lines_stale) return;
  lines.clear();
  line_places.clear();
  for (const Place place : everything()) {
    const SearchEntry& entry = row(place).entry;
    line_places.emplace_back(lines.size(), place);
    lines += sql::lower(entry.name);
    if (!entry.title.empty()) lines += '\x1f' + sql::lower(entry.title);
    lines += '\n';
  }
  lines_stale = false;
}

/// Entries whose name has the text inside a word.
void SearchIndex::Impl::add_inside(const std::string& text, std::vector<Place>& found) const {
  make_lines();
  std::vector<Place> known = found;
  std::ranges::sort(known);
  for (size_t at = lines.find(text); at != std::string::npos && found.size() < kMostByName;) {
    auto line = std::ranges::upper_bound(line_places, at, {}, &std::pair<size_t, Place>::first);
    const size_t next = line == line_places.end() ? lines.size() : line->first;
    const Place place = std::prev(line)->second;
    if (!std::ranges::binary_search(known, place)) found.push_back(place);
    at = lines.find(text, next);
  }
}

void SearchIndex::Impl::count_facets(SearchAnswer& answer, const std::vector<Place>& found) const {
  std::vector<uint32_t> of_kind(kinds.size()), of_domain(domains.size()), of_owner(owners.size()),
      of_tag(tags.size());
  for (const Place place : found) {
    const Marks& one = marks(place);
    ++of_kind[one.kind];
    ++of_domain[one.domain];
    ++of_owner[one.owner];
    for (uint32_t i = 0; i < one.tag_count; ++i) ++of_tag[one.tags[i]];
    for (const uint32_t tag : one.more_tags) ++of_tag[tag];
  }
  answer.kinds = kinds.facet_of(of_kind);
  answer.domains = domains.facet_of(of_domain);
  answer.owners = owners.facet_of(of_owner);
  answer.tags = tags.facet_of(of_tag);
}

void SearchIndex::Impl::rank_all(const std::string& match, const std::string& text,
                                 std::vector<Place>& found) const {
  const auto scores = match.empty() ? std::unordered_map<Place, double>() : this->scores(match);
  std::vector<std::pair<double, Place>> order;
  for (const Place place : found) {
    const auto score = scores.find(place);
    const double own = score == scores.end() ? 0 : score->second;
    order.emplace_back(-own - bonus_of(row(place).entry, text), place);
  }
  std::ranges::sort(order);
  for (size_t i = 0; i < order.size(); ++i) found[i] = order[i].second;
}

/// Of many: those whose names have the words come first, and all others as they stand.
void SearchIndex::Impl::rank_by_name(const std::string& match, const std::string& text,
                                     const SearchQuery& query, std::vector<Place>& found) const {
  std::vector<std::pair<double, Place>> order;
  for (const Place place : matching(match, true, kMostByName)) {
    const SearchEntry& entry = row(place).entry;
    if (wanted(entry, query)) order.emplace_back(-bonus_of(entry, text), place);
  }
  std::ranges::sort(order);
  std::vector<Place> first;
  for (const auto& [value, place] : order) first.push_back(place);
  if (first.size() < query.offset + query.limit) {
    auto known = first;
    std::ranges::sort(known);
    if (found.empty()) found = matching(match, false, SIZE_MAX >> 1);
    for (const Place place : found) {
      if (!std::ranges::binary_search(known, place)) first.push_back(place);
    }
  }
  found = std::move(first);
}

SearchAnswer SearchIndex::Impl::search(const SearchQuery& query) const {
  const auto words = words_of(query.text);
  const std::string match = match_of(words), text = typed(query.text);
  const bool filtered = filters(query);
  SearchAnswer answer;
  std::vector<Place> found;
  const std::lock_guard lock(mutex);
  // What only a count is needed of is not gone through.
  const bool counted = !match.empty() && !filtered && !query.facets;
  const bool all = text.empty() && !filtered && !query.facets;
  if (counted) answer.total = count(match);
  if (counted && answer.total > kMostRanked) {
    rank_by_name(match, text, query, found);
  } else {
    if (text.empty()) {
      found = everything(all ? query.offset + query.limit : SIZE_MAX);
    } else if (!match.empty()) {
      found = matching(match, false, SIZE_MAX >> 1);
    }
    if (!text.empty() && found.size() < query.limit) add_inside(text, found);
    if (filtered)
      std::erase_if(found, [&](Place place) { return !wanted(row(place).entry, query); });
    answer.total = all ? places.size() : found.size();
    if (query.facets) count_facets(answer, found);
    if (!text.empty() && found.size() <= kMostRanked) {
      rank_all(match, text, found);
    } else if (!text.empty()) {
      rank_by_name(match, text, query, found);
    }
  }
  for (size_t i = query.offset; i < found.size() && i < query.offset + query.limit; ++i) {
    const SearchEntry& entry = row(found[i]).entry;
    std::string snippet = piece(entry.description, words);
    if (snippet.empty()) snippet = piece(entry.columns, words);
    answer.hits.push_back({entry, std::move(snippet)});
  }
  return answer;
}

// ---------------------------------------------------------------- the surface

SearchIndex::SearchIndex() : impl_(std::make_unique<Impl>()) {}
SearchIndex::~SearchIndex() = default;

size_t SearchIndex::replace(const std::string& origin, std::vector<SearchEntry> entries) {
  Impl& impl = *impl_;
  const std::lock_guard writing(impl.writing);
  std::set<std::string> gone;
  {
    const std::lock_guard lock(impl.mutex);
    gone = impl.origins[origin];
    impl.run("BEGIN");
  }
  size_t changes = 0;
  for (size_t i = 0; i < entries.size();) {
    const std::lock_guard lock(impl.mutex);
    for (const size_t end = std::min(entries.size(), i + kBatch); i < end; ++i) {
      const std::string key = Impl::key_of(entries[i].kind, entries[i].name);
      gone.erase(key);
      const auto known = impl.places.find(key);
      if (known != impl.places.end() && impl.row(known->second).entry == entries[i]) continue;
      impl.put(origin, key, entries[i]);
      ++changes;
    }
  }
  const std::lock_guard lock(impl.mutex);
  for (const auto& key : gone) impl.erase(key);
  impl.run("COMMIT");
  return changes + gone.size();
}

SearchAnswer SearchIndex::search(const SearchQuery& query) const { return impl_->search(query); }

std::optional<SearchEntry> SearchIndex::find(const std::string& kind,
                                             const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->places.find(Impl::key_of(kind, name));
  if (found == impl_->places.end()) return std::nullopt;
  return impl_->row(found->second).entry;
}

size_t SearchIndex::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->places.size();
}

}  // namespace meesh::governance
