#include "sql/parser.h"

namespace meesh::sql {
namespace {

template <class T>
std::unique_ptr<T> make(Position pos) {
  auto node = std::make_unique<T>();
  node->pos = pos;
  return node;
}

/// Binary operators of value expressions; higher binds tighter. `||` is the loosest in Trino.
struct BinaryRule {
  BinaryOperator op;
  int precedence;
};
std::optional<BinaryRule> binary_rule(Symbol symbol) {
  switch (symbol) {
    case Symbol::kConcat:
      return BinaryRule{BinaryOperator::kConcat, 1};
    case Symbol::kPlus:
      return BinaryRule{BinaryOperator::kAdd, 2};
    case Symbol::kMinus:
      return BinaryRule{BinaryOperator::kSubtract, 2};
    case Symbol::kStar:
      return BinaryRule{BinaryOperator::kMultiply, 3};
    case Symbol::kSlash:
      return BinaryRule{BinaryOperator::kDivide, 3};
    case Symbol::kPercent:
      return BinaryRule{BinaryOperator::kModulus, 3};
    default:
      return std::nullopt;
  }
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != '_') out += c == 'e' ? 'E' : c;
  return out;
}

}  // namespace

/// `first`: an operand that was already parsed and starts the expression.
ExprPtr Parser::expression(ExprPtr first) {
  Nesting nesting(*this, first != nullptr);
  Position start = first ? first->pos : pos();
  ExprPtr left = conjunction(std::move(first));
  if (!at(kOR)) return left;
  auto any = make<Logical>(start);
  any->is_and = false;
  any->terms.push_back(std::move(left));
  while (at(kOR)) {
    ++at_;
    any->terms.push_back(conjunction(nullptr));
  }
  grow();
  return any;
}

ExprPtr Parser::conjunction(ExprPtr first) {
  Operand scope(*this, first != nullptr);
  Position start = first ? first->pos : pos();
  ExprPtr left = negatable(std::move(first));
  if (!at(kAND)) return left;
  auto all = make<Logical>(start);
  all->terms.push_back(std::move(left));
  while (at(kAND)) {
    ++at_;
    all->terms.push_back(negatable(nullptr));
  }
  grow();
  return all;
}

ExprPtr Parser::negatable(ExprPtr first) {
  Operand scope(*this, first != nullptr);
  std::vector<Position> nots;
  while (!first && is(kNOT)) {
    nots.push_back(pos());
    ++at_;
  }
  ExprPtr value = predicate(value_expression(0, std::move(first)));
  for (size_t i = nots.size(); i-- > 0;) {
    auto negation = make<Not>(nots[i]);
    negation->value = std::move(value);
    value = std::move(negation);
    grow();
  }
  return value;
}

void Parser::note_operators(int min_precedence) {
  if (at_ != collect_at_) return;
  for (Symbol symbol : {Symbol::kConcat, Symbol::kPlus, Symbol::kMinus, Symbol::kStar,
                        Symbol::kSlash, Symbol::kPercent})
    if (binary_rule(symbol)->precedence >= min_precedence) note(symbol);
}

ExprPtr Parser::value_expression(int min_precedence, ExprPtr first) {
  Operand scope(*this, first != nullptr);
  ExprPtr left = operand(std::move(first));
  while (true) {
    std::optional<BinaryRule> rule = binary_rule(token().symbol);
    if (!rule || rule->precedence < min_precedence) {
      note_operators(min_precedence);
      return left;
    }
    auto node = make<BinaryOp>(pos());
    ++at_;
    node->op = rule->op;
    node->left = std::move(left);
    node->right = value_expression(rule->precedence + 1);
    left = std::move(node);
    grow();
  }
}

/// Signs bind looser than AT TIME ZONE and tighter than `*`.
ExprPtr Parser::operand(ExprPtr first) {
  std::vector<std::pair<UnaryOp, Position>> signs;
  while (!first && (is(Symbol::kMinus) || is(Symbol::kPlus))) {
    signs.emplace_back(is(Symbol::kMinus) ? UnaryOp::kMinus : UnaryOp::kPlus, pos());
    ++at_;
  }
  bool number = !first && is(TokenKind::kInteger);
  Position number_at = pos();
  ExprPtr value = postfix(first ? std::move(first) : primary());
  while (is(kAT) && is(kTIME, 1) && is(kZONE, 2)) {
    auto zoned = make<AtTimeZone>(pos());
    at_ += 3;
    zoned->value = std::move(value);
    if (at_string()) {
      auto zone = make<StringLiteral>(pos());
      zone->value = string();
      zoned->zone = std::move(zone);
    } else if (is(kINTERVAL)) {
      zoned->zone = interval_literal();
    } else {
      // Wider than Trino's grammar, which wants a literal here; its at_timezone() takes any value.
      zoned->zone = postfix(primary());
    }
    value = std::move(zoned);
    grow();
  }
  note("'AT'");
  bool negative = !signs.empty() && signs.back().first == UnaryOp::kMinus;
  if (number && !negative && value->kind == ExprKind::kInteger &&
      as<IntegerLiteral>(*value).value > uint64_t{INT64_MAX})
    fail(number_at, "Invalid numeric literal: 9223372036854775808");
  for (size_t i = signs.size(); i-- > 0;) {
    auto sign = make<Unary>(signs[i].second);
    sign->op = signs[i].first;
    sign->value = std::move(value);
    value = std::move(sign);
    grow();
  }
  return value;
}

ExprPtr Parser::postfix(ExprPtr base) {
  while (true) {
    if (is(Symbol::kDot) && !is(Symbol::kStar, 1)) {
      ++at_;
      auto field = make<Dereference>(base->pos);
      field->base = std::move(base);
      field->field = identifier();
      base = std::move(field);
    } else if (is(Symbol::kLeftBracket)) {
      ++at_;
      auto subscript = make<Subscript>(base->pos);
      subscript->base = std::move(base);
      {
        Nesting nesting(*this);
        subscript->index = value_expression();
      }
      expect(Symbol::kRightBracket);
      base = std::move(subscript);
    } else {
      note("'.'");
      note("'['");
      return base;
    }
    grow();
  }
}

ExprPtr Parser::primary() {
  Position start = pos();
  switch (token().kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kDouble:
      return number_literal();
    case TokenKind::kString:
    case TokenKind::kUnicodeString: {
      auto literal = make<StringLiteral>(start);
      literal->value = string();
      return literal;
    }
    case TokenKind::kBinary:
      return binary_literal();
    case TokenKind::kQuoted:
      return at_lambda() ? lambda() : name_or_call();
    case TokenKind::kWord:
      if (at_lambda()) return lambda();
      return keyword_primary();
    case TokenKind::kSymbol:
      if (is(Symbol::kLeftParen)) return at_lambda() ? lambda() : parenthesized();
      if (is(Symbol::kLeftBracket)) return array();
      if (is(Symbol::kQuestion)) {
        ++at_;
        auto parameter = make<Parameter>(start);
        parameter->index = parameters_++;
        return parameter;
      }
      break;
    default:
      break;
  }
  note("<expression>");
  mismatch();
}

ExprPtr Parser::number_literal() {
  Position start = pos();
  std::string_view text = token_text(token());
  if (is(TokenKind::kInteger)) {
    auto literal = make<IntegerLiteral>(start);
    literal->value = integer();
    return literal;
  }
  bool decimal = is(TokenKind::kDecimal);
  ++at_;
  if (decimal) {
    auto literal = make<DecimalLiteral>(start);
    literal->text = without_underscores(text);
    return literal;
  }
  auto literal = make<DoubleLiteral>(start);
  literal->text = without_underscores(text);
  return literal;
}

ExprPtr Parser::binary_literal() {
  auto literal = make<BinaryLiteral>(pos());
  std::string_view text = token_text(token());
  std::string digits;
  for (char c : text.substr(2, text.size() - 3)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if (!isxdigit(static_cast<unsigned char>(c)))
      fail(pos(), "Binary literal can only contain hexadecimal digits");
    digits += c;
  }
  if (digits.size() % 2 != 0) fail(pos(), "Binary literal must contain an even number of digits");
  for (size_t i = 0; i < digits.size(); i += 2)
    literal->bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  ++at_;
  return literal;
}

/// Words: keywords with a syntax of their own, then names, calls and typed literals.
ExprPtr Parser::keyword_primary() {
  Position start = pos();
  bool called = is(Symbol::kLeftParen, 1);
  switch (token().keyword) {
    case kNULL:
      ++at_;
      return make<NullLiteral>(start);
    case kTRUE:
    case kFALSE: {
      auto literal = make<BooleanLiteral>(start);
      literal->value = is(kTRUE);
      ++at_;
      return literal;
    }
    case kINTERVAL:
      if (((is(Symbol::kPlus, 1) || is(Symbol::kMinus, 1)) && is(TokenKind::kString, 2) &&
           at_interval_field(3)) ||
          (is(TokenKind::kString, 1) && !is(kWEEK, 2)) || is(TokenKind::kUnicodeString, 1))
        return interval_literal();
      break;
    case kCASE:
      return case_expression();
    case kCAST:
      return cast();
    case kTRY_CAST:
      if (called) return cast();
      break;
    case kEXISTS: {
      ++at_;
      auto exists = make<Exists>(start);
      expect(Symbol::kLeftParen);
      exists->query = query();
      expect(Symbol::kRightParen);
      return exists;
    }
    case kARRAY:
      if (is(Symbol::kLeftBracket, 1)) return array();
      break;
    case kROW:
      if (called && !is(Symbol::kRightParen, 2)) return row_constructor();
      break;
    case kCURRENT_DATE:
    case kCURRENT_USER:
    case kCURRENT_CATALOG:
    case kCURRENT_SCHEMA:
    case kCURRENT_PATH:
      return current(false);
    case kCURRENT_TIME:
    case kCURRENT_TIMESTAMP:
    case kLOCALTIME:
    case kLOCALTIMESTAMP:
      return current(true);
    case kLISTAGG:
      return listagg();
    case kTRIM:
      return trim();
    case kNORMALIZE:
      return normalize();
    case kEXTRACT:
      return extract();
    case kGROUPING:
      return grouping();
    case kSUBSTRING:
      if (called) return substring();
      break;
    case kPOSITION:
      if (called) return position_in();
      break;
    case kJSON_EXISTS:
      return json_path_function("json_exists");
    case kJSON_VALUE:
      return json_path_function("json_value");
    case kJSON_QUERY:
      return json_path_function("json_query");
    case kJSON_OBJECT:
      return json_object();
    case kJSON_ARRAY:
      return json_array();
    default:
      break;
  }
  return name_or_call();
}

ExprPtr Parser::name_or_call() {
  Position start = pos();
  if (!at_identifier()) {
    note("<expression>");
    mismatch();
  }
  if (is(kDOUBLE) && is(kPRECISION, 1) &&
      (is(TokenKind::kString, 2) || is(TokenKind::kUnicodeString, 2))) {
    at_ += 2;
    auto literal = make<TypedLiteral>(start);
    literal->type = "double";
    literal->value = string();
    return literal;
  }
  if (is(TokenKind::kString, 1) || is(TokenKind::kUnicodeString, 1)) {
    Ident name = identifier();
    auto literal = make<TypedLiteral>(start);
    literal->type = name.quoted ? name.value : lower(name.value);
    literal->value = string();
    return literal;
  }
  std::string mode;
  if ((is(kRUNNING) || is(kFINAL)) && at_identifier(1) && !at_over(1)) {
    size_t i = 1;
    while (at_identifier(i) && is(Symbol::kDot, i + 1)) i += 2;
    if (at_identifier(i) && is(Symbol::kLeftParen, i + 1)) {
      mode = lower(token_text(token()));
      ++at_;
    }
  }
  size_t last = 0;
  while (is(Symbol::kDot, last + 1) && at_identifier(last + 2)) last += 2;
  if (is(Symbol::kLeftParen, last + 1)) {
    ExprPtr result = call(qualified_name(), start);
    as<FunctionCall>(*result).processing_mode = mode;
    return result;
  }
  if (last == 0 && at_over(1)) {  // a measure of a row pattern window
    auto measure = make<FunctionCall>(start);
    measure->name.push_back(identifier());
    measure->measure = true;
    window_over(*measure);
    return measure;
  }
  auto name = make<Identifier>(start);
  name->name = identifier();
  return name;
}

bool Parser::at_lambda() const {
  if (at_identifier()) return is(Symbol::kArrow, 1);
  if (!is(Symbol::kLeftParen)) return false;
  if (is(Symbol::kRightParen, 1)) return is(Symbol::kArrow, 2);
  size_t i = 1;
  while (at_identifier(i) && is(Symbol::kComma, i + 1)) i += 2;
  return at_identifier(i) && is(Symbol::kRightParen, i + 1) && is(Symbol::kArrow, i + 2);
}

ExprPtr Parser::lambda() {
  auto result = make<Lambda>(pos());
  if (accept(Symbol::kLeftParen)) {
    if (!is(Symbol::kRightParen)) {
      do result->args.push_back(identifier());
      while (accept(Symbol::kComma));
    }
    expect(Symbol::kRightParen);
  } else {
    result->args.push_back(identifier());
  }
  expect(Symbol::kArrow);
  result->body = expression();
  return result;
}

bool Parser::at_query_start(size_t ahead) const {
  return is(kSELECT, ahead) || is(kVALUES, ahead) || is(kWITH, ahead) || is(kTABLE, ahead);
}

bool Parser::continues_query() const {
  return is(kUNION) || is(kINTERSECT) || is(kEXCEPT) || is(kORDER) ||
         (is(kLIMIT) && (is(TokenKind::kInteger, 1) || is(Symbol::kQuestion, 1) || is(kALL, 1))) ||
         (is(kOFFSET) && (is(TokenKind::kInteger, 1) || is(Symbol::kQuestion, 1))) ||
         (is(kFETCH) && (is(kFIRST, 1) || is(kNEXT, 1)));
}

/// At '(': what it holds, up to and with its ')'. `(((SELECT 1)))` is a query however many
/// parentheses it has; what follows it decides what it is used as.
Parser::Group Parser::group() {
  Nesting nesting(*this);
  Position start = pos();
  expect(Symbol::kLeftParen);
  Group result;
  if (at_query_start()) {
    result.query = query();
  } else if (is(Symbol::kLeftParen) && !at_lambda()) {
    Position inner_start = pos();
    Group inner = group();
    if (inner.query && continues_query()) {
      result.query = query_from(as_body(std::move(inner.query)), inner_start);
    } else if (inner.query && is(Symbol::kRightParen)) {
      result.query = std::move(inner.query);
    } else {
      result.expr = expression(group_as_expression(std::move(inner), inner_start));
    }
  } else {
    note("<query>");
    result.expr = expression();
  }
  if (result.expr && at(Symbol::kComma)) result.expr = row_rest(std::move(result.expr), start);
  expect(Symbol::kRightParen);
  return result;
}

ExprPtr Parser::group_as_expression(Group g, Position start) {
  if (!g.query) return std::move(g.expr);
  auto subquery = make<SubqueryExpr>(start);
  subquery->query = std::move(g.query);
  return subquery;
}

ExprPtr Parser::parenthesized() {
  Position start = pos();
  return group_as_expression(group(), start);
}

/// Behind the first item of `(a, b)` or `ROW(a, …)`, up to but without the ')'.
ExprPtr Parser::row_rest(ExprPtr first, Position start) {
  auto row = make<RowConstructor>(start);
  row->items.push_back(std::move(first));
  while (accept(Symbol::kComma)) row->items.push_back(expression());
  return row;
}

ExprPtr Parser::row_constructor() {
  auto row = make<RowConstructor>(pos());
  ++at_;
  expect(Symbol::kLeftParen);
  bool named = false;
  do {
    row->items.push_back(expression());
    row->names.emplace_back();
    if (accept(kAS) || at_alias()) {
      row->names.back() = identifier();
      named = true;
    }
  } while (accept(Symbol::kComma));
  expect(Symbol::kRightParen);
  if (!named) row->names.clear();
  return row;
}

ExprPtr Parser::array() {
  auto result = make<ArrayConstructor>(pos());
  at_ += is(kARRAY) ? 2 : 1;  // the word may be left out
  if (!is(Symbol::kRightBracket)) {
    do result->items.push_back(expression());
    while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightBracket);
  return result;
}

ExprPtr Parser::interval_literal() {
  auto literal = make<IntervalLiteral>(pos());
  ++at_;
  if (is(Symbol::kMinus) || is(Symbol::kPlus)) {
    literal->negative = is(Symbol::kMinus);
    ++at_;
  }
  literal->value = string();
  literal->from = interval_field();
  if (is(kTO) && at_interval_field(1)) {
    ++at_;
    literal->to = interval_field();
  }
  return literal;
}

ExprPtr Parser::case_expression() {
  auto result = make<Case>(pos());
  ++at_;
  if (!at(kWHEN)) result->operand = expression();
  do {
    expect(kWHEN);
    ExprPtr when = expression();
    expect(kTHEN);
    result->whens.emplace_back(std::move(when), expression());
  } while (at(kWHEN));
  if (accept(kELSE)) result->otherwise = expression();
  expect(kEND);
  return result;
}

ExprPtr Parser::cast() {
  auto result = make<Cast>(pos());
  result->try_cast = is(kTRY_CAST);
  ++at_;
  expect(Symbol::kLeftParen);
  result->value = expression();
  expect(kAS);
  result->type = type();
  expect(Symbol::kRightParen);
  return result;
}

ExprPtr Parser::current(bool with_precision) {
  auto result = make<Current>(pos());
  const Kw what = token().keyword;
  result->what = lower(keyword_text(what));
  ++at_;
  if (with_precision && accept(Symbol::kLeftParen)) {
    const uint64_t precision = integer();
    if (precision > 12)
      throw Error(Code::kNumericValueOutOfRange,
                  std::string(what == kCURRENT_TIME        ? "TIME WITH TIME ZONE"
                              : what == kCURRENT_TIMESTAMP ? "TIMESTAMP WITH TIME ZONE"
                              : what == kLOCALTIME         ? "TIME"
                                                           : "TIMESTAMP") +
                      " precision must be in range [0, 12]: " + std::to_string(precision));
    result->precision = static_cast<int>(precision);
    expect(Symbol::kRightParen);
  }
  return result;
}

std::vector<ExprPtr> Parser::expressions() {
  std::vector<ExprPtr> list;
  do list.push_back(expression());
  while (accept(Symbol::kComma));
  return list;
}

}  // namespace meesh::sql
