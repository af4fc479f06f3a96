#include "sql/parser.h"

namespace meesh::sql {

StatementPtr Parser::insert() {
  auto s = std::make_unique<Insert>();
  ++at_;
  expect(kINTO);
  s->table = std::make_unique<TableRef>();
  s->table->pos = pos();
  s->table->name = qualified_name();
  forget();
  // `INSERT INTO t (a) SELECT …` lists columns, `INSERT INTO t (SELECT …)` is a query.
  if (is(Symbol::kLeftParen) && at_identifier(1) &&
      (is(Symbol::kComma, 2) || is(Symbol::kRightParen, 2)))
    s->columns = identifiers_in_parens();
  else
    at(Symbol::kLeftParen);
  s->query = root_query();
  return s;
}

StatementPtr Parser::delete_statement() {
  auto s = std::make_unique<Delete>();
  ++at_;
  expect(kFROM);
  s->table = std::make_unique<TableRef>();
  s->table->pos = pos();
  s->table->name = qualified_name();
  if (accept(kWHERE)) s->where = expression();
  return s;
}

StatementPtr Parser::update() {
  auto s = std::make_unique<Update>();
  ++at_;
  s->table = std::make_unique<TableRef>();
  s->table->pos = pos();
  s->table->name = qualified_name();
  expect(kSET);
  do s->assignments.push_back(assignment());
  while (accept(Symbol::kComma));
  if (accept(kWHERE)) s->where = expression();
  return s;
}

std::pair<Ident, ExprPtr> Parser::assignment() {
  Ident column = identifier();
  expect(Symbol::kEq);
  return {std::move(column), expression()};
}

StatementPtr Parser::merge() {
  auto s = std::make_unique<Merge>();
  ++at_;
  expect(kINTO);
  s->table = std::make_unique<TableRef>();
  s->table->pos = pos();
  s->table->name = qualified_name();
  forget();
  note("<identifier>");
  if (accept(kAS) || at_identifier()) s->alias = identifier();
  expect(kUSING);
  s->source = relation();
  expect(kON);
  s->on = expression();
  if (!is(kWHEN)) forget();
  do s->cases.push_back(merge_case());
  while (at(kWHEN));
  return s;
}

MergeCase Parser::merge_case() {
  MergeCase c;
  c.pos = pos();
  expect(kWHEN);
  c.matched = !accept(kNOT);
  expect(kMATCHED);
  if (accept(kAND)) c.condition = expression();
  expect(kTHEN);
  if (!c.matched) {
    c.action = MergeCase::Action::kInsert;
    expect(kINSERT);
    if (at(Symbol::kLeftParen)) c.insert_columns = identifiers_in_parens();
    expect(kVALUES);
    expect(Symbol::kLeftParen);
    c.insert_values = expressions();
    expect(Symbol::kRightParen);
  } else if (accept(kDELETE)) {
    c.action = MergeCase::Action::kDelete;
  } else {
    expect(kUPDATE);
    expect(kSET);
    do c.assignments.push_back(assignment());
    while (accept(Symbol::kComma));
  }
  return c;
}

StatementPtr Parser::truncate() {
  auto s = std::make_unique<Truncate>();
  ++at_;
  expect(kTABLE);
  s->table = qualified_name();
  return s;
}

StatementPtr Parser::analyze() {
  auto s = std::make_unique<Analyze>();
  ++at_;
  s->table = qualified_name();
  s->properties = with_properties();
  return s;
}

}  // namespace meesh::sql
