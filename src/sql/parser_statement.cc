#include "sql/parser.h"

namespace meesh::sql {

StatementPtr Parser::statement() {
  Nesting nesting(*this);
  Position start = pos();
  StatementPtr result = statement_by_keyword();
  result->pos = start;
  return result;
}

StatementPtr Parser::statement_by_keyword() {
  switch (token().keyword) {
    case kEXPLAIN:
      return explain();
    case kSHOW:
      return show();
    case kDESCRIBE:
    case kDESC:
      return describe();
    case kUSE:
      return use();
    case kSET:
      return set();
    case kRESET:
      return reset();
    case kPREPARE:
      return prepare();
    case kEXECUTE:
      return execute();
    case kDEALLOCATE: {
      auto s = std::make_unique<Deallocate>();
      ++at_;
      expect(kPREPARE);
      s->name = identifier();
      return s;
    }
    case kSTART:
      return start_transaction();
    case kCOMMIT:
      ++at_;
      accept(kWORK);
      return std::make_unique<Commit>();
    case kROLLBACK:
      ++at_;
      accept(kWORK);
      return std::make_unique<Rollback>();
    case kCALL:
      return call_statement();
    case kINSERT:
      return insert();
    case kDELETE:
      return delete_statement();
    case kUPDATE:
      return update();
    case kMERGE:
      return merge();
    case kTRUNCATE:
      return truncate();
    case kANALYZE:
      return analyze();
    case kCREATE:
      return create();
    case kDROP:
      return drop();
    case kALTER:
      return alter();
    case kCOMMENT:
      return comment_on();
    case kREFRESH: {
      auto s = std::make_unique<RefreshMaterializedView>();
      ++at_;
      expect(kMATERIALIZED, kVIEW);
      s->name = qualified_name();
      return s;
    }
    case kGRANT:
      return grant();
    case kREVOKE:
      return revoke();
    case kDENY:
      return deny();
    case kSELECT:
    case kVALUES:
    case kTABLE:
    case kWITH:
      return query_statement();
    default:
      break;
  }
  if (is(Symbol::kLeftParen)) return query_statement();
  static constexpr Kw kStarts[] = {kALTER,      kANALYZE,  kCALL,   kCOMMENT,  kCOMMIT,   kCREATE,
                                   kDEALLOCATE, kDELETE,   kDENY,   kDESC,     kDESCRIBE, kDROP,
                                   kEXECUTE,    kEXPLAIN,  kGRANT,  kINSERT,   kMERGE,    kPREPARE,
                                   kREFRESH,    kRESET,    kREVOKE, kROLLBACK, kSET,      kSHOW,
                                   kSTART,      kTRUNCATE, kUPDATE, kUSE};
  for (Kw start : kStarts) at(start);
  note("'WITH'");
  note("<query>");
  mismatch();
}

StatementPtr Parser::query_statement() {
  auto s = std::make_unique<QueryStatement>();
  s->query = root_query();
  return s;
}

StatementPtr Parser::explain() {
  auto s = std::make_unique<Explain>();
  ++at_;
  if (is(kANALYZE) && !is(TokenKind::kEnd, 1) && !at_identifier(1)) {
    ++at_;
    s->analyze = true;
  } else if (is(kANALYZE) && is(kVERBOSE, 1)) {
    at_ += 2;
    s->analyze = s->verbose = true;
  } else if (is(kANALYZE) && (is(kEXPLAIN, 1) || is(kSHOW, 1) || is(kSET, 1) || is(kCALL, 1) ||
                              is(kMERGE, 1) || is(kUPDATE, 1) || is(kREFRESH, 1))) {
    ++at_;
    s->analyze = true;
  } else if (is(Symbol::kLeftParen) && (is(kTYPE, 1) || is(kFORMAT, 1))) {
    ++at_;
    do {
      if (accept(kTYPE)) {
        for (Kw type : {kLOGICAL, kDISTRIBUTED, kVALIDATE, kIO}) {
          if (!at(type)) continue;
          s->type = lower(keyword_text(type));
        }
        if (s->type.empty()) mismatch();
      } else {
        expect(kFORMAT);
        for (Kw format : {kTEXT, kGRAPHVIZ, kJSON}) {
          if (!at(format)) continue;
          s->format = lower(keyword_text(format));
        }
        if (s->format.empty()) mismatch();
      }
      ++at_;
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
  } else if (at(Symbol::kLeftParen) && !at_query_start(1) && !is(Symbol::kLeftParen, 1)) {
    ++at_;
    note("'TYPE'");
    note("'FORMAT'");
    expect_body();
  }
  s->statement = statement();
  return s;
}

void Parser::like_clause(Show& show) {
  if (!accept(kLIKE)) return;
  show.like = string();
  if (accept(kESCAPE)) show.escape = string();
}

StatementPtr Parser::show() {
  auto s = std::make_unique<Show>();
  ++at_;
  auto from = [&](bool qualified) {
    if (!accept(kFROM) && !accept(kIN)) return false;
    if (qualified)
      s->name = qualified_name();
    else
      s->name.push_back(identifier());
    return true;
  };
  if (accept(kTABLES)) {
    s->what = "tables";
    from(true);
    like_clause(*s);
  } else if (accept(kSCHEMAS)) {
    s->what = "schemas";
    from(false);
    like_clause(*s);
  } else if (accept(kCATALOGS)) {
    s->what = "catalogs";
    like_clause(*s);
  } else if (accept(kCOLUMNS)) {
    s->what = "columns";
    if (!from(true)) mismatch();
    like_clause(*s);
  } else if (accept(kFUNCTIONS)) {
    s->what = "functions";
    from(true);
    like_clause(*s);
  } else if (accept(kSESSION)) {
    s->what = "session";
    like_clause(*s);
  } else if (accept(kSTATS)) {
    expect(kFOR);
    s->what = "stats";
    if (accept(Symbol::kLeftParen)) {
      s->what = "stats for";
      s->query = root_query();
      expect(Symbol::kRightParen);
    } else {
      s->name = qualified_name();
    }
  } else if (accept(kROLES)) {
    s->what = "roles";
    from(false);
  } else if (accept(kCURRENT)) {
    expect(kROLES);
    s->what = "current roles";
    from(false);
  } else if (accept(kROLE)) {
    expect(kGRANTS);
    s->what = "role grants";
    from(false);
  } else if (accept(kGRANTS)) {
    s->what = "grants";
    if (accept(kON)) {
      Grant target(StatementKind::kGrant);
      grant_object(target);
      s->name = std::move(target.entity);
      s->entity_kind = std::move(target.entity_kind);
    }
  } else {
    expect(kCREATE);
    if (accept(kTABLE)) {
      s->what = "create table";
    } else if (accept(kSCHEMA)) {
      s->what = "create schema";
    } else if (accept(kVIEW)) {
      s->what = "create view";
    } else if (accept(kFUNCTION)) {
      s->what = "create function";
    } else {
      expect(kMATERIALIZED, kVIEW);
      s->what = "create materialized view";
    }
    s->name = qualified_name();
  }
  return s;
}

StatementPtr Parser::describe() {
  ++at_;
  bool described = tokens_[at_ - 1].keyword == kDESCRIBE;
  if (described && is(kINPUT) && at_identifier(1)) {
    auto s = std::make_unique<DescribeInput>();
    ++at_;
    s->name = identifier();
    return s;
  }
  if (described && is(kOUTPUT) && at_identifier(1)) {
    auto s = std::make_unique<DescribeOutput>();
    ++at_;
    s->name = identifier();
    return s;
  }
  auto s = std::make_unique<Show>();
  s->what = "columns";
  s->name = qualified_name();
  return s;
}

StatementPtr Parser::use() {
  auto s = std::make_unique<Use>();
  ++at_;
  s->schema = identifier();
  if (accept(Symbol::kDot)) {
    s->catalog = std::move(s->schema);
    s->schema = identifier();
  }
  return s;
}

StatementPtr Parser::set() {
  ++at_;
  if (accept(kSESSION)) {
    if (is(kAUTHORIZATION) &&
        (at_identifier(1) || is(TokenKind::kString, 1) || is(TokenKind::kUnicodeString, 1))) {
      auto s = std::make_unique<SetSessionAuthorization>();
      ++at_;
      s->user = at_string() ? string() : identifier().value;
      return s;
    }
    auto s = std::make_unique<SetSession>();
    s->name = qualified_name();
    expect(Symbol::kEq);
    s->value = expression();
    return s;
  }
  if (accept(kTIME)) {
    auto s = std::make_unique<SetTimeZone>();
    expect(kZONE);
    if (is(kLOCAL) && !is(Symbol::kLeftParen, 1) && !is(Symbol::kDot, 1))
      ++at_;
    else
      s->value = expression();
    return s;
  }
  if (accept(kPATH)) {
    auto s = std::make_unique<SetPath>();
    do {
      Name element;
      element.push_back(identifier());
      if (accept(Symbol::kDot)) element.push_back(identifier());
      s->elements.push_back(std::move(element));
    } while (accept(Symbol::kComma));
    return s;
  }
  expect(kROLE);
  auto s = std::make_unique<SetRole>();
  s->kind_word = is(kALL) ? "all" : is(kNONE) ? "none" : "role";
  if (s->kind_word == "role")
    s->role = identifier();
  else
    ++at_;
  if (accept(kIN)) s->catalog = identifier();
  return s;
}

StatementPtr Parser::reset() {
  ++at_;
  expect(kSESSION);
  if (is(kAUTHORIZATION) && !is(Symbol::kDot, 1)) {
    ++at_;
    return std::make_unique<SetSessionAuthorization>();
  }
  auto s = std::make_unique<ResetSession>();
  s->name = qualified_name();
  return s;
}

StatementPtr Parser::prepare() {
  auto s = std::make_unique<Prepare>();
  ++at_;
  s->name = identifier();
  expect(kFROM);
  size_t first = at_;
  s->statement = statement();
  s->text = written_since(first);
  return s;
}

StatementPtr Parser::execute() {
  ++at_;
  if (is(kIMMEDIATE) && (is(TokenKind::kString, 1) || is(TokenKind::kUnicodeString, 1))) {
    auto s = std::make_unique<ExecuteImmediate>();
    ++at_;
    s->text_pos = pos();
    s->text = string();
    if (accept(kUSING)) s->args = expressions();
    return s;
  }
  if (!is(kIMMEDIATE)) note("'IMMEDIATE'");
  auto s = std::make_unique<Execute>();
  s->name = identifier();
  if (accept(kUSING)) s->args = expressions();
  return s;
}

StatementPtr Parser::start_transaction() {
  auto s = std::make_unique<StartTransaction>();
  const Position start = pos();
  ++at_;
  expect(kTRANSACTION);
  if (!at(kISOLATION) && !at(kREAD)) return s;
  do {
    if (accept(kISOLATION)) {
      if (!s->isolation.empty()) fail(start, "Multiple transaction isolation levels specified");
      expect(kLEVEL);
      if (accept(kREAD)) {
        if (accept(kCOMMITTED)) {
          s->isolation = "read committed";
        } else {
          expect(kUNCOMMITTED);
          s->isolation = "read uncommitted";
        }
      } else if (accept(kREPEATABLE)) {
        expect(kREAD);
        s->isolation = "repeatable read";
      } else {
        expect(kSERIALIZABLE);
        s->isolation = "serializable";
      }
    } else {
      if (s->read_only) fail(start, "Multiple transaction read modes specified");
      expect(kREAD);
      s->read_only = accept(kONLY);
      if (!*s->read_only) expect(kWRITE);
    }
  } while (accept(Symbol::kComma));
  return s;
}

StatementPtr Parser::call_statement() {
  auto s = std::make_unique<Call>();
  ++at_;
  s->name = qualified_name();
  s->args = call_arguments_in_parens();
  return s;
}

std::vector<std::pair<std::optional<Ident>, ExprPtr>> Parser::call_arguments_in_parens() {
  std::vector<std::pair<std::optional<Ident>, ExprPtr>> args;
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen)) {
    do args.push_back(call_argument());
    while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  return args;
}

std::pair<std::optional<Ident>, ExprPtr> Parser::call_argument() {
  std::optional<Ident> name;
  if (at_identifier() && is(Symbol::kFatArrow, 1)) {
    name = identifier();
    ++at_;
  }
  return {std::move(name), expression()};
}

}  // namespace meesh::sql
