#include "objects/local/history.h"

#include <fmt/format.h>

#include <sstream>

#include "objects/local/reader.h"

namespace meesh::objects {
namespace {

constexpr size_t kLargePart = 5 << 20;

class HistoryWriter {
 public:
  HistoryWriter(Store& store, int writer, uint32_t seed,
                const std::function<void(const std::string&)>& tell)
      : store_(store),
        writer_(writer),
        random_(seed * 977 + static_cast<uint32_t>(writer)),
        tell_(tell) {}

  void operate() {
    const std::string key = fmt::format("w{}/k{}", writer_, random_() % 6);
    switch (random_() % 16) {
      case 0:
      case 1:
        return remove(key);
      case 2:
      case 3:
        return upload(key, {1 + static_cast<uint32_t>(random_() % 60'000)});
      case 4:
        return copy(key, fmt::format("w{}/c", writer_));
      case 5:
        maintenance(store_).collect_garbage({});
        return;
      case 6:
        if (random_() % 8 == 0) return upload(key, {kLargePart, 1000});
        [[fallthrough]];
      default:
        return put(key, random_() % 2 ? static_cast<uint32_t>(random_() % 2000)
                                      : static_cast<uint32_t>(16'000 + random_() % 50'000));
    }
  }

 private:
  void announce(const std::string& key, const Holding& next) {
    tell_(fmt::format("B {} {} {}", key, next.size, next.seed));
  }
  void acknowledge(const std::string& key) { tell_("A " + key); }

  void put(const std::string& key, uint32_t size) {
    const Holding next{size, static_cast<uint32_t>(random_())};
    announce(key, next);
    objects::put(store_, kHistoryBucket, key, content_of(next.size, next.seed));
    acknowledge(key);
    held_[key] = next;
  }
  void remove(const std::string& key) {
    tell_("B " + key + " - -");
    store_.remove(kHistoryBucket, key, {});
    acknowledge(key);
    held_.erase(key);
  }
  void upload(const std::string& key, const std::vector<uint32_t>& sizes) {
    Holding next{0, static_cast<uint32_t>(random_())};
    for (const uint32_t size : sizes) next.size += size;
    const std::string content = content_of(next.size, next.seed);
    const Upload upload = store_.start_upload(kHistoryBucket, key, {}, {}, true, {});
    std::vector<CompletedPart> parts;
    size_t from = 0;
    for (const uint32_t size : sizes) {
      const int number = static_cast<int>(parts.size()) + 1;
      const auto writer = store_.put_part(kHistoryBucket, key, upload.id, number, {});
      writer->write(std::string_view(content).substr(from, size));
      parts.push_back({number, writer->commit({}).etag, {}});
      from += size;
    }
    announce(key, next);
    store_.complete_upload(kHistoryBucket, key, upload.id, parts, {}, {});
    acknowledge(key);
    held_[key] = next;
  }
  void copy(const std::string& from, const std::string& to) {
    const auto source = held_.find(from);
    if (source == held_.end()) return;
    announce(to, source->second);
    store_.copy(kHistoryBucket, from, {}, kHistoryBucket, to, {}, {}, {});
    acknowledge(to);
    held_[to] = source->second;
  }

  Store& store_;
  const int writer_;
  std::mt19937 random_;
  const std::function<void(const std::string&)>& tell_;
  std::map<std::string, Holding> held_;  // what this run put itself
};

std::string words(const Maybe& holding) {
  return holding ? fmt::format("{} bytes of seed {}", holding->size, holding->seed) : "nothing";
}

/// Empty if the key holds just this.
std::string difference(Store& store, const std::string& key, const Maybe& expected) {
  try {
    const auto reader = store.get(kHistoryBucket, key, {});
    if (!expected) return "it is there";
    if (reader->object().size != expected->size) return "another size";
    return read_all(*reader) == content_of(expected->size, expected->seed) ? "" : "other content";
  } catch (const ObjectError& error) {
    if (error.reason() != Reason::kNoSuchKey) return error.what();
    return expected ? "it is not there" : "";
  }
}

}  // namespace

void write_history(Store& store, int writer, uint32_t seed, int operations,
                   const std::function<void(const std::string&)>& tell) {
  HistoryWriter history(store, writer, seed, tell);
  for (int i = 0; i < operations; ++i) history.operate();
}

void History::read(const std::string& line) {
  std::istringstream in(line);
  std::string what, key, size, seed;
  in >> what >> key >> size >> seed;
  if (what == "A") {
    known_[key] = announced_.at(key);
    announced_.erase(key);
    ++acknowledged_;
  } else {
    announced_[key] = size == "-" ? Maybe()
                                  : Holding{static_cast<uint32_t>(std::stoul(size)),
                                            static_cast<uint32_t>(std::stoul(seed))};
  }
}

void History::check(Store& store, const std::filesystem::path& payload_folder) {
  for (const auto& [key, next] : announced_) {
    const Maybe before = known_[key];
    const std::string as_before = difference(store, key, before),
                      as_next = difference(store, key, next);
    EXPECT_TRUE(as_before.empty() || as_next.empty())
        << key << " should hold " << words(before) << " (" << as_before << ") or " << words(next)
        << " (" << as_next << ")";
    if (as_next.empty()) known_[key] = next;
  }
  announced_.clear();
  std::vector<std::string> expected;
  uint64_t bytes = 0;
  for (const auto& [key, holding] : known_) {
    EXPECT_EQ(difference(store, key, holding), "") << key << " should hold " << words(holding);
    if (!holding) continue;
    expected.push_back(key);
    bytes += holding->size;
  }
  EXPECT_EQ(keys_of(store.list(kHistoryBucket, {})), expected);
  const Usage usage = store.usage(kHistoryBucket);
  EXPECT_EQ(usage.objects, expected.size());
  EXPECT_EQ(usage.versions, expected.size());
  EXPECT_EQ(usage.bytes, bytes);

  for (const Upload& upload : store.list_uploads(kHistoryBucket, {}).uploads) {
    store.abort_upload(kHistoryBucket, upload.key, upload.id);
  }
  maintenance(store).collect_garbage({});
  const ScrubReport report = maintenance(store).scrub({});
  for (const auto& damage : report.damaged) ADD_FAILURE() << damage.key << ": " << damage.what;
  for (const auto& orphan : report.orphans) ADD_FAILURE() << orphan << " is not needed";
  size_t files = 0;
  for (const auto& [key, holding] : known_) {
    if (holding) files += store.head(kHistoryBucket, key, {}).size > 0;
  }
  EXPECT_LE(files_in(payload_folder), 4 * files + 8) << "files pile up";
}

}  // namespace meesh::objects
