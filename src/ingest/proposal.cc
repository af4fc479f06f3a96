#include "ingest/proposal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace meesh::ingest {
namespace {

std::string table_line(const SourceConfig& config, const Stream& stream) {
  if (config.kind == "files") {
    const auto found = config.tables.find(stream.name);
    const std::string path = found == config.tables.end() ? "" : found->second.path;
    return fmt::format("  {}: {{ path: \"{}\" }}", stream.name, path);
  }
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

}  // namespace

std::string propose_source(const SourceConfig& config, const std::vector<Stream>& streams) {
  std::string text = fmt::format("name: {}\nkind: {}\n", config.name, config.kind);
  if (!config.catalog.empty())
    text += fmt::format("catalog: {}\nschema: {}\n", config.catalog, config.schema);
  text += "tables:\n";
  for (const auto& stream : streams) text += table_line(config, stream) + remarks(stream) + "\n";
  return text;
}

}  // namespace meesh::ingest
