#include "app/sql/result_printer.h"

#include <cwchar>

namespace meesh::app {

namespace json = boost::json;

namespace {

constexpr size_t kRowsForWidth = 1000;

class Printer : public ResultPrinter {
 public:
  Printer(std::FILE* out, bool colour) : out_(out), colour_(colour) {}

 protected:
  void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), out_); }
  std::string styled(std::string_view text, std::string_view style) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : std::string(text);
  }

  std::FILE* const out_;
  const bool colour_;
  std::vector<ClientColumn> columns_;
};

/// Control characters would break the table; show them as escapes.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string padded(std::string_view text, size_t width, bool right) {
  const size_t have = display_width(text);
  const std::string fill(width > have ? width - have : 0, ' ');
  return right ? fill + std::string(text) : std::string(text) + fill;
}

/// Tables drawn with a header line: for terminals and for Markdown.
class TablePrinter : public Printer {
 public:
  TablePrinter(std::FILE* out, bool colour, bool markdown)
      : Printer(out, colour), markdown_(markdown) {}

  void columns(const std::vector<ClientColumn>& columns) override {
    columns_ = columns;
    for (const auto& column : columns) widths_.push_back(display_width(one_line(column.name)));
  }
  void row(const json::array& row) override {
    std::vector<std::optional<std::string>> cells;
    for (const auto& value : row) {
      auto text = cell_text(value);
      if (text) *text = one_line(*text);
      if (text && markdown_) escape_pipes(*text);
      cells.push_back(std::move(text));
    }
    if (header_done_) return print(cells);
    for (size_t i = 0; i < cells.size() && i < widths_.size(); ++i) {
      widths_[i] = std::max(widths_[i], cells[i] ? display_width(*cells[i]) : 4);
    }
    pending_.push_back(std::move(cells));
    if (pending_.size() >= kRowsForWidth) flush();
  }
  void end() override {
    if (!header_done_ && !columns_.empty()) flush();
  }

 private:
  static void escape_pipes(std::string& text) {
    for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
      text.insert(at, "\\");
  }
  void flush() {
    header_done_ = true;
    std::string names, rule;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const bool right = columns_[i].numeric();
      if (markdown_) {
        widths_[i] = std::max<size_t>(widths_[i], 3);
        const std::string dashes(widths_[i] - (right ? 1 : 0), '-');
        names += "| " + padded(one_line(columns_[i].name), widths_[i], right) + " ";
        rule += "| " + dashes + (right ? ": " : " ");
      } else {
        names +=
            (i ? " | " : " ") + styled(padded(one_line(columns_[i].name), widths_[i], right), "1");
        rule += std::string(i ? "+" : "") + std::string(widths_[i] + 2, '-');
      }
    }
    put(names + (markdown_ ? "|\n" : "\n") + rule + (markdown_ ? "|\n" : "\n"));
    for (const auto& cells : pending_) print(cells);
    pending_.clear();
  }
  void print(const std::vector<std::optional<std::string>>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool right = columns_[i].numeric();
      std::string text = padded(cells[i].value_or("NULL"), widths_[i], right);
      if (!cells[i]) text = styled(text, "2");
      line += markdown_ ? "| " + text + " " : (i ? " | " : " ") + text;
    }
    if (!markdown_) line.erase(line.find_last_not_of(' ') + 1);
    put(line + (markdown_ ? "|\n" : "\n"));
  }

  const bool markdown_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::optional<std::string>>> pending_;
  bool header_done_ = false;
};

class VerticalPrinter : public Printer {
 public:
  using Printer::Printer;
  void columns(const std::vector<ClientColumn>& columns) override {
    columns_ = columns;
    for (const auto& column : columns) width_ = std::max(width_, display_width(column.name));
  }
  void row(const json::array& row) override {
    put(styled(fmt::format("-[ RECORD {} ]-\n", ++count_), "2"));
    for (size_t i = 0; i < row.size(); ++i) {
      const auto text = cell_text(row[i]);
      put(styled(padded(columns_[i].name, width_, false), "1") + " | " +
          (text ? one_line(*text) : styled("NULL", "2")) + "\n");
    }
  }

 private:
  size_t width_ = 0, count_ = 0;
};

/// RFC 4180: fields with the separator, quotes or line ends are quoted; NULL is an empty field.
class CsvPrinter : public Printer {
 public:
  CsvPrinter(std::FILE* out, char separator) : Printer(out, false), separator_(separator) {}
  void columns(const std::vector<ClientColumn>& columns) override {
    std::string line;
    for (const auto& column : columns) append(line, column.name);
    put(line + "\n");
  }
  void row(const json::array& row) override {
    std::string line;
    bool first = true;
    for (const auto& value : row) {
      if (!first) line += separator_;
      first = false;
      if (const auto text = cell_text(value)) quote(line, *text);
    }
    put(line + "\n");
  }

 private:
  void append(std::string& line, std::string_view text) {
    if (!line.empty()) line += separator_;
    quote(line, text);
  }
  void quote(std::string& line, std::string_view text) const {
    const char special[] = {separator_, '"', '\n', '\r', 0};
    if (!text.empty() && text.find_first_of(special) == std::string_view::npos) {
      line += text;
      return;
    }
    line += '"';
    for (char c : text) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  const char separator_;
};

/// One JSON object a line.
class JsonPrinter : public Printer {
 public:
  using Printer::Printer;
  void columns(const std::vector<ClientColumn>& columns) override { columns_ = columns; }
  void row(const json::array& row) override {
    json::object object;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string name = columns_[i].name;
      for (int n = 2; object.contains(name); ++n) name = fmt::format("{}_{}", columns_[i].name, n);
      object[name] = row[i];
    }
    put(json::serialize(object) + "\n");
  }
};

}  // namespace

std::optional<std::string> cell_text(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) return fmt::format("{}", value.as_double());
  return json::serialize(value);
}

size_t display_width(std::string_view utf8) {
  size_t width = 0;
  std::mbstate_t state{};
  while (!utf8.empty()) {
    wchar_t c = 0;
    const size_t used = std::mbrtowc(&c, utf8.data(), utf8.size(), &state);
    if (used == 0 || used > utf8.size()) {  // NUL, or not UTF-8 in this locale
      state = {};
      utf8.remove_prefix(1);
      ++width;
      continue;
    }
    const int columns = wcwidth(c);
    width += columns > 0 ? static_cast<size_t>(columns) : 0;
    utf8.remove_prefix(used);
  }
  return width;
}

std::optional<OutputFormat> parse_output_format(std::string_view name) {
  if (name == "aligned") return OutputFormat::kAligned;
  if (name == "vertical") return OutputFormat::kVertical;
  if (name == "csv") return OutputFormat::kCsv;
  if (name == "tsv") return OutputFormat::kTsv;
  if (name == "json") return OutputFormat::kJson;
  if (name == "markdown") return OutputFormat::kMarkdown;
  return std::nullopt;
}

std::unique_ptr<ResultPrinter> ResultPrinter::make(OutputFormat format, std::FILE* out,
                                                   bool colour) {
  switch (format) {
    case OutputFormat::kAligned:
      return std::make_unique<TablePrinter>(out, colour, false);
    case OutputFormat::kMarkdown:
      return std::make_unique<TablePrinter>(out, false, true);
    case OutputFormat::kVertical:
      return std::make_unique<VerticalPrinter>(out, colour);
    case OutputFormat::kCsv:
      return std::make_unique<CsvPrinter>(out, ',');
    case OutputFormat::kTsv:
      return std::make_unique<CsvPrinter>(out, '\t');
    case OutputFormat::kJson:
      return std::make_unique<JsonPrinter>(out, false);
  }
  return nullptr;
}

}  // namespace meesh::app
