#include "ingest/rest/record_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "ingest/decode/json_text.h"
#include "ingest/rest/json_view.h"

namespace meesh::ingest {

namespace {

constexpr size_t kMostSteps = 32;

[[noreturn]] void malformed(std::string_view text) {
  throw Error(Code::kConfigInvalid, fmt::format("'{}' is no path to records", text))
      .with_hint("names between dots, such as data.items, or $ for the whole page");
}

/// Takes a quoted name, whose quote comes next.
std::string quoted_name(std::string_view whole, std::string_view& rest) {
  const char quote = rest[0];
  const size_t end = rest.find(quote, 1);
  if (end == std::string_view::npos || end == 1) malformed(whole);
  std::string name(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  return name;
}

}  // namespace

RecordPath RecordPath::parse(std::string_view text) {
  RecordPath path;
  std::string_view rest = text;
  bool name_may_come = true;
  if (rest.starts_with('$')) {
    rest.remove_prefix(1);
    name_may_come = false;
  }
  while (!rest.empty()) {
    if (path.steps_.size() == kMostSteps) malformed(text);
    if (rest[0] == '[') {
      rest.remove_prefix(1);
      Step step;
      if (rest.starts_with('*')) {
        step.kind = Step::Kind::kAll;
        rest.remove_prefix(1);
      } else if (rest.starts_with('"') || rest.starts_with('\'')) {
        step.name = quoted_name(text, rest);
      } else {
        step.kind = Step::Kind::kItem;
        const auto [end, failed] =
            std::from_chars(rest.data(), rest.data() + rest.size(), step.number);
        if (failed != std::errc()) malformed(text);
        rest.remove_prefix(static_cast<size_t>(end - rest.data()));
      }
      if (!rest.starts_with(']')) malformed(text);
      rest.remove_prefix(1);
      path.steps_.push_back(std::move(step));
      name_may_come = false;
      continue;
    }
    if (!name_may_come) {
      if (rest[0] != '.') malformed(text);
      rest.remove_prefix(1);
    }
    Step step;
    if (rest.starts_with('"')) {
      step.name = quoted_name(text, rest);
    } else {
      const size_t end = std::min(rest.find_first_of(".[]\"'"), rest.size());
      step.name = rest.substr(0, end);
      rest.remove_prefix(end);
      if (step.name == "*") step.kind = Step::Kind::kAll;
    }
    if (step.name.empty()) malformed(text);
    path.steps_.push_back(std::move(step));
    name_may_come = false;
  }
  return path;
}

bool RecordPath::walk(std::string_view value, size_t at,
                      const std::function<bool(std::string_view)>& use) const {
  if (at == steps_.size()) return use(value);
  const Step& step = steps_[at];
  bool go_on = true;
  if (step.kind == Step::Kind::kAll) {
    const auto enter = [&](std::string_view inner) { return go_on = walk(inner, at + 1, use); };
    if (is_array(value)) each_item(value, enter);
    if (is_object(value))
      each_member(value, [&](std::string_view, std::string_view inner) { return enter(inner); });
    return go_on;
  }
  if (step.kind == Step::Kind::kItem) {
    size_t number = 0;
    if (is_array(value)) {
      each_item(value, [&](std::string_view item) {
        if (number++ != step.number) return true;
        go_on = walk(item, at + 1, use);
        return false;
      });
    }
    return go_on;
  }
  if (!is_object(value)) return true;
  each_member(value, [&](std::string_view name, std::string_view inner) {
    if (name != step.name) return true;
    go_on = walk(inner, at + 1, use);
    return false;
  });
  return go_on;
}

bool RecordPath::each(std::string_view page,
                      const std::function<void(std::string_view)>& use) const {
  bool found = false;
  const auto record = [&](std::string_view value) {
    if (is_null(value)) return true;
    if (is_object(value)) {
      use(value);
    } else {
      use(fmt::format("{{\"value\":{}}}", value));
    }
    return true;
  };
  walk(page, 0, [&](std::string_view value) {
    found = true;
    if (is_array(value)) {
      each_item(value, record);
    } else {
      record(value);
    }
    return true;
  });
  return found;
}

std::optional<std::string_view> RecordPath::value(std::string_view page) const {
  std::optional<std::string_view> found;
  walk(page, 0, [&](std::string_view value) {
    if (!is_null(value)) found = value;
    return false;
  });
  return found;
}

std::optional<std::string> RecordPath::text(std::string_view page) const {
  const auto found = value(page);
  if (!found) return std::nullopt;
  return plain_text(*found);
}

std::string likely_records(std::string_view page) {
  if (!is_object(page)) return "$";
  std::vector<std::string> arrays, objects;
  each_member(page, [&](std::string_view name, std::string_view value) {
    if (is_array(value)) {
      arrays.emplace_back(name);
      if (value.starts_with("[{")) objects.emplace_back(name);
    }
    return true;
  });
  const auto& candidates = objects.empty() ? arrays : objects;
  if (candidates.empty()) return "$";
  if (candidates.size() == 1) {
    std::string path = "$[\"" + candidates[0] + "\"]";
    // A name with a quote in it can only be written by whoever writes the file.
    if (candidates[0].find('"') == std::string::npos && !candidates[0].empty()) return path;
  }
  throw Error(Code::kConfigInvalid,
              "the page holds several lists, and nobody says which has the "
              "records")
      .with_hint(fmt::format("records: one of {}", base::join(candidates, ", ")));
}

}  // namespace meesh::ingest
