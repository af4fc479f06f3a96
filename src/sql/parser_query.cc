#include "sql/parser.h"

namespace meesh::sql {
namespace {

/// Chains of this many operands and more are built as a balanced tree where that means the same.
constexpr size_t kBalanceFrom = 32;

bool is_plain(const Query& q) {
  return q.inline_functions.empty() && q.with.empty() && q.order_by.empty() && !q.offset &&
         !q.limit && !q.limit_all && !q.fetch_first;
}

QueryBodyPtr join_bodies(QueryBodyPtr left, QueryBodyPtr right, SetOperator op,
                         SetQuantifier quantifier, bool corresponding, Position pos) {
  auto node = std::make_unique<SetOperation>();
  node->pos = pos;
  node->op = op;
  node->quantifier = quantifier;
  node->corresponding = corresponding;
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

}  // namespace

/// A query that may define functions and session properties for itself.
QueryPtr Parser::root_query() {
  std::string preamble;
  std::vector<std::shared_ptr<Routine>> functions;
  if (is(kWITH) && (is(kFUNCTION, 1) || (is(kSESSION, 1) && at_identifier(2)))) {
    ++at_;
    size_t first = at_;
    if (is(kFUNCTION)) {
      do functions.push_back(function_specification());
      while (accept(Symbol::kComma));
    }
    if (is(kSESSION) && at_identifier(1)) {
      do {
        expect(kSESSION);
        qualified_name();
        expect(Symbol::kEq);
        expression();
      } while (accept(Symbol::kComma));
      functions.clear();  // the resolver refuses a preamble without functions
    }
    preamble = canonical_since(first);
  } else if (!is(kWITH)) {
    note("'WITH'");
  }
  QueryPtr result = query();
  if (!preamble.empty()) result->inline_functions = std::move(preamble);
  result->functions = std::move(functions);
  return result;
}

QueryPtr Parser::query() {
  Nesting nesting(*this);
  auto q = std::make_unique<Query>();
  q->pos = pos();
  if (is(kWITH)) {
    with_clause(*q);
  } else if (!at_query_start() && !is(Symbol::kLeftParen)) {
    note("<query>");
    mismatch();
  }
  q->body = query_body();
  query_tail(*q);
  if (is_plain(*q) && q->body->kind == QueryBodyKind::kQuery)
    return std::move(as<QueryInParens>(*q->body).query);
  return q;
}

/// `first`: a body in parentheses that was already parsed and starts the query.
QueryPtr Parser::query_from(QueryBodyPtr first, Position start) {
  Nesting nesting(*this, true);
  auto q = std::make_unique<Query>();
  q->pos = start;
  q->body = query_body(std::move(first));
  query_tail(*q);
  return q;
}

void Parser::query_tail(Query& q) {
  q.order_pos = pos();
  if (accept(kORDER)) {
    expect(kBY);
    q.order_by = sort_items();
  }
  q.offset_pos = pos();
  if (accept(kOFFSET)) {
    q.offset = row_count();
    if (!accept(kROWS)) accept(kROW);
  }
  q.limit_pos = pos();
  if (accept(kLIMIT)) {
    if (accept(kALL))
      q.limit_all = true;
    else
      q.limit = row_count();
  } else if (accept(kFETCH)) {
    q.fetch_first = true;
    if (!accept(kNEXT)) expect(kFIRST);
    if (!at(kROW) && !at(kROWS)) q.limit = row_count();
    if (!accept(kROWS)) expect(kROW);
    if (accept(kWITH)) {
      expect(kTIES);
      q.with_ties = true;
    } else {
      expect(kONLY);
    }
  }
}

ExprPtr Parser::row_count() {
  if (is(Symbol::kQuestion)) {
    auto parameter = std::make_unique<Parameter>();
    parameter->pos = pos();
    parameter->index = parameters_++;
    ++at_;
    return parameter;
  }
  note("'?'");
  auto number = std::make_unique<IntegerLiteral>();
  number->pos = pos();
  number->value = integer();
  if (number->value > uint64_t{INT64_MAX})
    fail(number->pos, "Invalid numeric literal: 9223372036854775808");
  return number;
}

void Parser::with_clause(Query& q) {
  expect(kWITH);
  q.recursive = accept(kRECURSIVE);
  do {
    NamedQuery named;
    named.pos = pos();
    named.name = identifier();
    if (at(Symbol::kLeftParen)) named.columns = identifiers_in_parens();
    expect(kAS);
    expect(Symbol::kLeftParen);
    named.query = query();
    expect(Symbol::kRightParen);
    q.with.push_back(std::move(named));
  } while (accept(Symbol::kComma));
}

QueryBodyPtr Parser::query_body(QueryBodyPtr first) {
  return chain(intersections(std::move(first)), false);
}

QueryBodyPtr Parser::intersections(QueryBodyPtr first) {
  Operand scope(*this, first != nullptr);
  return chain(first ? std::move(first) : body_primary(), true);
}

/// Folds `left op b op c …` from the left, run by run of the same operator.
QueryBodyPtr Parser::chain(QueryBodyPtr left, bool intersect) {
  std::optional<SetHead> head = set_operator(intersect);
  while (head) {
    std::vector<QueryBodyPtr> rest;
    std::optional<SetHead> next;
    do {
      rest.push_back(intersect ? body_primary() : intersections(nullptr));
      next = set_operator(intersect);
    } while (next && next->same(*head));
    left = fold(std::move(left), std::move(rest), *head);
    head = next;
  }
  return left;
}

std::optional<Parser::SetHead> Parser::set_operator(bool intersect) {
  SetHead head;
  head.pos = pos();
  if (intersect) {
    if (!accept(kINTERSECT)) return std::nullopt;
    head.op = SetOperator::kIntersect;
  } else if (accept(kUNION)) {
    head.op = SetOperator::kUnion;
  } else if (accept(kEXCEPT)) {
    head.op = SetOperator::kExcept;
  } else {
    return std::nullopt;
  }
  if (accept(kALL))
    head.quantifier = SetQuantifier::kAll;
  else if (accept(kDISTINCT))
    head.quantifier = SetQuantifier::kDistinct;
  head.corresponding = accept(kCORRESPONDING);
  return head;
}

QueryBodyPtr Parser::fold(QueryBodyPtr left, std::vector<QueryBodyPtr> rest, const SetHead& head) {
  bool associative = head.op != SetOperator::kExcept && !head.corresponding;
  if (!associative || rest.size() < kBalanceFrom) {
    for (QueryBodyPtr& right : rest) {
      left = join_bodies(std::move(left), std::move(right), head.op, head.quantifier,
                         head.corresponding, head.pos);
      grow();
    }
    return left;
  }
  std::vector<QueryBodyPtr> level;
  level.reserve(rest.size() + 1);
  level.push_back(std::move(left));
  for (QueryBodyPtr& body : rest) level.push_back(std::move(body));
  while (level.size() > 1) {
    std::vector<QueryBodyPtr> above;
    above.reserve(level.size() / 2 + 1);
    for (size_t i = 0; i + 1 < level.size(); i += 2) {
      above.push_back(join_bodies(std::move(level[i]), std::move(level[i + 1]), head.op,
                                  head.quantifier, false, head.pos));
      as<SetOperation>(*above.back()).balanced = true;
    }
    if (level.size() % 2 != 0) above.push_back(std::move(level.back()));
    level = std::move(above);
    grow();
  }
  return std::move(level[0]);
}

QueryBodyPtr Parser::body_primary() {
  if (is(kSELECT)) return select();
  if (is(kVALUES)) return values();
  if (is(kTABLE)) return table_body();
  if (!is(Symbol::kLeftParen)) expect_body();
  ++at_;
  if (!at_query_start() && !is(Symbol::kLeftParen)) expect_body();
  QueryPtr inner = query();
  expect(Symbol::kRightParen);
  return as_body(std::move(inner));
}

/// Behind a set operator and inside its parentheses there is no WITH in Trino.
void Parser::expect_body() {
  for (const char* start : {"'('", "'SELECT'", "'TABLE'", "'VALUES'"}) note(start);
  mismatch();
}

/// Parentheses that change nothing leave no node.
QueryBodyPtr Parser::as_body(QueryPtr inner) const {
  if (is_plain(*inner)) return std::move(inner->body);
  auto body = std::make_unique<QueryInParens>();
  body->pos = inner->pos;
  body->query = std::move(inner);
  return body;
}

QueryBodyPtr Parser::select() {
  auto s = std::make_unique<Select>();
  s->pos = pos();
  expect(kSELECT);
  if (accept(kDISTINCT)) {
    s->quantifier = SetQuantifier::kDistinct;
  } else if (at_all_quantifier()) {
    ++at_;
    s->quantifier = SetQuantifier::kAll;
  } else {
    note("'ALL'");
  }
  do s->items.push_back(select_item());
  while (accept(Symbol::kComma));
  if (accept(kFROM)) s->from = from_list();
  if (accept(kWHERE)) s->where = expression();
  if (accept(kGROUP)) {
    expect(kBY);
    s->group_by = group_by();
  }
  if (accept(kHAVING)) s->having = expression();
  if (at(kWINDOW)) {
    ++at_;
    do {
      NamedWindow window;
      window.name = identifier();
      expect(kAS);
      expect(Symbol::kLeftParen);
      window.spec = window_specification();
      expect(Symbol::kRightParen);
      s->windows.push_back(std::move(window));
    } while (accept(Symbol::kComma));
  }
  return s;
}

/// ALL may also be a column's name.
bool Parser::at_all_quantifier() const {
  if (!is(kALL) || is(TokenKind::kEnd, 1)) return false;
  switch (token(1).symbol) {
    case Symbol::kNone:
      break;
    case Symbol::kStar:
    case Symbol::kLeftParen:
    case Symbol::kQuestion:
    case Symbol::kPlus:
    case Symbol::kMinus:
      return true;
    default:
      return false;
  }
  Kw next = token(1).keyword;
  bool clause = next == kFROM || next == kWHERE || next == kGROUP || next == kHAVING ||
                next == kORDER || next == kUNION || next == kINTERSECT || next == kEXCEPT ||
                next == kAS || next == kAND || next == kOR || next == kIS || next == kIN ||
                next == kLIKE || next == kBETWEEN || next == kDISTINCT;
  return !clause;
}

SelectItem Parser::select_item() {
  SelectItem item;
  item.pos = pos();
  if (is(Symbol::kStar)) {
    auto star = std::make_unique<Star>();
    star->pos = pos();
    ++at_;
    item.value = std::move(star);
    return item;
  }
  note("'*'");
  item.value = expression();
  if (is(Symbol::kDot) && is(Symbol::kStar, 1)) {
    if (item.value->kind == ExprKind::kLogical || item.value->kind == ExprKind::kComparison ||
        item.value->kind == ExprKind::kBinaryOp || item.value->kind == ExprKind::kUnary ||
        item.value->kind == ExprKind::kNot || item.value->kind == ExprKind::kLambda)
      mismatch();
    at_ += 2;
    auto star = std::make_unique<Star>();
    star->pos = item.pos;
    star->qualifier = std::move(item.value);
    if (accept(kAS)) star->aliases = identifiers_in_parens();
    item.value = std::move(star);
    return item;
  }
  note("<identifier>");
  if (accept(kAS) || at_alias()) item.alias = identifier();
  return item;
}

/// A name may stand here, and is not the first word of the next clause.
bool Parser::at_alias() const { return at_identifier() && !keyword_starts_clause(); }

bool Parser::keyword_starts_clause() const {
  bool count = is(TokenKind::kInteger, 1) || is(Symbol::kQuestion, 1);
  switch (token().keyword) {
    case kLIMIT:
      return count || is(kALL, 1);
    case kOFFSET:
      return count;
    case kFETCH:
      return is(kFIRST, 1) || is(kNEXT, 1);
    case kWINDOW:
      return at_identifier(1) && is(kAS, 2) && is(Symbol::kLeftParen, 3);
    case kTABLESAMPLE:
      return is(kBERNOULLI, 1) || is(kSYSTEM, 1);
    case kMATCH_RECOGNIZE:
      return is(Symbol::kLeftParen, 1);
    case kPARTITION:
      return is(kBY, 1);
    case kPRUNE:
    case kKEEP:
      return is(kWHEN, 1);
    case kCOPARTITION:
      return is(Symbol::kLeftParen, 1);
    default:
      return false;
  }
}

QueryBodyPtr Parser::values() {
  auto v = std::make_unique<Values>();
  v->pos = pos();
  expect(kVALUES);
  v->rows = expressions();
  return v;
}

QueryBodyPtr Parser::table_body() {
  auto t = std::make_unique<TableBody>();
  t->pos = pos();
  expect(kTABLE);
  t->table = table_ref();
  return t;
}

GroupBy Parser::group_by() {
  GroupBy result;
  if (accept(kDISTINCT)) {
    result.quantifier = GroupBy::Quantifier::kDistinct;
  } else if (at_all_quantifier()) {
    ++at_;
    result.quantifier = GroupBy::Quantifier::kAll;
  }
  do result.elements.push_back(grouping_element());
  while (accept(Symbol::kComma));
  return result;
}

GroupingElement Parser::grouping_element() {
  GroupingElement element;
  if (is(kAUTO) && (is(TokenKind::kEnd, 1) || is(Symbol::kRightParen, 1) ||
                    is(Symbol::kSemicolon, 1) || is_reserved(token(1).keyword) || is(kWINDOW, 1) ||
                    is(kLIMIT, 1) || is(kOFFSET, 1) || is(kFETCH, 1))) {
    Kw next = token(1).keyword;
    bool predicate = next == kAND || next == kOR || next == kNOT || next == kIS || next == kIN ||
                     next == kLIKE || next == kBETWEEN;
    if (!predicate) {
      ++at_;
      element.kind = GroupingElement::Kind::kAuto;
      return element;
    }
  }
  if (accept(kROLLUP)) {
    element.kind = GroupingElement::Kind::kRollup;
  } else if (accept(kCUBE)) {
    element.kind = GroupingElement::Kind::kCube;
  } else if (is(kGROUPING) && is(kSETS, 1)) {
    at_ += 2;
    element.kind = GroupingElement::Kind::kGroupingSets;
  } else {
    element.sets.push_back(grouping_set());
    return element;
  }
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen) || element.kind == GroupingElement::Kind::kGroupingSets) {
    do element.sets.push_back(grouping_set());
    while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  return element;
}

/// `()`, `(a, b)` or an expression, which may itself start with a parenthesis.
std::vector<ExprPtr> Parser::grouping_set() {
  std::vector<ExprPtr> set;
  if (!is(Symbol::kLeftParen) || at_lambda()) {
    set.push_back(expression());
    return set;
  }
  if (is(Symbol::kRightParen, 1)) {
    at_ += 2;
    return set;
  }
  Position start = pos();
  ExprPtr first = group_as_expression(group(), start);
  bool ends = is(Symbol::kComma) || is(Symbol::kRightParen) || is(Symbol::kSemicolon) ||
              (!is(TokenKind::kSymbol) && !is(kAND) && !is(kOR) && !is(kNOT) && !is(kIS) &&
               !is(kIN) && !is(kLIKE) && !is(kBETWEEN) && !is(kAT));
  bool listed = first->kind == ExprKind::kRow && first->pos.line == start.line &&
                first->pos.column == start.column;
  if (ends && listed) return std::move(as<RowConstructor>(*first).items);
  set.push_back(ends ? std::move(first) : expression(std::move(first)));
  return set;
}

std::vector<SortItem> Parser::sort_items() {
  std::vector<SortItem> items;
  do items.push_back(sort_item());
  while (accept(Symbol::kComma));
  return items;
}

SortItem Parser::sort_item() {
  SortItem item;
  item.pos = pos();
  item.key = expression();
  if (accept(kDESC))
    item.descending = true;
  else
    accept(kASC);
  if (accept(kNULLS)) {
    if (accept(kFIRST)) {
      item.nulls = SortItem::Nulls::kFirst;
    } else {
      expect(kLAST);
      item.nulls = SortItem::Nulls::kLast;
    }
  }
  return item;
}

}  // namespace meesh::sql
