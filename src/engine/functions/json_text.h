// Reading and writing the text of JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::engine {

/// Appends the code points of UTF-8 text as a JSON string without its quotes, as Trino writes it:
/// short escapes where JSON has them, surrogate pairs of escapes beyond the basic plane.
void append_json_escaped(std::string& out, std::string_view text);
/// With its quotes.
void append_json_string(std::string& out, std::string_view text);
/// Reads the string (with its quotes) at the start of `text`; `length` is its size in bytes there.
/// nullopt when it is not closed or has an escape that is none.
std::optional<std::string> read_json_string(std::string_view text, size_t& length);
/// Size of the number at the start of `text` by JSON's grammar, 0 if there is none. `integral` says
/// whether it has neither fraction nor exponent.
size_t json_number_size(std::string_view text, bool& integral);

/// Goes over JSON that is known to be valid; on text that is not it stops early and reads nothing
/// beyond the end.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) { skip_spaces(); }

  /// First character of the value or punctuation that comes next, '\0' at the end.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  /// Takes the punctuation if it comes next.
  bool take(char c);
  /// Of the string that comes next.
  std::string string();
  /// The value that comes next as it is written; without its spaces around.
  std::string_view value();
  std::string_view rest() const { return text_.substr(at_); }

 private:
  void skip_spaces();
  void step(size_t bytes);

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace meesh::engine
