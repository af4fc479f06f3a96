#include "sql/parser.h"

namespace meesh::sql {
namespace {

template <class T>
std::unique_ptr<T> make(Position pos) {
  auto node = std::make_unique<T>();
  node->pos = pos;
  return node;
}

std::unique_ptr<FunctionCall> plain_call(Position pos, std::string name) {
  auto f = make<FunctionCall>(pos);
  f->name.push_back({std::move(name), false, pos});
  return f;
}

}  // namespace

ExprPtr Parser::call(Name name, Position start) {
  auto f = make<FunctionCall>(start);
  f->name = std::move(name);
  expect(Symbol::kLeftParen);
  call_arguments(*f);
  expect(Symbol::kRightParen);
  call_suffix(*f);
  return f;
}

void Parser::call_arguments(FunctionCall& f) {
  if (at(Symbol::kRightParen)) return;
  note("'*'");
  bool label = at_identifier() && is(Symbol::kDot, 1) && is(Symbol::kStar, 2);
  if (is(Symbol::kStar) || label) {
    auto star = make<Star>(pos());
    if (label) {
      auto qualifier = make<Identifier>(pos());
      qualifier->name = identifier();
      star->qualifier = std::move(qualifier);
      ++at_;
    }
    ++at_;
    f.args.push_back(std::move(star));
    return;
  }
  if (!at(kORDER)) {
    if (at(kDISTINCT)) {
      f.distinct = true;
      ++at_;
    } else if (at_all_quantifier()) {
      ++at_;
    } else {
      note("'ALL'");
    }
    f.args = expressions();
  }
  if (accept(kORDER)) {
    expect(kBY);
    f.order_by = sort_items();
  }
}

/// FILTER (WHERE …), IGNORE NULLS, OVER …: words that are names elsewhere.
void Parser::call_suffix(FunctionCall& f) {
  if (is(kFILTER) && is(Symbol::kLeftParen, 1) && is(kWHERE, 2)) {
    at_ += 3;
    f.filter = expression();
    expect(Symbol::kRightParen);
  }
  if ((is(kIGNORE) || is(kRESPECT)) && is(kNULLS, 1) && at_over(2)) {
    f.nulls = is(kIGNORE) ? NullTreatment::kIgnore : NullTreatment::kRespect;
    at_ += 2;
  }
  if (at_over()) window_over(f);
}

bool Parser::at_over(size_t ahead) const {
  return is(kOVER, ahead) && (is(Symbol::kLeftParen, ahead + 1) || at_identifier(ahead + 1));
}

void Parser::window_over(FunctionCall& f) {
  Nesting nesting(*this);
  Position start = pos();
  expect(kOVER);
  if (accept(Symbol::kLeftParen)) {
    f.over = window_specification();
    expect(Symbol::kRightParen);
  } else {
    f.over.emplace();
    f.over->name_only = true;
    f.over->base = identifier();
  }
  if (f.over->name_only) f.over->pos = start;  // otherwise where its parts start
}

ExprPtr Parser::listagg() {
  auto f = plain_call(pos(), "listagg");
  ++at_;
  expect(Symbol::kLeftParen);
  if (accept(kDISTINCT))
    f->distinct = true;
  else
    accept(kALL);
  f->args.push_back(expression());
  if (accept(Symbol::kComma)) {
    auto separator = make<StringLiteral>(pos());
    separator->value = string();
    f->args.push_back(std::move(separator));
  }
  if (accept(kON)) {
    expect(kOVERFLOW);
    f->listagg_overflow = listagg_overflow();
  }
  expect(Symbol::kRightParen);
  expect(kWITHIN);
  expect(kGROUP);
  expect(Symbol::kLeftParen);
  expect(kORDER, kBY);
  f->order_by = sort_items();
  f->within_group = true;
  expect(Symbol::kRightParen);
  call_suffix(*f);
  return f;
}

std::string Parser::listagg_overflow() {
  if (accept(kERROR)) return "ERROR";
  expect(kTRUNCATE);
  std::string text = "TRUNCATE";
  if (at_string()) text += " " + quote_string(string());
  if (accept(kWITHOUT)) {
    text += " WITHOUT COUNT";
  } else {
    expect(kWITH);
    text += " WITH COUNT";
  }
  expect(kCOUNT);
  return text;
}

ExprPtr Parser::trim() {
  auto result = make<Trim>(pos());
  ++at_;
  expect(Symbol::kLeftParen);
  bool side =
      (is(kBOTH) || is(kLEADING) || is(kTRAILING)) && !is(Symbol::kRightParen, 1) &&
      !is(Symbol::kDot, 1) &&
      (!is(TokenKind::kSymbol, 1) || is(Symbol::kLeftParen, 1) || is(Symbol::kQuestion, 1)) &&
      !(is(kAT, 1) && is(kTIME, 2));
  if (side) {
    result->side = is(kBOTH)      ? Trim::Side::kBoth
                   : is(kLEADING) ? Trim::Side::kLeading
                                  : Trim::Side::kTrailing;
    ++at_;
  } else {
    for (const char* word : {"'BOTH'", "'LEADING'", "'TRAILING'"}) note(word);
  }
  if (accept(kFROM)) {
    result->value = value_expression();
  } else {
    Nesting nesting(*this);
    ExprPtr first = value_expression();
    if (side || is(kFROM)) {
      expect(kFROM);
      result->characters = std::move(first);
      result->value = value_expression();
    } else {
      result->value = std::move(first);
      if (accept(Symbol::kComma)) result->characters = value_expression();
    }
  }
  expect(Symbol::kRightParen);
  return result;
}

ExprPtr Parser::substring() {
  Position start = pos();
  auto f = make<FunctionCall>(start);
  f->name.push_back(identifier());
  expect(Symbol::kLeftParen);
  call_arguments(*f);
  if (f->args.size() == 1 && !f->distinct && f->args[0]->kind != ExprKind::kStar && accept(kFROM)) {
    f->args.push_back(expression());
    if (accept(kFOR)) f->args.push_back(expression());
  }
  expect(Symbol::kRightParen);
  call_suffix(*f);
  return f;
}

ExprPtr Parser::position_in() {
  Position start = pos();
  auto f = make<FunctionCall>(start);
  f->name.push_back(identifier());
  expect(Symbol::kLeftParen);
  if (is(Symbol::kRightParen) || is(Symbol::kStar) || is(kDISTINCT) || is(kORDER)) {
    call_arguments(*f);
  } else {
    Nesting nesting(*this);
    ExprPtr needle = value_expression();
    if (accept(kIN)) {
      f->args.push_back(std::move(needle));
      f->args.push_back(value_expression());
    } else {
      f->args.push_back(expression(std::move(needle)));
      while (accept(Symbol::kComma)) f->args.push_back(expression());
      if (accept(kORDER)) {
        expect(kBY);
        f->order_by = sort_items();
      }
    }
  }
  expect(Symbol::kRightParen);
  call_suffix(*f);
  return f;
}

ExprPtr Parser::normalize() {
  auto f = plain_call(pos(), "normalize");
  ++at_;
  expect(Symbol::kLeftParen);
  {
    Nesting nesting(*this);
    f->args.push_back(value_expression());
  }
  if (accept(Symbol::kComma)) {
    auto form = make<StringLiteral>(pos());
    if (!at(kNFC) && !at(kNFD) && !at(kNFKC) && !at(kNFKD)) mismatch();
    form->value = keyword_text(token().keyword);
    ++at_;
    f->args.push_back(std::move(form));
  }
  expect(Symbol::kRightParen);
  return f;
}

ExprPtr Parser::extract() {
  auto result = make<Extract>(pos());
  ++at_;
  expect(Symbol::kLeftParen);
  result->field = lower(identifier().value);
  expect(kFROM);
  {
    Nesting nesting(*this);
    result->value = value_expression();
  }
  expect(Symbol::kRightParen);
  return result;
}

ExprPtr Parser::grouping() {
  auto result = make<Grouping>(pos());
  ++at_;
  expect(Symbol::kLeftParen);
  if (!at(Symbol::kRightParen)) {
    do {
      Nesting nesting(*this);
      auto base = make<Identifier>(pos());
      base->name = identifier();
      ExprPtr column = std::move(base);
      while (accept(Symbol::kDot)) {
        auto field = make<Dereference>(column->pos);
        field->base = std::move(column);
        field->field = identifier();
        column = std::move(field);
        grow();
      }
      result->args.push_back(std::move(column));
    } while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  return result;
}

}  // namespace meesh::sql
