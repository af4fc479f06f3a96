#include "dashboards/yaml_json.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace meesh::dashboards {

namespace json = boost::json;

namespace {

constexpr size_t kShort = 8;  // items of a list or map that may stand on one line

json::value number_of(const yaml::Node& node) {
  if (const auto integer = node.integer()) return *integer;
  std::string text = node.text;
  std::erase(text, '_');
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, failed] = std::from_chars(begin, text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return json::value(node.text);
  return value;
}

bool is_scalar(const json::value& value) { return !value.is_object() && !value.is_array(); }

/// Fits on a line: short texts and numbers alone.
bool fits(const json::value& value) {
  if (value.is_array()) {
    const auto& items = value.get_array();
    return items.size() <= kShort && std::ranges::all_of(items, [](const json::value& item) {
             return is_scalar(item) && (!item.is_string() || item.get_string().size() <= 30);
           });
  }
  const auto& members = value.get_object();
  size_t length = 0;
  for (const auto& [key, item] : members) {
    if (item.is_object()) return false;
    if (item.is_array() && !fits(item)) return false;
    if (item.is_string() && item.get_string().find('\n') != std::string::npos) return false;
    length += key.size() + json::serialize(item).size() + 4;
  }
  return length <= 90;
}

/// Begins like 2026-01-31: others read YAML 1.1, where that is a moment.
bool like_a_date(std::string_view text) {
  const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  return text.size() >= 8 && digit(0) && digit(1) && digit(2) && digit(3) && text[4] == '-' &&
         digit(5);
}

/// Words that YAML 1.1 reads as true or false.
bool like_a_flag(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kWords{"yes", "no", "on", "off"};
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::ranges::find(kWords, small) != kWords.end();
}

/// Text that plain YAML would read as something else, or that it cannot hold plainly.
bool needs_quotes(std::string_view text) {
  return text.empty() || yaml::plain_kind(text) != yaml::Node::Kind::kText || like_a_date(text) ||
         like_a_flag(text) || text.find("${") != std::string_view::npos;
}

/// Several lines that a literal block keeps as they are: no line ends in a space, none is empty at
/// the beginning or the end, no control character.
bool can_be_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n' ||
      text.ends_with('\n') || text.ends_with(' ') || text.find(" \n") != std::string_view::npos)
    return false;
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n'; });
}

void emit_text(YAML::Emitter& out, std::string text) {
  const bool ended = text.ends_with('\n');
  if (ended) text.pop_back();
  if (can_be_block(text)) {
    out << YAML::Literal << text;
    return;
  }
  if (ended) text += '\n';
  if (needs_quotes(text)) {
    out << YAML::DoubleQuoted << text;
  } else {
    out << text;
  }
}

void emit(YAML::Emitter& out, const json::value& value, bool flow) {
  switch (value.kind()) {
    case json::kind::null:
      out << YAML::Null;
      return;
    case json::kind::bool_:
      out << value.get_bool();
      return;
    case json::kind::int64:
      out << std::to_string(value.get_int64());
      return;
    case json::kind::uint64:
      out << std::to_string(value.get_uint64());
      return;
    case json::kind::double_:
      out << fmt::format("{}", value.get_double());
      return;
    case json::kind::string:
      if (flow && value.get_string().find('\n') != std::string::npos) {
        out << YAML::DoubleQuoted << std::string(value.get_string());
      } else {
        emit_text(out, std::string(value.get_string()));
      }
      return;
    case json::kind::array: {
      const bool one_line = flow || fits(value);
      if (one_line) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const auto& item : value.get_array()) emit(out, item, one_line);
      out << YAML::EndSeq;
      return;
    }
    case json::kind::object: {
      const bool one_line = flow || fits(value);
      if (one_line) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& [key, item] : value.get_object()) {
        out << YAML::Key;
        emit_text(out, std::string(key));
        out << YAML::Value;
        emit(out, item, one_line);
      }
      out << YAML::EndMap;
      return;
    }
  }
}

}  // namespace

json::value to_json(const yaml::Node& node) {
  using Kind = yaml::Node::Kind;
  switch (node.kind) {
    case Kind::kNull:
      return nullptr;
    case Kind::kBoolean:
      return node.boolean();
    case Kind::kInteger:
    case Kind::kNumber:
      return number_of(node);
    case Kind::kText:
      return json::value(node.text);
    case Kind::kSequence: {
      json::array items;
      for (const auto& item : node.items) items.push_back(to_json(item));
      return items;
    }
    case Kind::kMap: {
      json::object members;
      for (size_t i = 0; i < node.keys.size(); ++i)
        members[node.keys[i].name] = to_json(node.items[i]);
      return members;
    }
  }
  return nullptr;
}

std::string to_yaml(const json::value& value) {
  YAML::Emitter out;
  out.SetIndent(2);
  out.SetMapFormat(YAML::Block);
  if (value.is_object()) {
    // The document itself is never one line.
    out << YAML::BeginMap;
    for (const auto& [key, item] : value.get_object()) {
      out << YAML::Key;
      emit_text(out, std::string(key));
      out << YAML::Value;
      emit(out, item, false);
    }
    out << YAML::EndMap;
  } else {
    emit(out, value, false);
  }
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace meesh::dashboards
