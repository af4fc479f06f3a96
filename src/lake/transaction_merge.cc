#include "lake/transaction_merge.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"

namespace meesh::lake {
namespace {

/// Packed from the oldest on, so that the bin that is not full is the one with the newest.
std::vector<std::vector<size_t>> pack_from_end(const std::vector<ManifestFile>& files,
                                               const std::vector<size_t>& places,
                                               int64_t target_bytes) {
  std::vector<std::vector<size_t>> bins;
  int64_t bytes = 0;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const int64_t length = files[*place].length;
    if (bins.empty() || length > target_bytes - bytes) {
      bins.emplace_back();
      bytes = 0;
    }
    bins.back().push_back(*place);
    bytes += length;
  }
  for (auto& bin : bins) std::ranges::reverse(bin);
  std::ranges::reverse(bins);
  return bins;
}

Error wrong(const char* name, const std::string& value, const std::string& expected) {
  return Error(Code::kInvalidTableProperty,
               fmt::format("table property {} is '{}'", name, value.substr(0, 80)))
      .with_hint("expected " + expected);
}

}  // namespace

int64_t number_property(const Properties& properties, const char* name, int64_t otherwise,
                        int64_t least) {
  const auto found = properties.find(name);
  if (found == properties.end()) return otherwise;
  const std::string& text = found->second;
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < least) {
    throw wrong(name, text, fmt::format("a number from {}", least));
  }
  return number;
}

bool flag_property(const Properties& properties, const char* name, bool otherwise) {
  const auto found = properties.find(name);
  if (found == properties.end()) return otherwise;
  if (strcasecmp(found->second.c_str(), "true") == 0) return true;
  if (strcasecmp(found->second.c_str(), "false") == 0) return false;
  throw wrong(name, found->second, "true or false");
}

MergeSettings merge_settings(const Properties& properties) {
  MergeSettings settings;
  settings.enabled = flag_property(properties, "commit.manifest-merge.enabled", settings.enabled);
  settings.target_bytes =
      number_property(properties, "commit.manifest.target-size-bytes", settings.target_bytes, 1);
  settings.min_count =
      number_property(properties, "commit.manifest.min-count-to-merge", settings.min_count, 1);
  return settings;
}

std::vector<std::vector<size_t>> merge_bins(const std::vector<ManifestFile>& files,
                                            const MergeSettings& settings) {
  std::vector<std::vector<size_t>> out;
  std::map<int, std::vector<size_t>, std::greater<>> of_spec;
  for (size_t i = 0; i < files.size(); ++i) of_spec[files[i].spec_id].push_back(i);
  for (const auto& [spec_id, places] : of_spec) {
    for (auto& bin : pack_from_end(files, places, settings.target_bytes)) {
      // Big old manifests must not keep the older ones apart, so only the newest bin waits.
      const bool waits = bin.front() == 0 && static_cast<int64_t>(bin.size()) < settings.min_count;
      if (settings.enabled && !waits) {
        out.push_back(std::move(bin));
      } else {
        for (const size_t place : bin) out.push_back({place});
      }
    }
  }
  return out;
}

}  // namespace meesh::lake
