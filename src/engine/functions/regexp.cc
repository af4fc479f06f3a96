// The regexp_ functions. Group references in replacements are $1 and ${name}, as in Java.
#include "engine/functions/regular_expression.h"
#include "engine/functions/text.h"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

using View = std::string_view;
using Texts = std::vector<std::optional<std::string>>;

void check_group(const RegularExpression& re, int64_t group) {
  if (group < 0) raise(Code::kInvalidFunctionArgument, "Group cannot be negative");
  if (group > re.groups()) {
    raise(Code::kInvalidFunctionArgument, "Pattern has " + std::to_string(re.groups()) +
                                              " groups. Cannot access group " +
                                              std::to_string(group));
  }
}

/// Calls `each(groups)` for every match from left to right; groups[0] is the match. Stops on false.
template <class F>
void for_each_match(const RegularExpression& re, View text, size_t from, F each) {
  RegularExpression::Groups groups;
  while (re.match(text, from, groups)) {
    if (!each(groups)) return;
    const size_t start = static_cast<size_t>(groups[0].data() - text.data());
    from = start + groups[0].size();
    if (groups[0].empty())
      from += std::max<size_t>(1, first_points(text.substr(std::min(from, text.size())), 1).size());
  }
}

std::optional<std::string> extract(View text, View pattern, int64_t group) {
  const auto& re = RegularExpression::compiled(pattern);
  check_group(re, group);
  std::optional<std::string> out;
  for_each_match(re, text, 0, [&](auto& groups) {
    auto& g = groups[static_cast<size_t>(group)];
    if (g.data()) out = std::string(g.data(), g.size());
    return false;
  });
  return out;
}

Texts extract_all(View text, View pattern, int64_t group) {
  const auto& re = RegularExpression::compiled(pattern);
  check_group(re, group);
  Texts out;
  for_each_match(re, text, 0, [&](auto& groups) {
    auto& g = groups[static_cast<size_t>(group)];
    out.push_back(g.data() ? std::optional(std::string(g.data(), g.size())) : std::nullopt);
    return true;
  });
  return out;
}

Texts split(View text, View pattern) {
  Texts out;
  size_t last = 0;
  for_each_match(RegularExpression::compiled(pattern), text, 0, [&](auto& groups) {
    const size_t start = static_cast<size_t>(groups[0].data() - text.data());
    out.emplace_back(text.substr(last, start - last));
    last = start + groups[0].size();
    return true;
  });
  out.emplace_back(text.substr(last));
  return out;
}

bool like(View text, View pattern) {
  thread_local RegularExpression::Groups groups;
  return RegularExpression::compiled(pattern).match(text, 0, groups);
}

int64_t count(View text, View pattern) {
  int64_t out = 0;
  for_each_match(RegularExpression::compiled(pattern), text, 0, [&](auto&) { return ++out > 0; });
  return out;
}

int32_t position(View text, View pattern, int64_t start, int64_t occurrence) {
  if (start < 1) raise(Code::kInvalidFunctionArgument, "start position cannot be smaller than 1");
  if (occurrence < 1) raise(Code::kInvalidFunctionArgument, "occurrence cannot be smaller than 1");
  if (static_cast<size_t>(start) > count_points(text) + 1) return -1;
  const size_t from = first_points(text, static_cast<size_t>(start - 1)).size();
  int32_t out = -1;
  for_each_match(RegularExpression::compiled(pattern), text, from, [&](auto& groups) {
    if (--occurrence > 0) return true;
    out = static_cast<int32_t>(
              count_points(text.substr(0, static_cast<size_t>(groups[0].data() - text.data())))) +
          1;
    return false;
  });
  return out;
}

/// The replacement split in literal text and group numbers (-1 = literal).
std::vector<std::pair<int, std::string>> parse_replacement(const RegularExpression& re, View text) {
  std::vector<std::pair<int, std::string>> out;
  std::string plain;
  auto bad = [](const std::string& why) {
    raise(Code::kInvalidFunctionArgument, "Illegal replacement sequence: " + why);
  };
  auto group = [&](int number) {
    if (number > re.groups()) bad("unknown group " + std::to_string(number));
    if (!plain.empty()) out.emplace_back(-1, std::move(plain));
    plain.clear();
    out.emplace_back(number, "");
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size()) bad("character to be escaped is missing");
      plain += text[i];
    } else if (text[i] != '$') {
      plain += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '{') {
      const size_t end = text.find('}', i);
      if (end == View::npos) bad("group name without }");
      const std::string name(text.substr(i + 2, end - i - 2));
      const auto found = re.group_named(name);
      if (!found) bad("unknown group { " + name + " }");
      group(found.value_or(0));
      i = end;
    } else if (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1]))) {
      int number = text[++i] - '0';
      while (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) &&
             number * 10 + (text[i + 1] - '0') <= re.groups()) {
        number = number * 10 + (text[++i] - '0');
      }
      group(number);
    } else {
      bad("$");
    }
  }
  if (!plain.empty()) out.emplace_back(-1, std::move(plain));
  return out;
}

std::string replace(View text, View pattern, View replacement) {
  const auto& re = RegularExpression::compiled(pattern);
  const auto parts = parse_replacement(re, replacement);
  std::string out;
  size_t last = 0;
  for_each_match(re, text, 0, [&](auto& groups) {
    const size_t start = static_cast<size_t>(groups[0].data() - text.data());
    out += text.substr(last, start - last);
    for (auto& [number, literal] : parts) {
      if (number < 0) {
        out += literal;
      } else if (groups[static_cast<size_t>(number)].data()) {
        out.append(groups[static_cast<size_t>(number)].data(),
                   groups[static_cast<size_t>(number)].size());
      }
    }
    last = start + groups[0].size();
    return true;
  });
  return out += text.substr(last);
}

// ---------------------------------------------------------------- replacing by a lambda

/// The groups of each match, without the match itself, as a list a match.
duckdb::Value match_groups(const Values& in, const duckdb::LogicalType& type) {
  const std::string &text = duckdb::StringValue::Get(in[0]),
                    &pattern = duckdb::StringValue::Get(in[1]);
  const auto texts = duckdb::ListType::GetChildType(type);
  Values out;
  for_each_match(RegularExpression::compiled(pattern), text, 0, [&](auto& groups) {
    Values one;
    for (size_t i = 1; i < groups.size(); ++i)
      one.push_back(groups[i].data()
                        ? duckdb::Value(std::string(groups[i].data(), groups[i].size()))
                        : duckdb::Value(kText));
    out.push_back(list_like(texts, std::move(one)));
    return true;
  });
  return list_like(type, std::move(out));
}

/// The text with its matches replaced, in order; a NULL replacement makes all of it NULL.
duckdb::Value join_replacements(const Values& in, const duckdb::LogicalType&) {
  const std::string &text = duckdb::StringValue::Get(in[0]),
                    &pattern = duckdb::StringValue::Get(in[1]);
  const auto& replacements = duckdb::ListValue::GetChildren(in[2]);
  std::string out;
  size_t last = 0, next = 0;
  bool null = false;
  for_each_match(RegularExpression::compiled(pattern), text, 0, [&](auto& groups) {
    const auto start = static_cast<size_t>(groups[0].data() - text.data());
    out.append(text, last, start - last);
    const auto& by = replacements[next++];
    null = by.IsNull();
    if (null) return false;
    out += duckdb::StringValue::Get(by);
    last = start + groups[0].size();
    return true;
  });
  if (null) return duckdb::Value(kText);
  return duckdb::Value(out.append(text, last, std::string::npos));
}

}  // namespace

void register_regexp_kernels(duckdb::ExtensionLoader& loader) {
  const auto texts = duckdb::LogicalType::LIST(kText);
  add_kernel<View, View, int64_t>(loader, "meesh_regexp_extract", {kText, kText, kLong}, kText,
                                  extract);
  add_kernel<View, View, int64_t>(loader, "meesh_regexp_extract_all", {kText, kText, kLong}, texts,
                                  extract_all);
  add_kernel<View, View, View>(loader, "meesh_regexp_replace", {kText, kText, kText}, kText,
                               replace);
  add_kernel<View, View>(loader, "meesh_regexp_split", {kText, kText}, texts, split);
  add_kernel<View, View>(loader, "meesh_regexp_like", {kText, kText}, kBool, like);
  add_kernel<View, View>(loader, "meesh_regexp_count", {kText, kText}, kLong, count);
  add_kernel<View, View, int64_t, int64_t>(loader, "meesh_regexp_position",
                                           {kText, kText, kLong, kLong}, kInt, position);
  add_value_kernel(loader, "meesh_regexp_groups", {kText, kText}, duckdb::LogicalType::LIST(texts),
                   nullptr, match_groups);
  add_value_kernel(loader, "meesh_regexp_joined", {kText, kText, texts}, kText, nullptr,
                   join_replacements);
}

}  // namespace meesh::engine
