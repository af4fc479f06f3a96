#include "sql/parser.h"

namespace meesh::sql {

/// FUNCTION name(…) RETURNS … body.
std::shared_ptr<Routine> Parser::function_specification() {
  Nesting nesting(*this);
  auto routine = std::make_shared<Routine>();
  routine->pos = pos();
  expect(kFUNCTION);
  routine->name = qualified_name();
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen)) {
    do routine->parameters.push_back(parameter_declaration());
    while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  routine->returns_pos = pos();
  expect(kRETURNS);
  routine->returns = type();
  while (routine_characteristic(*routine)) {
  }
  routine->properties = with_properties();
  if (accept(kAS)) {
    if (!is(TokenKind::kDollarString)) {
      note("'$$'");
      mismatch();
    }
    routine->dollar_body = std::string(token_text(token()));
    ++at_;
  } else {
    routine->body = control_statement();
  }
  return routine;
}

Routine::Parameter Parser::parameter_declaration() {
  Routine::Parameter parameter;
  parameter.pos = pos();
  if (row_field_is_named()) parameter.name = identifier();
  parameter.type = type();
  return parameter;
}

bool Parser::routine_characteristic(Routine& routine) {
  const Position start = pos();
  const auto once = [&](bool again, const char* what) {
    if (again && !routine.repeated) routine.repeated = {start, what};
  };
  if (accept(kLANGUAGE)) {
    once(routine.language.has_value(), "language");
    routine.language = identifier();
  } else if (at(kDETERMINISTIC) || (is(kNOT) && is(kDETERMINISTIC, 1))) {
    once(routine.deterministic.has_value(), "deterministic");
    routine.deterministic = !is(kNOT);
    at_ += is(kNOT) ? 2 : 1;
  } else if (is(kRETURNS) && is(kNULL, 1)) {
    once(routine.called_on_null.has_value(), "null-call");
    routine.called_on_null = false;
    at_ += 2;
    expect(kON, kNULL);
    expect(kINPUT);
  } else if (accept(kCALLED)) {
    once(routine.called_on_null.has_value(), "null-call");
    routine.called_on_null = true;
    expect(kON, kNULL);
    expect(kINPUT);
  } else if (accept(kSECURITY)) {
    once(!routine.security.empty(), "security");
    routine.security_pos = start;
    routine.security = is(kDEFINER) ? "DEFINER" : "INVOKER";
    if (!accept(kDEFINER)) expect(kINVOKER);
  } else if (is(kCOMMENT)) {
    once(routine.comment.has_value(), "comment");
    routine.comment = comment_clause();
  } else {
    return false;
  }
  return true;
}

std::unique_ptr<RoutineStatement> Parser::control_statement() {
  using Kind = RoutineStatement::Kind;
  Nesting nesting(*this);
  auto s = std::make_unique<RoutineStatement>();
  s->pos = pos();
  if (accept(kRETURN)) {
    s->kind = Kind::kReturn;
    s->value = expression();
  } else if (accept(kSET)) {
    s->kind = Kind::kSet;
    s->name = identifier();
    expect(Symbol::kEq);
    s->value = expression();
  } else if (at(kCASE)) {
    control_case(*s);
  } else if (at(kIF)) {
    control_if(*s);
  } else if (at(kITERATE) || at(kLEAVE)) {
    s->kind = is(kITERATE) ? Kind::kIterate : Kind::kLeave;
    ++at_;
    s->name = identifier();
  } else if (at(kBEGIN)) {
    control_compound(*s);
  } else {
    control_loop(*s);
  }
  return s;
}

/// At least one, each with its ';'.
RoutineStatements Parser::control_statements() {
  RoutineStatements all;
  do {
    all.push_back(control_statement());
    expect(Symbol::kSemicolon);
  } while (!is(kEND) && !is(kELSE) && !is(kELSEIF) && !is(kWHEN) && !is(kUNTIL));
  return all;
}

void Parser::control_case(RoutineStatement& s) {
  s.kind = RoutineStatement::Kind::kCase;
  expect(kCASE);
  if (!at(kWHEN)) s.value = expression();
  do {
    expect(kWHEN);
    auto& branch = s.branches.emplace_back();
    branch.condition = expression();
    expect(kTHEN);
    branch.body = control_statements();
  } while (at(kWHEN));
  s.has_else = accept(kELSE);
  if (s.has_else) s.body = control_statements();
  expect(kEND);
  expect(kCASE);
}

void Parser::control_if(RoutineStatement& s) {
  s.kind = RoutineStatement::Kind::kIf;
  expect(kIF);
  do {
    auto& branch = s.branches.emplace_back();
    branch.condition = expression();
    expect(kTHEN);
    branch.body = control_statements();
  } while (accept(kELSEIF));
  s.has_else = accept(kELSE);
  if (s.has_else) s.body = control_statements();
  expect(kEND);
  expect(kIF);
}

void Parser::control_compound(RoutineStatement& s) {
  s.kind = RoutineStatement::Kind::kCompound;
  expect(kBEGIN);
  while (at(kDECLARE)) {
    auto& declaration = s.declarations.emplace_back();
    declaration.pos = pos();
    ++at_;
    do declaration.names.push_back(identifier());
    while (accept(Symbol::kComma));
    declaration.type = type();
    if (accept(kDEFAULT)) declaration.initial = expression();
    expect(Symbol::kSemicolon);
  }
  if (!at(kEND)) s.body = control_statements();
  expect(kEND);
}

void Parser::control_loop(RoutineStatement& s) {
  using Kind = RoutineStatement::Kind;
  if (at_identifier() && is(Symbol::kColon, 1)) {
    s.label = identifier();
    ++at_;
  }
  if (accept(kLOOP)) {
    s.kind = Kind::kLoop;
    s.body = control_statements();
    expect(kEND);
    expect(kLOOP);
  } else if (accept(kWHILE)) {
    s.kind = Kind::kWhile;
    s.value = expression();
    expect(kDO);
    s.body = control_statements();
    expect(kEND);
    expect(kWHILE);
  } else {
    s.kind = Kind::kRepeat;
    expect(kREPEAT);
    s.body = control_statements();
    expect(kUNTIL);
    s.value = expression();
    expect(kEND);
    expect(kREPEAT);
  }
}

}  // namespace meesh::sql
