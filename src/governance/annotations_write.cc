// Annotations and terms as YAML again.
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "governance/annotations.h"

namespace meesh::governance {
namespace {

/// Words that every reader of YAML takes for text when they stand without quotes.
bool is_plain(const std::string& text) {
  static const std::vector<std::string> kWords{"y", "n", "yes", "no", "on", "off"};
  const auto simple = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-';
  };
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
  if (!std::ranges::all_of(text, simple)) return false;
  std::string small = text;
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return yaml::plain_kind(text) == yaml::Node::Kind::kText &&
         std::ranges::find(kWords, small) == kWords.end();
}

/// Whether a block of lines (|) reads as what it was written from, a last line end aside.
bool is_block(const std::string& text) {
  if (text.find('\n') == std::string::npos || text[0] == ' ' || text[0] == '\n') return false;
  if (text.find(" \n") != std::string::npos) return false;
  return std::ranges::all_of(text, [](unsigned char c) { return c == '\n' || c >= 0x20; }) &&
         text.find("\x7f") == std::string::npos && text.find("\xc2") == std::string::npos &&
         text.find("\xe2\x80") == std::string::npos && text.find("\xef") == std::string::npos;
}

void write(YAML::Emitter& out, const std::string& text) {
  if (is_plain(text)) {
    out << text;
  } else if (is_block(text)) {
    out << YAML::Literal << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void key(YAML::Emitter& out, const std::string& name) {
  out << YAML::Key;
  if (is_plain(name)) {
    out << name;
  } else {
    out << YAML::DoubleQuoted << name;
  }
  out << YAML::Value;
}

void pair(YAML::Emitter& out, const char* name, const std::string& value) {
  if (value.empty()) return;
  out << YAML::Key << name << YAML::Value;
  write(out, value);
}

void pair(YAML::Emitter& out, const char* name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out << YAML::Key << name << YAML::Value << YAML::Flow << YAML::BeginSeq;
  for (const auto& value : values) {
    if (is_plain(value)) {
      out << value;
    } else {
      out << YAML::DoubleQuoted << value;
    }
  }
  out << YAML::EndSeq;
}

void column(YAML::Emitter& out, const ColumnNote& note) {
  out << YAML::BeginMap;
  pair(out, "description", note.description);
  pair(out, "tags", note.tags);
  pair(out, "terms", note.terms);
  if (!note.propagate) out << YAML::Key << "propagate" << YAML::Value << false;
  if (!note.inherit) out << YAML::Key << "inherit" << YAML::Value << false;
  out << YAML::EndMap;
}

std::string finished(const YAML::Emitter& out) {
  if (!out.good()) internal_error("YAML: " + out.GetLastError());
  return std::string(out.c_str()) + "\n";
}

}  // namespace

std::string write_assets(const AssetNotes& assets) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "assets" << YAML::Value << YAML::BeginMap;
  for (const auto& [name, note] : assets) {
    key(out, name);
    out << YAML::BeginMap;
    pair(out, "description", note.description);
    pair(out, "owner", note.owner);
    pair(out, "tier", note.tier);
    pair(out, "tags", note.tags);
    pair(out, "terms", note.terms);
    if (!note.columns.empty()) {
      out << YAML::Key << "columns" << YAML::Value << YAML::BeginMap;
      for (const auto& [column_name, one] : note.columns) {
        key(out, column_name);
        column(out, one);
      }
      out << YAML::EndMap;
    }
    out << YAML::EndMap;
  }
  out << YAML::EndMap << YAML::EndMap;
  return finished(out);
}

std::string write_terms(const Terms& terms) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "terms" << YAML::Value << YAML::BeginMap;
  for (const auto& [name, term] : terms) {
    key(out, name);
    out << YAML::BeginMap;
    pair(out, "definition", term.definition);
    pair(out, "synonyms", term.synonyms);
    pair(out, "parent", term.parent);
    pair(out, "related", term.related);
    pair(out, "owner", term.owner);
    pair(out, "status", term.status);
    out << YAML::EndMap;
  }
  out << YAML::EndMap << YAML::EndMap;
  return finished(out);
}

}  // namespace meesh::governance
