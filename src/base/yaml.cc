#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <map>
#include <sstream>

#include "base/text.h"

namespace meesh::yaml {
namespace {

constexpr size_t kMaxBytes = 1u << 20;
constexpr size_t kMaxDepth = 100;
constexpr size_t kMaxNodes = 100'000;

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_integer(std::string_view text) {
  if (text.starts_with("0x")) {
    return text.size() > 2 && text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos;
  }
  if (text.starts_with("0o")) {
    return text.size() > 2 && text.find_first_not_of("01234567", 2) == text.npos;
  }
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return digits(text);
}

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  const size_t exponent = text.find_first_of("eE");
  if (exponent != text.npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    if (!digits(power)) return false;
    text = text.substr(0, exponent);
  }
  const size_t point = text.find('.');
  if (point == text.npos) return digits(text);
  const std::string_view whole = text.substr(0, point), part = text.substr(point + 1);
  return (whole.empty() || digits(whole)) && (part.empty() || digits(part)) &&
         !(whole.empty() && part.empty());
}

// Builds the tree from yaml-cpp's events. Unfinished collections are on a stack; a finished node
// goes to its parent.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Document& document) : document_(document) { index_lines(); }

  Error error_at(const YAML::Mark& mark, std::string message) const {
    const auto [line, column] = place(mark);
    return document_.error(Code::kConfigInvalid, std::move(message), line, column);
  }

  int documents() const { return documents_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw error_at(mark, "a second document in one file");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(mark, Node::Kind::kNull), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(mark, Node::Kind::kText);
    node.text = value;
    node.plain = tag == "?";
    if (node.plain) {
      node.kind = plain_kind(value);
    } else if (tag != "!" && tag != "tag:yaml.org,2002:str") {
      throw error_at(mark, fmt::format("the tag '{}' is not understood here", tag));
    }
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw error_at(mark, "an alias inside the value it stands for");
    nodes_ += found->second.size;
    Node copy = found->second.node;
    const auto [line, column] = place(mark);
    copy.line = line;
    copy.column = column;
    check_limits(mark);
    finish(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    size_t nodes_before;
  };
  struct Anchored {
    Node node;
    size_t size;
  };

  void index_lines() {
    line_starts_.push_back(0);
    for (size_t i = 0; i < document_.source.size(); ++i) {
      if (document_.source[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  base::Position place(const YAML::Mark& mark) const {
    if (mark.line < 0) return {};
    const auto line = std::min(static_cast<size_t>(mark.line), line_starts_.size() - 1);
    const std::string_view rest = std::string_view(document_.source).substr(line_starts_[line]);
    const size_t bytes = std::min(static_cast<size_t>(std::max(mark.column, 0)), rest.size());
    // Marks come in order: count on from the last one, or a long line costs its square.
    if (line != last_line_ || bytes < last_bytes_) {
      last_line_ = line;
      last_bytes_ = last_points_ = 0;
    }
    last_points_ += base::code_points(rest.substr(last_bytes_, bytes - last_bytes_));
    last_bytes_ = bytes;
    return {static_cast<int>(line) + 1, static_cast<int>(last_points_) + 1};
  }

  void check_limits(const YAML::Mark& mark) const {
    if (nodes_ > kMaxNodes) throw error_at(mark, "too many values (aliases count each time)");
    if (stack_.size() >= kMaxDepth) throw error_at(mark, "nested too deeply");
  }

  Node make(const YAML::Mark& mark, Node::Kind kind) {
    ++nodes_;
    check_limits(mark);
    const auto [line, column] = place(mark);
    Node node;
    node.kind = kind;
    node.line = line;
    node.column = column;
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    if (tag != "?" && tag != "!" && !tag.empty()) {
      throw error_at(mark, fmt::format("the tag '{}' is not understood here", tag));
    }
    const size_t before = nodes_;
    stack_.push_back({make(mark, kind), anchor, before});
  }

  void close() {
    Open top = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(top.node), top.anchor, nodes_ - top.nodes_before);
  }

  void finish(Node node, YAML::anchor_t anchor, size_t size = 1) {
    if (anchor != 0) anchors_[anchor] = {node, size};
    if (stack_.empty()) {
      document_.root = std::move(node);
      return;
    }
    Node& parent = stack_.back().node;
    if (parent.kind == Node::Kind::kMap && parent.keys.size() == parent.items.size()) {
      if (!node.is_scalar() || node.kind == Node::Kind::kNull) {
        throw document_.error(Code::kConfigInvalid, "a key must be text", node.line, node.column);
      }
      parent.keys.push_back({std::move(node.text), node.line, node.column});
    } else {
      parent.items.push_back(std::move(node));
    }
  }

  Document& document_;
  std::vector<size_t> line_starts_;
  mutable size_t last_line_ = 0, last_bytes_ = 0, last_points_ = 0;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

bool name_char(char c, bool first) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         (!first && c >= '0' && c <= '9');
}

class Substitution {
 public:
  Substitution(Document& document, const Document::Lookup& lookup, std::vector<Error>& problems)
      : document_(document), lookup_(lookup), problems_(problems) {
    for (size_t i = 0; i <= document.source.size(); ++i) {
      if (i == 0 || document.source[i - 1] == '\n') line_starts_.push_back(i);
    }
  }

  void walk(Node& node) {
    for (Node& item : node.items) walk(item);
    if (node.is_scalar() && node.text.find("${") != std::string::npos) scalar(node);
  }

 private:
  void scalar(Node& node) {
    std::string result;
    bool replaced = false;
    size_t i = 0;
    while (i < node.text.size()) {
      if (node.text.compare(i, 3, "$${") == 0) {
        result += "${";
        i += 3;
        continue;
      }
      if (node.text.compare(i, 2, "${") != 0) {
        result += node.text[i++];
        continue;
      }
      const size_t end = node.text.find('}', i);
      const std::string name = end == std::string::npos ? "" : node.text.substr(i + 2, end - i - 2);
      if (!well_formed(name)) {
        node.unresolved = true;
        complain(node, "${", Code::kConfigInvalid, "malformed ${NAME}",
                 "a name has letters, digits and _; write $${ for a plain ${");
        return;
      }
      if (const auto value = lookup_(name)) {
        result += *value;
        replaced = true;
      } else {
        complain(node, "${" + name + "}", Code::kSecretMissing,
                 fmt::format("${{{}}} has no value", name),
                 fmt::format("set {} in the environment or in secrets.yaml", name));
        node.unresolved = true;
      }
      i = end + 1;
    }
    node.text = std::move(result);
    node.substituted = replaced;
    if (node.plain) node.kind = plain_kind(node.text);
  }

  static bool well_formed(std::string_view name) {
    if (name.empty() || name.size() > 128) return false;
    for (size_t i = 0; i < name.size(); ++i) {
      if (!name_char(name[i], i == 0)) return false;
    }
    return true;
  }

  // The reference itself if it stands in the source as it is, else its scalar's start.
  void complain(const Node& node, const std::string& reference, Code code, std::string message,
                std::string hint) {
    int line = node.line, column = node.column;
    const size_t row = static_cast<size_t>(std::max(node.line, 1)) - 1;
    if (row < line_starts_.size()) {
      const std::string_view rest = std::string_view(document_.source).substr(line_starts_[row]);
      size_t skip = 0;
      for (int i = 1; i < column && skip < rest.size(); ++i) {
        ++skip;
        while (skip < rest.size() && (static_cast<unsigned char>(rest[skip]) & 0xC0) == 0x80)
          ++skip;
      }
      const size_t found = rest.find(reference, skip);
      if (found != std::string_view::npos) {
        const base::Position position = base::position_of(rest, found);
        line = node.line + position.line - 1;
        column = position.column;
      }
    }
    problems_.push_back(
        document_.error(code, std::move(message), line, column).with_hint(std::move(hint)));
  }

  Document& document_;
  const Document::Lookup& lookup_;
  std::vector<Error>& problems_;
  std::vector<size_t> line_starts_;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].name == key) return &items[i];
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

std::optional<int64_t> Node::integer() const {
  if (kind != Kind::kInteger) return std::nullopt;
  std::string_view digits_text = text;
  int base = 10;
  if (digits_text.starts_with("0x") || digits_text.starts_with("0o")) {
    base = digits_text[1] == 'x' ? 16 : 8;
    digits_text.remove_prefix(2);
  } else if (digits_text.starts_with('+')) {
    digits_text.remove_prefix(1);
  }
  int64_t value = 0;
  const char* end = digits_text.data() + digits_text.size();
  const auto [stop, failure] = std::from_chars(digits_text.data(), end, value, base);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Node::Kind plain_kind(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return Node::Kind::kNull;
  }
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return Node::Kind::kBoolean;
  }
  if (is_integer(text)) return Node::Kind::kInteger;
  return is_number(text) ? Node::Kind::kNumber : Node::Kind::kText;
}

std::string describe(const Node& node, bool secret) {
  const bool hidden = secret || node.substituted;
  std::string shown;
  if (!hidden) {
    size_t length = std::min<size_t>(node.text.size(), 60);
    while (length < node.text.size() &&
           (static_cast<unsigned char>(node.text[length]) & 0xC0) == 0x80) {
      ++length;
    }
    shown = node.text.substr(0, length) + (length < node.text.size() ? "…" : "");
  }
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kSequence:
      return "a list";
    case Node::Kind::kMap:
      return "a mapping";
    case Node::Kind::kBoolean:
      return hidden ? "a boolean" : shown;
    case Node::Kind::kInteger:
      return hidden ? "an integer" : fmt::format("the integer {}", shown);
    case Node::Kind::kNumber:
      return hidden ? "a number" : fmt::format("the number {}", shown);
    case Node::Kind::kText:
      return hidden ? "some other text" : fmt::format("text '{}'", shown);
  }
  return "";
}

void Document::substitute(const Lookup& lookup, std::vector<Error>& problems) {
  Substitution(*this, lookup, problems).walk(root);
}

Error Document::error(Code code, std::string message, int line, int column) const {
  return Error(code, std::move(message), {line, column, file});
}

Document parse(std::string source, std::string file) {
  Document document{std::move(file), std::move(source), {}};
  if (document.source.starts_with("\xEF\xBB\xBF")) document.source.erase(0, 3);
  document.root.line = document.root.column = 1;
  if (document.source.size() > kMaxBytes) {
    throw document.error(Code::kConfigInvalid, "the file is larger than 1 MiB", 1, 1);
  }
  if (!base::valid_utf8(document.source)) {
    throw document.error(Code::kConfigInvalid, "the file is not UTF-8 text", 1, 1);
  }
  if (const size_t nul = document.source.find('\0'); nul != std::string::npos) {
    const base::Position at = base::position_of(document.source, nul);
    throw document.error(Code::kConfigInvalid, "a NUL character", at.line, at.column);
  }
  Builder builder(document);
  try {
    std::istringstream stream(document.source);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    throw builder.error_at(e.mark, fmt::format("not valid YAML: {}", e.msg));
  }
  return document;
}

}  // namespace meesh::yaml
