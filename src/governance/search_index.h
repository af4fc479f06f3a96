// Full-text search over everything the mesh has, as people type.
//
//   SearchIndex index;
//   index.replace("tables", entries);          // all of one origin; what is equal costs nothing
//   SearchAnswer answer = index.search({.text = "custom ord", .limit = 10});
//
// SQLite's FTS5 in memory: every word of the text must begin a word of the entry, accents aside.
// Names weigh more than tags, tags more than descriptions, these more than columns. Where that
// finds too little, entries whose name has the text anywhere inside follow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meesh::governance {

struct SearchEntry {
  std::string kind;   // table, view, bucket, dashboard, term …
  std::string name;   // of its kind's own: "lake.gold.rfm"
  std::string title;  // "" = the name
  std::string description;
  std::string url;  // of its page in the console
  std::string domain, owner;
  std::vector<std::string> tags;  // of its own, and terms
  std::string columns;            // names, and what is said of them
  int weight = 0;                 // of use: what many use comes before what fits as well
  int64_t changed_ms = 0;         // since 1970; 0 = not known
  bool operator==(const SearchEntry&) const = default;

  const std::string& shown() const { return title.empty() ? name : title; }
};

struct SearchQuery {
  std::string text;  // "" = everything
  std::string kind, domain, owner, tag;
  bool without_owner = false, without_description = false;
  size_t offset = 0, limit = 20;
  bool facets = false;
};

struct SearchHit {
  SearchEntry entry;
  std::string snippet;  // of the description or the columns, where words were found; may be ""
};

/// Values of a field among all that was found, most first.
using Facet = std::vector<std::pair<std::string, uint64_t>>;

struct SearchAnswer {
  std::vector<SearchHit> hits;
  uint64_t total = 0;
  Facet kinds, domains, owners, tags;  // only if asked for
};

/// Thread-safe. Entries are known by kind and name.
class SearchIndex {
 public:
  SearchIndex();
  ~SearchIndex();
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;

  /// What `origin` had before and has no more is gone. Searches go on meanwhile. How many entries
  /// changed.
  size_t replace(const std::string& origin, std::vector<SearchEntry> entries);
  SearchAnswer search(const SearchQuery& query) const;
  /// Nothing if it is not there.
  std::optional<SearchEntry> find(const std::string& kind, const std::string& name) const;
  size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::governance
