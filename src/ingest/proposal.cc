#include "ingest/proposal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ingest/kinds.h"

namespace meesh::ingest {
namespace {

std::string table_line(const Stream& stream) {
  const bool changes = !stream.cursors.empty() && !stream.key.empty() &&
                       stream.cursors[0].find("updat") != std::string::npos;
  if (!changes) return fmt::format("  {}: {{}}", stream.name);
  return fmt::format("  {}: {{ mode: incremental, cursor: {}, key: [{}] }}", stream.name,
                     stream.cursors[0], fmt::join(stream.key, ", "));
}

std::string remarks(const Stream& stream) {
  std::string text;
  if (stream.estimated_rows >= 0) text += fmt::format("about {:.0f} rows", stream.estimated_rows);
  if (stream.is_view) text += text.empty() ? "a view" : ", a view";
  return text.empty() ? "" : "   # " + text;
}

/// The file without the block of its key `tables`, which ends before the next line that begins with
/// a key.
std::string without_tables(const std::string& file) {
  std::string kept;
  bool within = false;
  for (size_t at = 0; at < file.size();) {
    const size_t end = std::min(file.find('\n', at), file.size());
    const std::string line = file.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("tables:")) {
      within = true;
    } else if (!line.empty() &&
               std::string_view(" \t#}]").find(line[0]) == std::string_view::npos) {
      within = false;
    }
    if (!within) kept += line + "\n";
  }
  return kept;
}

}  // namespace

std::string propose_source(const SourceConfig& config, const std::string& file,
                           const std::vector<Stream>& streams) {
  if (kind_of(config).needs_tables) return file;
  std::string text = without_tables(file) + "tables:\n";
  for (const auto& stream : streams) text += table_line(stream) + remarks(stream) + "\n";
  return text;
}

}  // namespace meesh::ingest
