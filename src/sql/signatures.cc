#include "sql/signatures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "sql/lexer.h"
#include "sql/resolve_types.h"

namespace meesh::sql {
namespace {

/// Those that repeat their last argument; the fewest arguments they take.
const std::map<std::string_view, size_t> kVariadic = {{"concat", 0}, {"concat_ws", 2},
                                                      {"format", 1}, {"greatest", 1},
                                                      {"least", 1},  {"map_concat", 1}};

/// Written with words between their arguments; the parser alone knows how many there are.
const std::set<std::string_view> kSyntaxForms = {"listagg", "normalize", "trim"};

/// "t,boolean" of "function(t,boolean)".
std::string_view inside(std::string_view formal) {
  const size_t open = formal.find('(');
  return formal.substr(open + 1, formal.rfind(')') - open - 1);
}

Signature parse_line(std::string_view line) {
  std::string_view cells[6];
  for (auto& cell : cells) {
    cell = line.substr(0, line.find('|'));
    line.remove_prefix(std::min(cell.size() + 1, line.size()));
  }
  Signature out{cells[0], cells[1], cells[2], cells[3], cells[5]};
  out.kind = cells[4][0];
  out.deterministic = cells[4].find('?') == std::string_view::npos;
  if (cells[4].ends_with('2')) out.shown = 2;
  if (cells[4].ends_with('-')) out.shown = 0;
  return out;
}

/// The signatures of one name and the numbers of arguments they take, a bit each.
struct Named {
  size_t first = 0, count = 0;
  uint64_t counts = 0;
};

struct Table {
  std::vector<Signature> all;
  std::unordered_map<std::string_view, Named> by_name;
};

const Table& table() {
  static const Table* made = [] {
    auto* out = new Table;
    for (auto text : {kScalarSignatures, kAggregateSignatures}) {
      for (auto line : parts_of(text, '\n'))
        if (!line.empty()) out->all.push_back(parse_line(line));
    }
    // Table functions behind the others of a name; where the text lies keeps the order otherwise.
    std::sort(out->all.begin(), out->all.end(), [](const Signature& a, const Signature& b) {
      return std::tuple(a.name, a.kind == 't', a.name.data()) <
             std::tuple(b.name, b.kind == 't', b.name.data());
    });
    for (size_t i = 0; i < out->all.size(); ++i) {
      if (out->all[i].kind == 't') continue;
      auto [named, fresh] = out->by_name.try_emplace(out->all[i].name, Named{i, 0, 0});
      ++named->second.count;
      named->second.counts |= uint64_t{1} << parts_of(out->all[i].arguments, ',').size();
    }
    return out;
  }();
  return *made;
}

using Variables = std::map<std::string, std::pair<std::string_view, Type>>;  // constraint, bound to

Fit fits_type(std::string_view formal, const Type& actual, Variables& variables);

Fit fits_children(std::string_view formal, const Type& actual, Variables& variables) {
  const auto formals = parts_of(formal, ',');
  if (formals.size() != actual.children.size()) return Fit::kNo;
  Fit all = Fit::kYes;
  for (size_t i = 0; i < formals.size(); ++i) {
    const Fit one = fits_type(formals[i], actual.children[i], variables);
    if (one == Fit::kNo) return one;
    if (one == Fit::kUnknown) all = one;
  }
  return all;
}

Fit fits_variable(std::pair<std::string_view, Type>& variable, const Type& actual) {
  if (variable.first == "orderable" || variable.first == "comparable") {
    if (!is_comparable(actual, variable.first == "orderable")) return Fit::kNo;
  }
  const auto common = common_type(variable.second, actual);
  if (!common) return Fit::kNo;
  variable.second = *common;
  return Fit::kYes;
}

/// Types without parameters: whether an implicit coercion leads there.
Fit fits_plain(std::string_view formal, const Type& actual) {
  static const std::set<std::string_view> kPatterns = {"joniregexp", "jsonpath", "codepoints",
                                                       "likepattern", "json2016"};
  if (kPatterns.contains(formal)) return actual.kind == TypeKind::kVarchar ? Fit::kYes : Fit::kNo;
  if (formal == lower(actual.base_name())) return Fit::kYes;
  if (formal == "unknown" || formal == "row" || formal == "color") return Fit::kNo;
  try {
    const Type wanted = Type::parse(formal);
    const auto common = common_type(actual, wanted);
    return common && common->kind == wanted.kind ? Fit::kYes : Fit::kNo;
  } catch (const Error&) {
    return Fit::kNo;  // a type that no value of ours has
  }
}

Fit fits_type(std::string_view formal, const Type& actual, Variables& variables) {
  if (actual.kind == TypeKind::kUnknown) return Fit::kYes;
  if (formal.starts_with("function(")) return Fit::kNo;
  if (auto found = variables.find(lower(formal)); found != variables.end())
    return fits_variable(found->second, actual);
  const size_t open = formal.find('('), close = formal.rfind(')');
  if (open == std::string_view::npos) return fits_plain(formal, actual);
  const std::string_view name = formal.substr(0, open),
                         inner = formal.substr(open + 1, close - open - 1);
  const bool zoned = formal.ends_with(" with time zone");
  const auto kind = actual.kind;
  if (name == "array" || name == "map" || name == "row" || name == "qdigest") {
    if (lower(actual.base_name()) != name) return Fit::kNo;
    return fits_children(inner, actual, variables);
  }
  const auto answer = [](bool yes) { return yes ? Fit::kYes : Fit::kNo; };
  if (name == "decimal") return answer(kind == TypeKind::kDecimal || is_integral(actual));
  if (name == "varchar" && inner[0] >= '0' && inner[0] <= '9')  // codepoint takes varchar(1)
    return answer(kind == TypeKind::kVarchar && actual.precision <= std::stoi(std::string(inner)));
  if (name == "varchar") return answer(kind == TypeKind::kVarchar);
  if (name == "char") return answer(is_text(actual));
  if (name == "timestamp")
    return answer(is_dated(actual) && (zoned || kind != TypeKind::kTimestampTz));
  if (name == "time")
    return answer(kind == TypeKind::kTime || (zoned && kind == TypeKind::kTimeTz));
  return Fit::kUnknown;
}

/// Whether the lambda gives what "function(t,boolean)" says at its end. Functions are not coerced:
/// a bare NULL is none of a type that is settled already.
Fit fits_lambda(std::string_view formal, const Lambda& lambda, Variables& variables) {
  const auto parts = parts_of(inside(formal), ',');
  const auto given = infer_type(*lambda.body);
  if (parts.empty() || !given) return Fit::kUnknown;
  const auto variable = variables.find(lower(parts.back()));
  const bool open =
      variable != variables.end() && variable->second.second.kind == TypeKind::kUnknown;
  if (given->kind == TypeKind::kUnknown) return open ? Fit::kYes : Fit::kNo;
  return fits_type(parts.back(), *given, variables);
}

Fit fits_one(const Signature& signature, const std::vector<const Expr*>& arguments) {
  const auto taken = formals_of(signature, arguments.size());
  if (!taken) return Fit::kNo;
  const auto& formals = *taken;
  Variables variables;
  for (auto constraint : parts_of(signature.constraints, ',')) {
    const auto colon = std::min(constraint.find(':'), constraint.size());
    variables[lower(constraint.substr(0, colon))].first =
        constraint.substr(std::min(colon + 1, constraint.size()));
  }
  Fit all = Fit::kYes;
  for (size_t i = 0; i < formals.size(); ++i) {
    const auto formal = formals[i];
    const bool lambda = arguments[i]->kind == ExprKind::kLambda;
    if (lambda != formal.starts_with("function(")) return Fit::kNo;
    const auto type = lambda ? std::nullopt : infer_type(*arguments[i]);
    const Fit one = lambda ? fits_lambda(formal, as<Lambda>(*arguments[i]), variables)
                    : type ? fits_type(formal, *type, variables)
                           : Fit::kUnknown;
    if (one == Fit::kNo) return one;
    if (one == Fit::kUnknown) all = one;
  }
  return all;
}

}  // namespace

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == separator && depth == 0)) {
      std::string_view part = text.substr(start, i - start);
      part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
      out.push_back(part);
      start = i + 1;
    } else {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  if (out.size() == 1 && out[0].empty()) out.clear();
  return out;
}

std::optional<std::vector<std::string_view>> formals_of(const Signature& signature, size_t given) {
  auto formals = parts_of(signature.arguments, ',');
  if (given == formals.size()) return formals;
  const auto variadic = kVariadic.find(signature.name);
  // concat(array, element) is as long as it is, concat(varchar …) is not.
  const bool repeats = formals.size() == 1 || (!formals.empty() && formals.back() == "varchar");
  if (variadic == kVariadic.end() || given < variadic->second || !repeats) return std::nullopt;
  const auto last = formals.back();
  formals.resize(given, last);
  return formals;
}

bool is_comparable(const Type& type, bool ordered) {
  if (type.kind == TypeKind::kMap || type.kind == TypeKind::kJson) {
    if (ordered) return false;
  }
  return std::all_of(type.children.begin(), type.children.end(),
                     [&](const Type& child) { return is_comparable(child, ordered); });
}

const std::vector<Signature>& signatures() { return table().all; }

std::span<const Signature> signatures_of(std::string_view name) {
  const auto found = table().by_name.find(name);
  if (found == table().by_name.end()) return {};
  return std::span(table().all).subspan(found->second.first, found->second.count);
}

std::string expected_signatures(std::string_view name) {
  std::set<std::string> texts;
  for (const auto& s : signatures_of(name)) {
    std::string text = fmt::format("{}({})", s.name, s.arguments);
    if (!s.constraints.empty()) text += fmt::format(" {}", s.constraints);
    texts.insert(std::move(text));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool takes_count(std::string_view name, size_t arguments) {
  const auto found = table().by_name.find(name);
  if (found == table().by_name.end() || kSyntaxForms.contains(name)) return true;
  if (arguments < 64 && (found->second.counts >> arguments & 1)) return true;
  const auto variadic = kVariadic.find(name);
  return variadic != kVariadic.end() && arguments >= variadic->second;
}

std::optional<size_t> lambda_size(std::string_view name, size_t arguments, size_t place) {
  for (const auto& signature : signatures_of(name)) {
    const auto formals = parts_of(signature.arguments, ',');
    if (formals.size() == arguments && formals[place].starts_with("function("))
      return parts_of(inside(formals[place]), ',').size() - 1;
  }
  return std::nullopt;
}

Fit fits_signature(std::string_view name, const std::vector<const Expr*>& arguments) {
  const auto all = signatures_of(name);
  if (all.empty() || kSyntaxForms.contains(name)) return Fit::kUnknown;
  Fit best = Fit::kNo;
  for (const auto& signature : all) {
    const Fit one = fits_one(signature, arguments);
    if (one == Fit::kYes) return one;
    if (one == Fit::kUnknown) best = one;
  }
  return best;
}

std::string signature_text(const Type& type) {
  if (type.children.empty()) return type.display();
  std::string out = lower(type.base_name()) + '(';
  for (size_t i = 0; i < type.children.size(); ++i) {
    if (i) out += ',';
    if (type.kind == TypeKind::kRow && !type.field_names[i].empty())
      out += quote_identifier(type.field_names[i]) + ' ';
    out += signature_text(type.children[i]);
  }
  return out + ')';
}

}  // namespace meesh::sql
