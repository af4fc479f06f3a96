// How long a search takes over 100,000 tables: the index as the server has it, asked as people
// type. Prints one line a query: the median and the slowest of many, in milliseconds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>

#include "governance/search_index.h"

using namespace meesh::governance;

/// Of this thread: what a search costs, whatever else the machine does.
struct Clock {
  using duration = std::chrono::nanoseconds;
  static duration now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

namespace {

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// 5,000 words of which some are in every other table, as in real names.
class Words {
 public:
  Words() {
    for (int i = 0; i < 5000; ++i) {
      std::string word;
      for (size_t n = 3 + random_() % 7; n > 0; --n)
        word += static_cast<char>('a' + random_() % 26);
      words_.push_back(word);
    }
    for (size_t i = 0; i < kCommon.size(); ++i) words_[i] = kCommon[i];
  }
  const std::string& one() {
    if (random_() % 3 == 0) return words_[random_() % kCommon.size()];
    return words_[random_() % words_.size()];
  }
  std::string some(size_t count, char between) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += (i ? std::string(1, between) : "") + one();
    return out;
  }

 private:
  const std::vector<std::string> kCommon{"customer", "order",  "sales", "id",     "date",
                                         "amount",   "status", "name",  "region", "product"};
  std::mt19937 random_{42};
  std::vector<std::string> words_;
};

void measure(const SearchIndex& index, const std::string& text, bool facets) {
  std::vector<double> times;
  uint64_t total = 0;
  for (int i = 0; i < 41; ++i) {
    SearchQuery query;
    query.text = text;
    query.limit = 10;
    query.facets = facets;
    const auto begin = Clock::now();
    total = index.search(query).total;
    times.push_back(ms(Clock::now() - begin));
  }
  std::ranges::sort(times);
  fmt::print("{:<24} {:<7} {:>7} hits  median {:7.2f} ms  slowest {:7.2f} ms\n", '"' + text + '"',
             facets ? "facets" : "", total, times[times.size() / 2], times.back());
}

}  // namespace

int main() {
  Words words;
  std::vector<SearchEntry> entries;
  for (int i = 0; i < 100'000; ++i) {
    SearchEntry entry;
    entry.kind = i % 9 == 0 ? "view" : "table";
    entry.name = fmt::format("lake.{}.{}_{}", words.one(), words.some(2, '_'), i);
    entry.description = words.some(10, ' ');
    entry.url = "/catalogue/" + entry.name;
    entry.domain = fmt::format("domain{}", i % 40);
    entry.owner = fmt::format("team {}", i % 200);
    entry.tags = {words.one(), words.one()};
    for (int c = 0; c < 12; ++c) entry.columns += words.some(2, '_') + " ";
    entries.push_back(std::move(entry));
  }
  SearchIndex index;
  auto begin = Clock::now();
  index.replace("bench", entries);
  fmt::print("100,000 tables of 12 columns indexed in {:.1f} s\n", ms(Clock::now() - begin) / 1000);
  begin = Clock::now();
  entries[77].description = "something else";
  index.replace("bench", entries);
  fmt::print("one of them changed: {:.0f} ms\n", ms(Clock::now() - begin));
  for (const char* text : {"", "c", "cu", "cus", "custom", "customer", "customer ord",
                           "lake.customer", "sales amount region", "l", "7777", "ustome", "zzzz"})
    measure(index, text, false);
  for (const char* text : {"", "c", "customer", "l"}) measure(index, text, true);
}
