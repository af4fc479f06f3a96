#include "access/located_json.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>

#include "base/text.h"

namespace meesh::access {
namespace {

/// Where each key and value of well-formed JSON begins, in the order in which a parser tells of
/// them. Of malformed text the offsets are right up to the mistake.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {}

  size_t next() {
    skip(" \t\r\n,:]}");
    const size_t start = at_;
    if (at_ >= text_.size()) return start;
    if (text_[at_] == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\') ++at_;
      }
      ++at_;
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      ++at_;
    } else {
      at_ = std::min(text_.find_first_of(" \t\r\n,:]}", at_), text_.size());
    }
    return start;
  }
  /// What stands between the last start and the end of its token.
  std::string_view token(size_t start) const {
    return text_.substr(start, std::min(at_, text_.size()) - start);
  }

 private:
  void skip(std::string_view what) {
    at_ = std::min(text_.find_first_not_of(what, std::min(at_, text_.size())), text_.size());
  }
  std::string_view text_;
  size_t at_ = 0;
};

/// What boost::json::basic_parser asks of its handler.
class TreeBuilder {
 public:
  using Failure = boost::json::error_code;
  using View = boost::json::string_view;
  static constexpr size_t max_object_size = -1;
  static constexpr size_t max_array_size = -1;
  static constexpr size_t max_key_size = -1;
  static constexpr size_t max_string_size = -1;

  explicit TreeBuilder(std::string_view text) : offsets_(text) {}
  LocatedJson take() { return std::move(root_); }

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_object_begin(Failure&) { return open(LocatedJson::Kind::kObject); }
  bool on_object_end(size_t, Failure&) { return close(); }
  bool on_array_begin(Failure&) { return open(LocatedJson::Kind::kArray); }
  bool on_array_end(size_t, Failure&) { return close(); }
  bool on_key_part(View part, size_t, Failure&) { return append(part); }
  bool on_key(View part, size_t, Failure&) {
    append(part);
    open_.back()->keys.push_back({std::exchange(parts_, {}), offsets_.next()});
    return true;
  }
  bool on_string_part(View part, size_t, Failure&) { return append(part); }
  bool on_string(View part, size_t, Failure&) {
    append(part);
    LocatedJson& value = add(LocatedJson::Kind::kText);
    value.text = std::exchange(parts_, {});
    return true;
  }
  bool on_number_part(View, Failure&) { return true; }
  bool on_int64(int64_t, View, Failure&) { return scalar(LocatedJson::Kind::kNumber); }
  bool on_uint64(uint64_t, View, Failure&) { return scalar(LocatedJson::Kind::kNumber); }
  bool on_double(double, View, Failure&) { return scalar(LocatedJson::Kind::kNumber); }
  bool on_bool(bool, Failure&) { return scalar(LocatedJson::Kind::kBoolean); }
  bool on_null(Failure&) { return scalar(LocatedJson::Kind::kNull); }
  bool on_comment_part(View, Failure&) { return true; }
  bool on_comment(View, Failure&) { return true; }

 private:
  bool append(View part) {
    parts_.append(part.data(), part.size());
    return true;
  }
  /// Only the innermost open container grows, so pointers to the open ones stay good.
  LocatedJson& add(LocatedJson::Kind kind) {
    LocatedJson& value = open_.empty() ? root_ : open_.back()->items.emplace_back();
    value.kind = kind;
    value.offset = offsets_.next();
    return value;
  }
  bool scalar(LocatedJson::Kind kind) {
    LocatedJson& value = add(kind);
    value.text = offsets_.token(value.offset);
    return true;
  }
  bool open(LocatedJson::Kind kind) {
    open_.push_back(&add(kind));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Offsets offsets_;
  LocatedJson root_;
  std::vector<LocatedJson*> open_;
  std::string parts_;
};

}  // namespace

std::string describe(const LocatedJson& value) {
  // A long text says no more than its beginning.
  const std::string text = value.text.size() <= 60 ? value.text : value.text.substr(0, 60) + "…";
  switch (value.kind) {
    case LocatedJson::Kind::kNull:
      return "null";
    case LocatedJson::Kind::kBoolean:
      return text;
    case LocatedJson::Kind::kNumber:
      return "the number " + text;
    case LocatedJson::Kind::kText:
      return "the text '" + text + "'";
    case LocatedJson::Kind::kArray:
      return "an array";
    case LocatedJson::Kind::kObject:
      return "an object";
  }
  internal_error("a JSON value of no kind");
}

Error error_at(std::string_view text, size_t offset, std::string message) {
  const base::Position position = base::position_of(text, offset);
  return Error(Code::kInvalidArguments, std::move(message), {position.line, position.column, {}});
}

LocatedJson parse_located_json(std::string_view text) {
  boost::json::basic_parser<TreeBuilder> parser({}, text);
  boost::json::error_code failed;
  const size_t read = parser.write_some(false, text.data(), text.size(), failed);
  if (failed) {
    throw error_at(text, read, fmt::format("the policy is not JSON: {}", failed.message()));
  }
  if (read < text.size()) throw error_at(text, read, "the policy is not JSON: text after its end");
  return std::move(parser.handler()).take();
}

}  // namespace meesh::access
