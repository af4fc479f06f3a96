// Results of `meesh sql` as text: a table for people, CSV, TSV, JSON lines and Markdown for others.
#pragma once

#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/sql/trino_client.h"

namespace meesh::app {

enum class OutputFormat { kAligned, kVertical, kCsv, kTsv, kJson, kMarkdown };
std::optional<OutputFormat> parse_output_format(std::string_view name);

/// Takes a result as it streams in. Aligned tables are as wide as their first thousand rows ask;
/// later rows that are wider push their line out rather than be cut.
class ResultPrinter {
 public:
  static std::unique_ptr<ResultPrinter> make(OutputFormat format, std::FILE* out, bool colour);
  virtual ~ResultPrinter() = default;
  virtual void columns(const std::vector<ClientColumn>& columns) = 0;
  virtual void row(const boost::json::array& row) = 0;
  virtual void end() {}
};

/// A cell as text; nested values as JSON. NULL gives nullopt.
std::optional<std::string> cell_text(const boost::json::value& value);
/// Columns of a terminal that the text takes (East Asian wide characters count two).
size_t display_width(std::string_view utf8);

}  // namespace meesh::app
