#include "serve/s3/xml.h"

#include <charconv>

#include "base/text.h"
#include "serve/s3/error.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

struct StringWriter final : pugi::xml_writer {
  void write(const void* data, size_t size) override {
    text.append(static_cast<const char*>(data), size);
  }
  std::string text;
};

int depth_of(pugi::xml_node node) {
  int depth = 0;
  for (; node; node = node.parent()) ++depth;
  return depth;
}

void check_depth(const pugi::xml_document& document) {
  // Without recursion: the document may be as deep as it is long.
  pugi::xml_node node = document.first_child();
  int depth = depth_of(node);
  while (node) {
    if (depth > kMaxXmlDepth) malformed_xml("elements are nested too deep");
    if (node.first_child()) {
      node = node.first_child();
      ++depth;
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node) node = node.next_sibling();
  }
}

// A reference to the character 0 would end texts early where they are read.
void refuse_zero_references(std::string_view text) {
  for (size_t at = text.find("&#"); at != std::string_view::npos; at = text.find("&#", at + 2)) {
    size_t digits = at + 2;
    int base = 10;
    if (digits < text.size() && text[digits] == 'x') {
      base = 16;
      ++digits;
    }
    uint32_t code = 0;
    auto [end, error] =
        std::from_chars(text.data() + digits, text.data() + text.size(), code, base);
    if (error != std::errc() || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      malformed_xml("a reference to a character that there is not");
    }
  }
}

/// Bytes of one object in a listing, its end tag included.
constexpr size_t kUsualRow = 400;

void append_escaped(std::string& out, std::string_view value) {
  size_t begin = 0;  // of what is not in `out` yet
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '&' && c != '<' && c != '>') continue;
    out += value.substr(begin, i - begin);
    begin = i + 1;
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += "&#" + std::to_string(c) + ";";
    }
  }
  out += value.substr(begin);
}

}  // namespace

void XmlRows::expect(size_t rows) { text_.reserve((rows + 1) * kUsualRow); }

void XmlRows::open(std::string_view name) { (((text_ += '<') += name) += '>'); }

void XmlRows::close(std::string_view name) { (((text_ += "</") += name) += '>'); }

void XmlRows::add(std::string_view name, std::string_view value) {
  open(name);
  append_escaped(text_, value);
  close(name);
}

void XmlRows::add(std::string_view name, uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  add(name, std::string_view(digits, static_cast<size_t>(end - digits)));
}

XmlAnswer::XmlAnswer(const char* root, const char* name_space) {
  root_ = document_.append_child(root);
  if (name_space != nullptr) root_.append_attribute("xmlns").set_value(name_space);
}

std::string XmlAnswer::take_text(bool declaration) {
  StringWriter out;
  if (declaration) out.text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  document_.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  std::string rows = rows_.take();
  if (rows.empty()) return std::move(out.text);
  const std::string end = fmt::format("</{}>", root_.name());
  if (out.text.ends_with("/>")) {
    out.text.replace(out.text.size() - 2, 2, ">");
  } else {
    out.text.resize(out.text.size() - end.size());
  }
  rows.insert(0, out.text);
  return std::move(rows += end);
}

pugi::xml_node add(pugi::xml_node parent, const char* name) { return parent.append_child(name); }

void add(pugi::xml_node parent, const char* name, std::string_view value) {
  pugi::xml_node node = parent.append_child(name);
  if (!value.empty()) {
    node.append_child(pugi::node_pcdata).set_value(value.data(), value.size());
  }
}

void add(pugi::xml_node parent, const char* name, uint64_t value) {
  add(parent, name, std::string_view(std::to_string(value)));
}

void add_flag(pugi::xml_node parent, const char* name, bool value) {
  add(parent, name, value ? std::string_view("true") : std::string_view("false"));
}

XmlRequest::XmlRequest(std::string_view text, const char* root) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.empty()) malformed_xml("the body is empty");
  if (!base::valid_utf8(text)) malformed_xml("the body is not UTF-8");
  if (text.find('\0') != std::string_view::npos) malformed_xml("the body holds a NUL");
  refuse_zero_references(text);
  auto result = document_.load_buffer(text.data(), text.size(),
                                      pugi::parse_default | pugi::parse_ws_pcdata_single,
                                      pugi::encoding_utf8);
  if (!result) {
    malformed_xml(fmt::format("{} at byte {}", result.description(), result.offset));
  }
  check_depth(document_);
  root_ = document_.document_element();
  if (std::string_view(root_.name()) != root) {
    malformed_xml(fmt::format("the document is a <{}>, a <{}> is expected", root_.name(), root));
  }
}

void only_children(pugi::xml_node node, std::initializer_list<std::string_view> names) {
  for (pugi::xml_node child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    if (std::find(names.begin(), names.end(), child.name()) == names.end()) {
      malformed_xml(fmt::format("<{}> in <{}> is not known", child.name(), node.name()));
    }
  }
}

std::optional<std::string> child_text(pugi::xml_node node, const char* name) {
  pugi::xml_node child = node.child(name);
  if (!child) return std::nullopt;
  if (child.next_sibling(name)) {
    malformed_xml(fmt::format("more than one <{}> in <{}>", name, node.name()));
  }
  std::string text;
  for (pugi::xml_node piece : child.children()) {
    if (piece.type() == pugi::node_element) {
      malformed_xml(fmt::format("<{}> holds elements, a text is expected", name));
    }
    text += piece.value();
  }
  return text;
}

std::string needed_text(pugi::xml_node node, const char* name) {
  auto text = child_text(node, name);
  if (!text) malformed_xml(fmt::format("<{}> lacks its <{}>", node.name(), name));
  return std::move(*text);
}

std::optional<int64_t> child_number(pugi::xml_node node, const char* name) {
  auto text = child_text(node, name);
  if (!text) return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (text->empty() || error != std::errc() || end != text->data() + text->size()) {
    malformed_xml(fmt::format("<{}> is not a number", name));
  }
  return value;
}

void malformed_xml(const std::string& why) {
  throw S3Error(objects::Reason::kMalformedXML,
                "The XML you provided was not well-formed or did not validate against our "
                "published schema: " +
                    why);
}

objects::Tags read_tag_set(pugi::xml_node set, size_t limit) {
  objects::Tags tags;
  for (pugi::xml_node tag : set.children("Tag")) {
    only_children(tag, {"Key", "Value"});
    add_tag(tags, needed_text(tag, "Key"), needed_text(tag, "Value"), limit);
  }
  return tags;
}

void add_tag_set(pugi::xml_node parent, const objects::Tags& tags) {
  pugi::xml_node set = add(parent, "TagSet");
  for (const auto& [key, value] : tags) {
    pugi::xml_node tag = add(set, "Tag");
    add(tag, "Key", key);
    add(tag, "Value", value);
  }
}

}  // namespace meesh::serve::s3
