// Records are split at the delimiter; a field in double quotes may hold delimiters, line breaks and
// quotes written twice. An empty field without quotes is NULL, with quotes the empty text. A line
// break may end the record; a second record in a message, or another number of fields than the
// header has, is malformed.
#include "streams/decode/csv_decoder.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "ingest/decode/cell.h"

namespace meesh::streams {
namespace {

using ingest::Cell;
using ingest::shortened;

/// Where a field stands; its text without quotes, or in `unquoted` where quotes stood twice.
struct Field {
  std::string_view text;
  bool quoted = false;
};

class CsvDecoder : public Decoder {
 public:
  CsvDecoder(const FormatConfig& format, const std::vector<ColumnConfig>& columns)
      : delimiter_(format.delimiter) {
    std::vector<std::string> header = format.csv_header;
    if (header.empty())
      for (const auto& column : columns) header.push_back(column.name);
    exact_ = !format.csv_header.empty();
    fields_in_header_ = header.size();
    for (const auto& column : columns) {
      cells_.emplace_back(column);
      positions_.push_back(position_of(column, header, exact_));
    }
  }

  bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
              std::string& wrong) override {
    if (!base::valid_utf8(value)) {
      wrong = "not CSV: it is not UTF-8";
      return false;
    }
    if (!split(value, wrong)) return false;
    if (exact_ && fields_.size() != fields_in_header_) {
      wrong =
          fmt::format("not CSV: {} fields, the header has {}", fields_.size(), fields_in_header_);
      return false;
    }
    for (size_t i = 0; i < cells_.size(); ++i) {
      const Cell& cell = cells_[i];
      const bool there = positions_[i] < fields_.size();
      const Field field = there ? fields_[positions_[i]] : Field{};
      if (field.text.empty() && !field.quoted) {
        if (!cell.config().required) continue;
        wrong = cell.missing();
        return false;
      }
      if (cell.put_text(field.text, rows, first + i)) continue;
      wrong = cell.complaint(field.text);
      return false;
    }
    return true;
  }

 private:
  /// By name (exactly, then without regard to case), else by number from 0.
  static size_t position_of(const ColumnConfig& column, const std::vector<std::string>& header,
                            bool named) {
    const std::string& name = column.path.empty() ? column.name : column.path[0];
    for (size_t i = 0; i < header.size(); ++i)
      if (header[i] == name) return i;
    for (size_t i = 0; i < header.size(); ++i)
      if (std::ranges::equal(header[i], name, [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) ==
                   std::tolower(static_cast<unsigned char>(b));
          }))
        return i;
    size_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size() &&
        (!named || number < header.size()))
      return number;
    throw Error(Code::kConfigInvalid,
                fmt::format("column '{}': the CSV has no field '{}'", column.name, name))
        .with_hint(base::did_you_mean(name, header, "it has"));
  }

  bool split(std::string_view value, std::string& wrong) {
    fields_.clear();
    unquoted_.clear();
    if (value.ends_with('\n')) value.remove_suffix(1);
    if (value.ends_with('\r')) value.remove_suffix(1);
    if (value.empty()) {
      wrong = "not CSV: it is empty";
      return false;
    }
    // Room for all of it at once, so that views into it stay good.
    unquoted_.reserve(value.size());
    size_t at = 0;
    while (true) {
      const bool quoted = at < value.size() && value[at] == '"';
      if (!(quoted ? take_quoted(value, at, wrong) : take_plain(value, at, wrong))) return false;
      if (at == value.size()) return true;
      ++at;  // the delimiter
    }
  }

  bool take_plain(std::string_view value, size_t& at, std::string& wrong) {
    const size_t begin = at;
    while (at < value.size() && value[at] != delimiter_) {
      if (value[at] == '"' || value[at] == '\n' || value[at] == '\r') {
        wrong = value[at] == '"'
                    ? fmt::format("not CSV: a quote in {}", shortened(value.substr(begin)))
                    : "not CSV: more than one record";
        return false;
      }
      ++at;
    }
    fields_.push_back({value.substr(begin, at - begin), false});
    return true;
  }

  bool take_quoted(std::string_view value, size_t& at, std::string& wrong) {
    const size_t begin = unquoted_.size();
    for (++at;;) {
      const size_t quote = value.find('"', at);
      if (quote == std::string_view::npos) {
        wrong = "not CSV: a quoted field has no end";
        return false;
      }
      unquoted_.append(value, at, quote - at);
      at = quote + 1;
      if (at == value.size() || value[at] != '"') break;
      unquoted_ += '"';
      ++at;
    }
    if (at < value.size() && value[at] != delimiter_) {
      wrong = value[at] == '\n' || value[at] == '\r' ? "not CSV: more than one record"
                                                     : "not CSV: text behind a quoted field";
      return false;
    }
    fields_.push_back({std::string_view(unquoted_).substr(begin), true});
    return true;
  }

  const char delimiter_;
  std::vector<Cell> cells_;
  std::vector<size_t> positions_;  // of the columns' fields
  bool exact_ = false;             // there is a header: each record has as many fields
  size_t fields_in_header_ = 0;
  std::vector<Field> fields_;
  std::string unquoted_;
};

}  // namespace

std::unique_ptr<Decoder> make_csv_decoder(const FormatConfig& format,
                                          const std::vector<ColumnConfig>& columns) {
  return std::make_unique<CsvDecoder>(format, columns);
}

}  // namespace meesh::streams
