#include "sql/parser.h"

namespace meesh::sql {

/// FUNCTION name(…) RETURNS … body: checked against the grammar, returned as text.
std::string Parser::function_specification() {
  Nesting nesting(*this);
  size_t first = at_;
  expect(kFUNCTION);
  qualified_name();
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen)) {
    do parameter_declaration();
    while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  expect(kRETURNS);
  type();
  while (routine_characteristic()) {
  }
  with_properties();
  if (accept(kAS)) {
    if (!is(TokenKind::kDollarString)) {
      note("'$$'");
      mismatch();
    }
    ++at_;
  } else {
    control_statement();
  }
  return canonical_since(first);
}

void Parser::parameter_declaration() {
  if (row_field_is_named()) identifier();
  type();
}

bool Parser::routine_characteristic() {
  if (accept(kLANGUAGE)) {
    identifier();
  } else if (at(kDETERMINISTIC) || (is(kNOT) && is(kDETERMINISTIC, 1))) {
    at_ += is(kNOT) ? 2 : 1;
  } else if (is(kRETURNS) && is(kNULL, 1)) {
    at_ += 2;
    expect(kON, kNULL);
    expect(kINPUT);
  } else if (accept(kCALLED)) {
    expect(kON, kNULL);
    expect(kINPUT);
  } else if (accept(kSECURITY)) {
    if (!accept(kDEFINER)) expect(kINVOKER);
  } else if (is(kCOMMENT)) {
    comment_clause();
  } else {
    return false;
  }
  return true;
}

void Parser::control_statement() {
  Nesting nesting(*this);
  if (accept(kRETURN)) {
    expression();
  } else if (accept(kSET)) {
    identifier();
    expect(Symbol::kEq);
    expression();
  } else if (at(kCASE)) {
    control_case();
  } else if (at(kIF)) {
    control_if();
  } else if (accept(kITERATE) || accept(kLEAVE)) {
    identifier();
  } else if (at(kBEGIN)) {
    control_compound();
  } else {
    control_loop();
  }
}

/// At least one, each with its ';'.
void Parser::control_statements() {
  do {
    control_statement();
    expect(Symbol::kSemicolon);
  } while (!is(kEND) && !is(kELSE) && !is(kELSEIF) && !is(kWHEN) && !is(kUNTIL));
}

void Parser::control_case() {
  expect(kCASE);
  if (!at(kWHEN)) expression();
  do {
    expect(kWHEN);
    expression();
    expect(kTHEN);
    control_statements();
  } while (at(kWHEN));
  if (accept(kELSE)) control_statements();
  expect(kEND);
  expect(kCASE);
}

void Parser::control_if() {
  expect(kIF);
  expression();
  expect(kTHEN);
  control_statements();
  while (accept(kELSEIF)) {
    expression();
    expect(kTHEN);
    control_statements();
  }
  if (accept(kELSE)) control_statements();
  expect(kEND);
  expect(kIF);
}

void Parser::control_compound() {
  expect(kBEGIN);
  while (accept(kDECLARE)) {
    do identifier();
    while (accept(Symbol::kComma));
    type();
    if (accept(kDEFAULT)) expression();
    expect(Symbol::kSemicolon);
  }
  if (!at(kEND)) control_statements();
  expect(kEND);
}

void Parser::control_loop() {
  if (at_identifier() && is(Symbol::kColon, 1)) at_ += 2;
  if (accept(kLOOP)) {
    control_statements();
    expect(kEND);
    expect(kLOOP);
  } else if (accept(kWHILE)) {
    expression();
    expect(kDO);
    control_statements();
    expect(kEND);
    expect(kWHILE);
  } else {
    expect(kREPEAT);
    control_statements();
    expect(kUNTIL);
    expression();
    expect(kEND);
    expect(kREPEAT);
  }
}

}  // namespace meesh::sql
