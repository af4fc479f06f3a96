#include "sql/parser.h"

namespace meesh::sql {
namespace {

std::unique_ptr<JsonFunction> make_json(Position pos, const char* name) {
  auto f = std::make_unique<JsonFunction>();
  f->pos = pos;
  f->name = name;
  return f;
}

}  // namespace

/// JSON_EXISTS, JSON_VALUE, JSON_QUERY: (input, 'path' …) and their clauses.
ExprPtr Parser::json_path_function(const char* name) {
  auto f = make_json(pos(), name);
  bool exists = is(kJSON_EXISTS), query = is(kJSON_QUERY);
  ++at_;
  expect(Symbol::kLeftParen);
  json_path_invocation(*f);
  if (exists) {
    for (Kw behavior : {kTRUE, kFALSE, kUNKNOWN, kERROR}) {
      if (!accept(behavior)) continue;
      f->clauses.push_back(std::string(keyword_text(behavior)) + " ON ERROR");
      expect(kON);
      expect(kERROR);
      break;
    }
  } else {
    json_returning(*f, query);
    if (query) json_wrapper_and_quotes(*f);
    auto behavior = [&] { return query ? json_query_behavior(*f) : json_value_behavior(*f); };
    if (behavior()) behavior();
  }
  expect(Symbol::kRightParen);
  return f;
}

void Parser::json_path_invocation(JsonFunction& f) {
  f.input = expression();
  f.input_format = json_format();
  expect(Symbol::kComma);
  f.path = string();
  if (accept(kAS)) f.path_name = identifier();
  if (accept(kPASSING)) {
    do {
      ExprPtr value = expression();
      f.passing_formats.push_back(json_format());
      expect(kAS);
      f.passing.emplace_back(std::move(value), print_identifier(identifier()));
    } while (accept(Symbol::kComma));
  }
}

/// "FORMAT JSON …" or "" if there is none.
std::string Parser::json_format() {
  if (!is(kFORMAT) || !is(kJSON, 1)) return {};
  at_ += 2;
  std::string text = "FORMAT JSON";
  if (accept(kENCODING)) {
    if (!at(kUTF8) && !at(kUTF16) && !at(kUTF32)) mismatch();
    text += " ENCODING " + std::string(keyword_text(token().keyword));
    ++at_;
  }
  return text;
}

void Parser::json_returning(JsonFunction& f, bool format) {
  if (!accept(kRETURNING)) return;
  f.returning = type();
  if (!format) return;
  std::string text = json_format();
  if (!text.empty()) f.clauses.push_back(text);
}

/// ERROR | NULL | DEFAULT x, ON EMPTY | ERROR. False if there is none, or none more can follow.
bool Parser::json_value_behavior(JsonFunction& f) {
  std::string what;
  ExprPtr value;
  if (accept(kERROR)) {
    what = "ERROR";
  } else if (accept(kNULL)) {
    what = "NULL";
  } else if (accept(kDEFAULT)) {
    value = expression();
  } else {
    return false;
  }
  expect(kON);
  bool empty = accept(kEMPTY);
  if (!empty) expect(kERROR);
  if (value)
    f.defaults.emplace_back(empty ? "EMPTY" : "ERROR", std::move(value));
  else
    f.clauses.push_back(what + (empty ? " ON EMPTY" : " ON ERROR"));
  return empty;
}

bool Parser::json_query_behavior(JsonFunction& f) {
  std::string what;
  if (accept(kERROR)) {
    what = "ERROR";
  } else if (accept(kNULL)) {
    what = "NULL";
  } else if (accept(kEMPTY)) {
    if (accept(kARRAY)) {
      what = "EMPTY ARRAY";
    } else {
      expect(kOBJECT);
      what = "EMPTY OBJECT";
    }
  } else {
    return false;
  }
  expect(kON);
  bool empty = accept(kEMPTY);
  if (!empty) expect(kERROR);
  f.clauses.push_back(what + (empty ? " ON EMPTY" : " ON ERROR"));
  return empty;
}

void Parser::json_wrapper_and_quotes(JsonFunction& f) {
  if (accept(kWITHOUT)) {
    accept(kARRAY);
    expect(kWRAPPER);
    f.clauses.emplace_back("WITHOUT WRAPPER");
  } else if (accept(kWITH)) {
    std::string text = accept(kCONDITIONAL) ? "WITH CONDITIONAL WRAPPER" : "";
    if (text.empty()) {
      accept(kUNCONDITIONAL);
      text = "WITH UNCONDITIONAL WRAPPER";
    }
    accept(kARRAY);
    expect(kWRAPPER);
    f.clauses.push_back(text);
  }
  if (is(kKEEP) || is(kOMIT)) {
    std::string text = is(kKEEP) ? "KEEP QUOTES" : "OMIT QUOTES";
    ++at_;
    expect(kQUOTES);
    if (is(kON) && is(kSCALAR, 1)) {
      at_ += 2;
      expect(kSTRING);
      text += " ON SCALAR STRING";
    }
    f.clauses.push_back(text);
  }
}

void Parser::json_null_on_null(JsonFunction& f) {
  if (accept(kNULL))
    f.clauses.emplace_back("NULL ON NULL");
  else if (accept(kABSENT))
    f.clauses.emplace_back("ABSENT ON NULL");
  else
    return;
  expect(kON);
  expect(kNULL);
}

ExprPtr Parser::json_object() {
  auto f = make_json(pos(), "json_object");
  ++at_;
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen) && !(is(kRETURNING) && at_identifier(1))) {
    do {
      bool marked = is(kKEY) && !is(kVALUE, 1) && !is(Symbol::kColon, 1) && !is(Symbol::kDot, 1) &&
                    (!is(TokenKind::kSymbol, 1) || is(Symbol::kLeftParen, 1));
      if (marked) ++at_;
      ExprPtr key = expression();
      if (!accept(Symbol::kColon)) expect(kVALUE);
      f->members.emplace_back(std::move(key), expression());
      f->member_formats.push_back(json_format());
    } while (accept(Symbol::kComma));
    json_null_on_null(*f);
    if (is(kWITH) || is(kWITHOUT)) {
      f->clauses.emplace_back(is(kWITH) ? "WITH UNIQUE KEYS" : "WITHOUT UNIQUE KEYS");
      ++at_;
      expect(kUNIQUE);
      accept(kKEYS);
    }
  }
  json_returning(*f, true);
  expect(Symbol::kRightParen);
  return f;
}

ExprPtr Parser::json_array() {
  auto f = make_json(pos(), "json_array");
  ++at_;
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen) && !(is(kRETURNING) && at_identifier(1))) {
    do {
      f->members.emplace_back(nullptr, expression());
      f->member_formats.push_back(json_format());
    } while (accept(Symbol::kComma));
    json_null_on_null(*f);
  }
  json_returning(*f, true);
  expect(Symbol::kRightParen);
  return f;
}

RelationPtr Parser::json_table() {
  auto result = std::make_unique<JsonTable>();
  result->pos = pos();
  result->table = std::make_shared<JsonTableNode>();
  auto& table = *result->table;
  size_t first = at_;
  {
    Nesting nesting(*this);
    expect(kJSON_TABLE);
    expect(Symbol::kLeftParen);
    table.root = make_json(pos(), "json_table");
    json_path_invocation(*table.root);
    table.columns = json_table_columns();
    if (accept(kPLAN)) json_table_plan_clause(table);
    if (at(kERROR) || at(kEMPTY)) {
      table.on_error = is(kERROR) ? "ERROR" : "EMPTY";
      ++at_;
      expect(kON);
      expect(kERROR);
    }
    expect(Symbol::kRightParen);
  }
  result->text = canonical_since(first);
  return result;
}

/// DEFAULT (OUTER | INNER and UNION | CROSS), or (plan).
void Parser::json_table_plan_clause(JsonTableNode& table) {
  if (!accept(kDEFAULT)) {
    expect(Symbol::kLeftParen);
    table.plan = json_table_plan();
    return expect(Symbol::kRightParen);
  }
  expect(Symbol::kLeftParen);
  const auto take = [&] {
    if (is(kINNER)) table.default_inner = true;
    if (is(kCROSS)) table.default_cross = true;
    ++at_;
  };
  const bool outer = is(kOUTER) || is(kINNER);
  if (!outer && !at(kUNION) && !at(kCROSS)) mismatch();
  take();
  if (accept(Symbol::kComma)) {
    const bool fits = outer ? is(kUNION) || is(kCROSS) : is(kOUTER) || is(kINNER);
    if (!fits) mismatch();
    take();
  }
  expect(Symbol::kRightParen);
}

std::vector<JsonTableColumn> Parser::json_table_columns() {
  Nesting nesting(*this);
  std::vector<JsonTableColumn> columns;
  expect(kCOLUMNS);
  expect(Symbol::kLeftParen);
  do columns.push_back(json_table_column());
  while (accept(Symbol::kComma));
  expect(Symbol::kRightParen);
  return columns;
}

JsonTableColumn Parser::json_table_column() {
  JsonTableColumn column;
  column.pos = pos();
  if (is(kNESTED) && (is(kPATH, 1) || is(TokenKind::kString, 1))) {
    column.kind = JsonTableColumn::Kind::kNested;
    ++at_;
    accept(kPATH);
    column.path_pos = pos();
    column.path = string();
    if (accept(kAS)) column.path_name = identifier();
    column.columns = json_table_columns();
    return column;
  }
  column.name = identifier();
  if (accept(kFOR)) {
    column.kind = JsonTableColumn::Kind::kOrdinality;
    expect(kORDINALITY);
    return column;
  }
  json_table_value(column);
  return column;
}

void Parser::json_table_value(JsonTableColumn& column) {
  auto made = make_json(column.pos, "json_value");
  auto& f = *made;
  f.returning = type();
  const std::string format = json_format();
  const bool query = !format.empty();
  if (query) {
    column.kind = JsonTableColumn::Kind::kQuery;
    f.name = "json_query";
    f.clauses.push_back(format);
  }
  column.path_pos = pos();
  column.has_path = accept(kPATH);
  if (column.has_path) {
    column.path_pos = pos();
    f.path = string();
  }
  if (query) json_wrapper_and_quotes(f);
  const auto behavior = [&] { return query ? json_query_behavior(f) : json_value_behavior(f); };
  if (behavior()) behavior();
  column.function = std::move(made);
}

/// a | a OUTER (b) | (a) UNION b UNION c | (a) CROSS b
std::unique_ptr<JsonTablePlan> Parser::json_table_plan() {
  using Kind = JsonTablePlan::Kind;
  Nesting nesting(*this);
  const auto primary_plan = [&] {
    if (accept(Symbol::kLeftParen)) {
      auto inner = json_table_plan();
      expect(Symbol::kRightParen);
      return inner;
    }
    auto path = std::make_unique<JsonTablePlan>();
    path->pos = pos();
    path->path = identifier();
    return path;
  };
  const bool name = at_identifier();
  auto plan = std::make_unique<JsonTablePlan>();
  plan->pos = pos();
  plan->parts.push_back(primary_plan());
  if (name && (at(kOUTER) || at(kINNER))) {
    plan->kind = is(kOUTER) ? Kind::kOuter : Kind::kInner;
    ++at_;
    plan->parts.push_back(primary_plan());
    return plan;
  }
  const Kw between = is(kUNION) ? kUNION : kCROSS;
  plan->kind = is(kUNION) ? Kind::kUnion : Kind::kCross;
  while (accept(between)) plan->parts.push_back(primary_plan());
  if (plan->parts.size() == 1) return std::move(plan->parts.front());
  return plan;
}

}  // namespace meesh::sql
