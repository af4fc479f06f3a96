#include "ingest/locations/records_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <map>
#include <pugixml.hpp>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/json_values.h"
#include "ingest/decode/numbers.h"
#include "ingest/rest/record_path.h"

namespace meesh::ingest {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kLargest = 1ull << 30;  // read as a whole; three times that in memory
constexpr int kMostDepth = 100;
constexpr size_t kMostDigits = 15;  // that a double holds

std::string content(const fs::path& file, const std::string& shown) {
  if (fs::file_size(file) > kLargest) {
    throw Error(Code::kNotSupported, fmt::format("{} is larger than {} MB, and is read as a whole",
                                                 shown, kLargest >> 20))
        .with_hint("split it, or have it written as lines of JSON");
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw Error(Code::kIoError, fmt::format("cannot read {}", file.string()));
  return text;
}

void write(const fs::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", file.string()));
}

// ---------------------------------------------------------------- XML

/// What all values of one member are.
enum class Values { kNone, kNumbers, kBooleans, kTexts };

bool plain_number(std::string_view text) {
  if (text.size() > kMostDigits || !is_number(text)) return false;
  return text.find_first_of("eE") == std::string_view::npos;  // "1e5" is a code more often
}

Values values_of(std::string_view text) {
  if (text.empty()) return Values::kNone;
  if (text == "true" || text == "false") return Values::kBooleans;
  return plain_number(text) ? Values::kNumbers : Values::kTexts;
}

/// A value as text, without the spaces around it; "" is NULL.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

bool has_elements(const pugi::xml_node& node) {
  for (const auto& child : node.children())
    if (child.type() == pugi::node_element) return true;
  return false;
}

/// An element as what JSON makes of it.
class Element {
 public:
  using Kinds = std::map<std::string, Values>;  // by member

  /// Members of records: what their values are.
  static void look(const pugi::xml_node& node, Kinds& kinds) {
    const auto note = [&](const std::string& name, std::string_view value) {
      Values& known = kinds[name];
      const auto found = values_of(trimmed(value));
      if (found == Values::kNone || known == found) return;
      known = known == Values::kNone ? found : Values::kTexts;
    };
    for (const auto& attribute : node.attributes()) note(attribute.name(), attribute.value());
    for (const auto& child : node.children())
      if (child.type() == pugi::node_element && !has_elements(child) && !child.first_attribute())
        note(child.name(), child.text().get());
  }

  static void append(const pugi::xml_node& node, const Kinds* kinds, std::string& out, int depth) {
    if (depth > kMostDepth)
      throw Error(Code::kInvalidArguments, fmt::format("elements nest deeper than {}", kMostDepth));
    std::vector<std::string> names;  // in their order
    std::map<std::string, std::vector<std::string>> members;
    const auto add = [&](const std::string& name, std::string value) {
      auto& values = members[name];
      if (values.empty()) names.push_back(name);
      values.push_back(std::move(value));
    };
    for (const auto& attribute : node.attributes())
      add(attribute.name(), scalar(attribute.name(), attribute.value(), kinds));
    for (const auto& child : node.children()) {
      if (child.type() != pugi::node_element) continue;
      std::string value;
      if (has_elements(child) || child.first_attribute()) {
        append(child, nullptr, value, depth + 1);
      } else {
        value = scalar(child.name(), child.text().get(), kinds);
      }
      add(child.name(), std::move(value));
    }
    if (!has_elements(node) && !trimmed(node.text().get()).empty())
      add("value", scalar("value", node.text().get(), nullptr));
    out += '{';
    for (const auto& name : names) {
      const auto& values = members[name];
      if (out.back() != '{') out += ',';
      append_quoted(name, out);
      out += ':';
      out += values.size() == 1 ? values[0] : "[" + base::join(values, ",") + "]";
    }
    out += '}';
  }

 private:
  static std::string scalar(const std::string& name, std::string_view text, const Kinds* kinds) {
    text = trimmed(text);
    if (text.empty()) return "null";
    if (kinds) {
      const auto found = kinds->find(name);
      if (found != kinds->end() && found->second != Values::kTexts) return std::string(text);
    }
    std::string quoted;
    append_quoted(text, quoted);
    return quoted;
  }
};

std::vector<pugi::xml_node> found_elements(const pugi::xml_document& document,
                                           const std::string& records) {
  std::vector<pugi::xml_node> found;
  if (records.empty()) {
    for (const auto& child : document.document_element().children())
      if (child.type() == pugi::node_element) found.push_back(child);
    return found;
  }
  try {
    for (const auto& match : document.select_nodes(records.c_str()))
      if (match.node().type() == pugi::node_element) found.push_back(match.node());
  } catch (const pugi::xpath_exception& error) {
    throw Error(Code::kInvalidArguments,
                fmt::format("'{}' is no XPath of elements: {}", records, error.what()))
        .with_hint("records: //order");
  }
  return found;
}

}  // namespace

void write_json_records(const fs::path& file, const std::string& records, const std::string& shown,
                        const fs::path& lines) {
  const auto path = RecordPath::parse(records);
  const auto page = compact_json(content(file, shown));
  if (!page) throw Error(Code::kInvalidArguments, fmt::format("{} is no JSON", shown));
  std::string text;
  const bool there = path.each(*page, [&](std::string_view record) {
    text += record;
    text += '\n';
  });
  if (!there) {
    throw Error(Code::kInvalidArguments,
                fmt::format("{} has nothing where '{}' says", shown, records))
        .with_hint("look at 'records' in the source's file");
  }
  write(lines, text);
}

std::string xml_records(std::string_view xml, const std::string& records) {
  pugi::xml_document document;
  // Entities that a document type declares are not read, so that none grows.
  const auto parsed = document.load_buffer(xml.data(), xml.size(),
                                           pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed) {
    const auto at =
        base::position_of(xml, static_cast<size_t>(std::max<ptrdiff_t>(0, parsed.offset)));
    throw Error(Code::kInvalidArguments, fmt::format("line {}:{}: it is no XML: {}", at.line,
                                                     at.column, parsed.description()));
  }
  const auto elements = found_elements(document, records);
  Element::Kinds kinds;
  for (const auto& element : elements) Element::look(element, kinds);
  std::string text;
  for (const auto& element : elements) {
    Element::append(element, &kinds, text, 0);
    text += '\n';
  }
  if (!base::valid_utf8(text)) throw Error(Code::kInvalidArguments, "it is not UTF-8");
  return text;
}

void write_xml_records(const fs::path& file, const std::string& records, const std::string& shown,
                       const fs::path& lines) {
  try {
    write(lines, xml_records(content(file, shown), records));
  } catch (Error& error) {
    throw error.prefixed(shown);
  }
}

}  // namespace meesh::ingest
