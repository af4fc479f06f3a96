#include "engine/functions/regular_expression.h"

#include <unordered_map>

#include "engine/functions/oniguruma.h"

namespace meesh::engine {
namespace {

using View = std::string_view;

/// Steps back within one search; millions of them take about a second.
constexpr unsigned long kMostRetries = 20'000'000;

const OnigUChar* bytes(const char* text) { return reinterpret_cast<const OnigUChar*>(text); }

/// Java's (?<name>…) as RE2 writes it.
std::string with_named_groups(View pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern.substr(i++, 2);
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
    const View next = pattern.substr(i + 1, 3);
    const bool named =
        next.size() == 3 && next.starts_with("?<") && next[2] != '=' && next[2] != '!';
    if (c == '(' && named && !in_class) {
      out += "?P";
      ++i;
    }
  }
  return out;
}

/// Whether RE2 would take the pattern for another: classes within classes and their intersections,
/// properties without braces.
bool means_another(View pattern) {
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const View rest = pattern.substr(i);
    if (rest[0] == '\\') {
      if ((rest.starts_with("\\p") || rest.starts_with("\\P")) && !rest.substr(2).starts_with('{'))
        return true;
      ++i;
    } else if (in_class &&
               (rest.starts_with("&&") || (rest[0] == '[' && !rest.substr(1).starts_with(':')))) {
      return true;
    } else if (rest[0] == '[') {
      in_class = true;
    } else if (rest[0] == ']') {
      in_class = false;
    }
  }
  return false;
}

/// Trino writes names between angle brackets.
std::string words(int code, const OnigErrorInfo& info) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN] = {};
  const int length = Oniguruma::library().error_code_to_str(text, code, &info);
  std::string out(reinterpret_cast<const char*>(text), static_cast<size_t>(std::max(length, 0)));
  const auto open = out.find('{');
  if (open != std::string::npos && out.back() == '}') {
    out[open] = '<';
    out.back() = '>';
  }
  return out;
}

}  // namespace

/// The pattern as Oniguruma has it; the rest is there only when it does the matching.
struct RegularExpression::Backtracking {
  explicit Backtracking(regex_t* made) : pattern(made) {}
  Backtracking(const Backtracking&) = delete;
  ~Backtracking() {
    const auto& library = Oniguruma::library();
    library.free(pattern);
    if (region) library.free_region(region, 1);
    if (limits) library.free_limits(limits);
  }
  regex_t* pattern;
  OnigRegion* region = nullptr;
  OnigMatchParam* limits = nullptr;
};

RegularExpression::~RegularExpression() = default;

RegularExpression::RegularExpression(View pattern) : pattern_(pattern) {
  regex_t* made = nullptr;
  OnigErrorInfo info{};
  auto& library = Oniguruma::library();
  const int code =
      library.make(&made, bytes(pattern_.data()), bytes(pattern_.data() + pattern_.size()),
                   ONIG_OPTION_NONE, library.utf8, &library.java, &info);
  if (code != ONIG_NORMAL) raise(Code::kInvalidFunctionArgument, words(code, info));
  backtracking_ = std::make_unique<Backtracking>(made);
  groups_ = library.number_of_captures(made);
  re2::RE2::Options options;
  options.set_log_errors(false);
  if (!means_another(pattern))
    linear_ = std::make_unique<re2::RE2>(with_named_groups(pattern), options);
  if (linear_ && (!linear_->ok() || linear_->NumberOfCapturingGroups() != groups_))
    linear_ = nullptr;
  if (linear_) return;
  backtracking_->region = library.make_region();
  backtracking_->limits = library.make_limits();
  library.initialize_limits(backtracking_->limits);
  library.set_retry_limit(backtracking_->limits, kMostRetries);
}

const RegularExpression& RegularExpression::compiled(View pattern) {
  // A statement uses few patterns, so all of them go when they become many.
  thread_local std::unordered_map<std::string, std::unique_ptr<RegularExpression>> cache;
  const std::string key(pattern);
  const auto found = cache.find(key);
  if (found != cache.end()) return *found->second;
  if (cache.size() > 64) cache.clear();
  std::unique_ptr<RegularExpression> made(new RegularExpression(pattern));
  return *(cache[key] = std::move(made));
}

std::optional<int> RegularExpression::group_named(const std::string& name) const {
  const int number = Oniguruma::library().name_to_backref_number(
      backtracking_->pattern, bytes(name.data()), bytes(name.data() + name.size()), nullptr);
  return number > 0 ? std::optional(number) : std::nullopt;
}

bool RegularExpression::match(View text, size_t from, Groups& groups) const {
  groups.resize(static_cast<size_t>(groups_) + 1);
  if (from > text.size()) return false;
  if (!linear_) return backtrack(text, from, groups);
  return linear_->Match({text.data(), text.size()}, from, text.size(), re2::RE2::UNANCHORED,
                        groups.data(), static_cast<int>(groups.size()));
}

bool RegularExpression::backtrack(View text, size_t from, Groups& groups) const {
  const char* start = text.data() ? text.data() : "";
  const char* end = start + text.size();
  const int at = Oniguruma::library().search(
      backtracking_->pattern, bytes(start), bytes(end), bytes(start + from), bytes(end),
      backtracking_->region, ONIG_OPTION_CHECK_VALIDITY_OF_STRING, backtracking_->limits);
  if (at == ONIG_MISMATCH) return false;
  if (at == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER || at == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER) {
    raise(Code::kExceededTimeLimit,
          "The regular expression '" + pattern_ + "' takes too many steps on one text");
  }
  if (at < 0) raise(Code::kInvalidFunctionArgument, words(at, OnigErrorInfo{}));
  for (size_t i = 0; i < groups.size(); ++i) {
    const int begin = backtracking_->region->beg[i];
    groups[i] = begin < 0
                    ? re2::StringPiece()
                    : re2::StringPiece(start + begin,
                                       static_cast<size_t>(backtracking_->region->end[i] - begin));
  }
  return true;
}

ExprPtr regexp_like(const Build& build, Exprs args) {
  const auto pattern = build.constant_value(*args[1]);
  if (!pattern.IsNull()) {
    const auto& known = RegularExpression::compiled(duckdb::StringValue::Get(pattern));
    if (known.is_linear()) {
      args[1] = build.constant(duckdb::Value(known.linear()));
      return build.call("regexp_matches", std::move(args));
    }
  }
  return build.call("meesh_regexp_like", std::move(args));
}

}  // namespace meesh::engine
