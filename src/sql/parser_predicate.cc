// What may follow a value: comparisons, IS, BETWEEN, IN, LIKE.
#include "sql/parser.h"

namespace meesh::sql {
namespace {

template <class T>
std::unique_ptr<T> make(Position pos) {
  auto node = std::make_unique<T>();
  node->pos = pos;
  return node;
}

std::optional<ComparisonOp> comparison_op(Symbol symbol) {
  switch (symbol) {
    case Symbol::kEq:
      return ComparisonOp::kEq;
    case Symbol::kNe:
      return ComparisonOp::kNe;
    case Symbol::kLt:
      return ComparisonOp::kLt;
    case Symbol::kLe:
      return ComparisonOp::kLe;
    case Symbol::kGt:
      return ComparisonOp::kGt;
    case Symbol::kGe:
      return ComparisonOp::kGe;
    default:
      return std::nullopt;
  }
}

}  // namespace

/// At most one predicate follows a value: `a = b = c` is an error, as in Trino. Its position is its
/// operator's.
ExprPtr Parser::predicate(ExprPtr value) {
  Position here = pos();
  if (comparison_op(token().symbol)) return quantified_or_comparison(std::move(value));
  if (is(kIS)) {
    ++at_;
    bool negated = accept(kNOT);
    grow();
    if (accept(kNULL)) {
      auto test = make<IsNull>(here);
      test->value = std::move(value);
      test->negated = negated;
      return test;
    }
    auto test = make<IsDistinctFrom>(here);
    expect(kDISTINCT, kFROM);
    test->left = std::move(value);
    test->right = value_expression();
    test->negated = negated;
    return test;
  }
  bool negated = is(kNOT) && (is(kBETWEEN, 1) || is(kIN, 1) || is(kLIKE, 1));
  if (negated) ++at_;
  if (is(kBETWEEN)) {
    ++at_;
    auto between = make<Between>(here);
    between->value = std::move(value);
    between->low = value_expression();
    expect(kAND);
    between->high = value_expression();
    between->negated = negated;
    grow();
    return between;
  }
  if (is(kIN)) return in_predicate(std::move(value), negated, here);
  if (is(kLIKE)) {
    ++at_;
    auto like = make<Like>(here);
    like->value = std::move(value);
    like->pattern = value_expression();
    if (accept(kESCAPE)) like->escape = value_expression();
    like->negated = negated;
    grow();
    return like;
  }
  note("<predicate>");
  return value;
}

ExprPtr Parser::quantified_or_comparison(ExprPtr value) {
  Position here = pos();
  ComparisonOp op = *comparison_op(token().symbol);
  ++at_;
  if ((is(kALL) || is(kANY) || is(kSOME)) && is(Symbol::kLeftParen, 1)) {
    auto quantified = make<Quantified>(here);
    quantified->op = op;
    quantified->quantifier = is(kALL)   ? Quantifier::kAll
                             : is(kANY) ? Quantifier::kAny
                                        : Quantifier::kSome;
    at_ += 2;
    quantified->value = std::move(value);
    quantified->query = query();
    expect(Symbol::kRightParen);
    grow();
    return quantified;
  }
  for (const char* quantifier : {"'ALL'", "'ANY'", "'SOME'"}) note(quantifier);
  auto comparison = make<Comparison>(here);
  comparison->op = op;
  comparison->left = std::move(value);
  comparison->right = value_expression();
  grow();
  return comparison;
}

ExprPtr Parser::in_predicate(ExprPtr value, bool negated, Position here) {
  if (is(Symbol::kLeftParen, 1) && is(Symbol::kRightParen, 2)) mismatch();
  ++at_;
  expect(Symbol::kLeftParen);
  // `IN ((SELECT …) UNION …)` is a query, `IN ((SELECT …), 2)` a list: the first item decides.
  Group first;
  if (at_query_start()) {
    first.query = query();
  } else if (is(Symbol::kLeftParen) && !at_lambda()) {
    Position start = pos();
    Group inner = group();
    if (inner.query && continues_query()) {
      first.query = query_from(as_body(std::move(inner.query)), start);
    } else {
      first.expr = expression(group_as_expression(std::move(inner), start));
    }
  } else {
    note("<query>");
    first.expr = expression();
  }
  grow();
  if (first.query) {
    auto in = make<InSubquery>(here);
    in->value = std::move(value);
    in->query = std::move(first.query);
    in->negated = negated;
    expect(Symbol::kRightParen);
    return in;
  }
  auto in = make<In>(here);
  in->value = std::move(value);
  in->negated = negated;
  in->list.push_back(std::move(first.expr));
  while (accept(Symbol::kComma)) in->list.push_back(expression());
  expect(Symbol::kRightParen);
  return in;
}

}  // namespace meesh::sql
