#include "sql/parser.h"

namespace meesh::sql {
namespace {

TypeNodePtr type_node(Position pos, std::string name) {
  auto node = std::make_unique<TypeNode>();
  node->pos = pos;
  node->name = std::move(name);
  return node;
}

TypeNode::Param param_of(TypeNodePtr type) {
  TypeNode::Param param;
  param.type = std::move(type);
  return param;
}

}  // namespace

TypeNodePtr Parser::type() {
  Nesting nesting(*this);
  TypeNodePtr result = base_type();
  while (is(kARRAY) && !is(Symbol::kLeftParen, 1) && !is(Symbol::kLt, 1)) {
    TypeNodePtr array = type_node(result->pos, "array");
    ++at_;
    if (accept(Symbol::kLeftBracket)) {
      integer();
      expect(Symbol::kRightBracket);
    }
    array->params.push_back(param_of(std::move(result)));
    result = std::move(array);
    grow();
  }
  return result;
}

TypeNodePtr Parser::base_type() {
  Position start = pos();
  if (!at_identifier()) {
    note("<type>");
    mismatch();
  }
  if (is(kROW) && is(Symbol::kLeftParen, 1)) return row_type();
  if (is(kINTERVAL) && at_interval_field(1)) {
    ++at_;
    TypeNodePtr node = type_node(start, "interval");
    node->interval_from = interval_field();
    if (accept(kTO)) node->interval_to = interval_field();
    return node;
  }
  if (is(kTIME) || is(kTIMESTAMP)) return datetime_type();
  if (is(kDOUBLE) && is(kPRECISION, 1)) {
    at_ += 2;
    return type_node(start, "double");
  }
  if ((is(kARRAY) || is(kMAP)) && is(Symbol::kLt, 1)) {
    TypeNodePtr node = type_node(start, is(kMAP) ? "map" : "array");
    bool map = is(kMAP);
    at_ += 2;
    node->params.push_back(param_of(type()));
    if (map) {
      expect(Symbol::kComma);
      node->params.push_back(param_of(type()));
    }
    expect(Symbol::kGt);
    return node;
  }
  Ident name = identifier();
  TypeNodePtr node = type_node(start, name.quoted ? name.value : lower(name.value));
  if (accept(Symbol::kLeftParen)) {
    do node->params.push_back(type_parameter());
    while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
  }
  return node;
}

TypeNode::Param Parser::type_parameter() {
  TypeNode::Param param;
  if (is(TokenKind::kInteger)) {
    uint64_t value = integer_value(token());
    if (value > INT64_MAX)
      fail(pos(), "Invalid numeric literal: " + std::string(token_text(token())));
    param.number = static_cast<int64_t>(value);
    ++at_;
  } else {
    note("<integer>");
    param.type = type();
  }
  return param;
}

TypeNodePtr Parser::datetime_type() {
  TypeNodePtr node = type_node(pos(), is(kTIME) ? "time" : "timestamp");
  ++at_;
  if (accept(Symbol::kLeftParen)) {
    node->params.push_back(type_parameter());
    expect(Symbol::kRightParen);
  }
  if (is(kWITH) && is(kTIME, 1)) {
    at_ += 2;
    expect(kZONE);
    node->with_time_zone = true;
  } else if (is(kWITHOUT) && is(kTIME, 1)) {
    at_ += 2;
    expect(kZONE);
  }
  return node;
}

TypeNodePtr Parser::row_type() {
  TypeNodePtr node = type_node(pos(), "row");
  at_ += 2;
  do {
    std::optional<Ident> name;
    if (row_field_is_named()) name = identifier();
    TypeNode::Param param = param_of(type());
    param.field_name = std::move(name);
    node->params.push_back(std::move(param));
  } while (accept(Symbol::kComma));
  expect(Symbol::kRightParen);
  return node;
}

/// A field is `type` or `name type`, and most types are names: what follows the first word decides.
bool Parser::row_field_is_named() const {
  if (!at_identifier() || !at_identifier(1)) return false;
  if (is(kDOUBLE) && is(kPRECISION, 1)) return false;
  if ((is(kTIME) || is(kTIMESTAMP)) && (is(kWITH, 1) || is(kWITHOUT, 1)) && is(kTIME, 2))
    return false;
  if (is(kINTERVAL) && at_interval_field(1)) return false;
  if (is(kARRAY, 1)) return is(Symbol::kLeftParen, 2) || is(Symbol::kLt, 2);
  return true;
}

bool Parser::at_interval_field(size_t ahead) const {
  switch (token(ahead).keyword) {
    case kYEAR:
    case kMONTH:
    case kDAY:
    case kHOUR:
    case kMINUTE:
    case kSECOND:
      return true;
    default:
      return false;
  }
}

std::string Parser::interval_field() {
  if (!at_interval_field()) {
    for (Kw field : {kYEAR, kMONTH, kDAY, kHOUR, kMINUTE, kSECOND}) at(field);
    mismatch();
  }
  return lower(keyword_text(tokens_[at_++].keyword));
}

}  // namespace meesh::sql
