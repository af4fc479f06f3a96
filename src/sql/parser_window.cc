#include "sql/parser.h"

namespace meesh::sql {

WindowSpec Parser::window_specification() {
  WindowSpec spec;
  spec.pos = pos();
  if (at_identifier() && !(is(kPARTITION) && is(kBY, 1)) && !at_frame()) spec.base = identifier();
  if (accept(kPARTITION)) {
    expect(kBY);
    spec.partition_by = expressions();
  }
  if (accept(kORDER)) {
    expect(kBY);
    spec.order_by = sort_items();
  }
  bool unit = at(kRANGE) || at(kROWS) || at(kGROUPS);
  if (unit || is(kMEASURES)) spec.frame = window_frame();
  return spec;
}

/// ROWS, RANGE, GROUPS and MEASURES may also name a window.
bool Parser::at_frame() const {
  if (is(kMEASURES)) return at_identifier(1) || !is(TokenKind::kSymbol, 1);
  if (!is(kROWS) && !is(kRANGE) && !is(kGROUPS)) return false;
  if (is(Symbol::kRightParen, 1) || is(kORDER, 1) || (is(kPARTITION, 1) && is(kBY, 2)))
    return false;
  // `rows ROWS 5 PRECEDING` extends a window, `ROWS rows PRECEDING` is bounded by a column.
  if (!is(kROWS, 1) && !is(kRANGE, 1) && !is(kGROUPS, 1)) return true;
  return is(kPRECEDING, 2) || is(kFOLLOWING, 2) || is(TokenKind::kSymbol, 2);
}

WindowFrame Parser::window_frame() {
  WindowFrame frame;
  if (is(kMEASURES)) {
    size_t first = at_;
    measures();
    frame.measures = canonical_since(first);
  }
  if (accept(kROWS))
    frame.unit = WindowFrame::Unit::kRows;
  else if (accept(kGROUPS))
    frame.unit = WindowFrame::Unit::kGroups;
  else
    expect(kRANGE);
  if (accept(kBETWEEN)) {
    frame.start = frame_bound();
    expect(kAND);
    frame.end = frame_bound();
  } else {
    frame.start = frame_bound();
  }
  size_t first = at_;
  if (is(kAFTER) || is(kINITIAL) || is(kSEEK) || is(kPATTERN)) {
    pattern_clauses(false);
    frame.pattern = canonical_since(first);
  }
  return frame;
}

FrameBound Parser::frame_bound() {
  FrameBound bound;
  if (is(kUNBOUNDED) && (is(kPRECEDING, 1) || is(kFOLLOWING, 1))) {
    bound.kind = is(kPRECEDING, 1) ? FrameBound::Kind::kUnboundedPreceding
                                   : FrameBound::Kind::kUnboundedFollowing;
    at_ += 2;
    return bound;
  }
  if (is(kCURRENT) && is(kROW, 1)) {
    at_ += 2;
    return bound;
  }
  note("'UNBOUNDED'");
  note("'CURRENT'");
  bound.value = expression();
  if (accept(kPRECEDING)) {
    bound.kind = FrameBound::Kind::kPreceding;
  } else {
    expect(kFOLLOWING);
    bound.kind = FrameBound::Kind::kFollowing;
  }
  return bound;
}

void Parser::measures() {
  expect(kMEASURES);
  do {
    expression();
    expect(kAS);
    identifier();
  } while (accept(Symbol::kComma));
}

void Parser::after_match() {
  expect(kMATCH);
  expect(kSKIP);
  if (accept(kPAST)) {
    expect(kLAST);
    expect(kROW);
    return;
  }
  expect(kTO);
  if (is(kNEXT) && is(kROW, 1)) {
    at_ += 2;
    return;
  }
  if ((is(kFIRST) || is(kLAST)) && at_identifier(1)) ++at_;
  identifier();
}

/// AFTER MATCH …, INITIAL | SEEK, PATTERN (…), SUBSET …, DEFINE …
void Parser::pattern_clauses(bool definitions_required) {
  if (accept(kAFTER)) after_match();
  if (!accept(kINITIAL)) accept(kSEEK);
  if (definitions_required || at(kPATTERN)) {
    expect(kPATTERN);
    expect(Symbol::kLeftParen);
    row_pattern();
    expect(Symbol::kRightParen);
  }
  if (accept(kSUBSET)) {
    do {
      identifier();
      expect(Symbol::kEq);
      identifiers_in_parens();
    } while (accept(Symbol::kComma));
  }
  if (definitions_required || at(kDEFINE)) {
    expect(kDEFINE);
    do {
      identifier();
      expect(kAS);
      expression();
    } while (accept(Symbol::kComma));
  }
}

void Parser::row_pattern() {
  Nesting nesting(*this);
  do {
    do row_pattern_term();
    while (at_identifier() || is(Symbol::kLeftParen) || is(Symbol::kCaret) || is(Symbol::kDollar) ||
           is(Symbol::kLeftExclude));
  } while (accept(Symbol::kPipe));
}

void Parser::row_pattern_term() {
  if (is(kPERMUTE) && is(Symbol::kLeftParen, 1)) {
    at_ += 2;
    do row_pattern();
    while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
  } else if (accept(Symbol::kLeftParen)) {
    if (!is(Symbol::kRightParen)) row_pattern();
    expect(Symbol::kRightParen);
  } else if (accept(Symbol::kLeftExclude)) {
    row_pattern();
    expect(Symbol::kRightExclude);
  } else if (!accept(Symbol::kCaret) && !accept(Symbol::kDollar)) {
    identifier();
  }
  pattern_quantifier();
}

void Parser::pattern_quantifier() {
  if (is(Symbol::kStar) || is(Symbol::kPlus) || is(Symbol::kQuestion)) {
    ++at_;
  } else if (is(Symbol::kLeftBrace)) {
    ++at_;
    bool low = is(TokenKind::kInteger);
    if (low) integer();
    if (!low || is(Symbol::kComma)) {
      expect(Symbol::kComma);
      if (is(TokenKind::kInteger)) integer();
    }
    expect(Symbol::kRightBrace);
  } else {
    return;
  }
  if (is(Symbol::kQuestion)) ++at_;
}

RelationPtr Parser::match_recognize(RelationPtr input) {
  auto result = std::make_unique<MatchRecognize>();
  result->pos = input->pos;
  result->input = std::move(input);
  size_t first = at_;
  expect(kMATCH_RECOGNIZE);
  expect(Symbol::kLeftParen);
  {
    Nesting nesting(*this);
    if (accept(kPARTITION)) {
      expect(kBY);
      expressions();
    }
    if (accept(kORDER)) {
      expect(kBY);
      sort_items();
    }
    if (at(kMEASURES)) measures();
    if (accept(kONE)) {
      expect(kROW);
      expect(kPER);
      expect(kMATCH);
    } else if (accept(kALL)) {
      expect(kROWS);
      expect(kPER);
      expect(kMATCH);
      if (accept(kSHOW) || accept(kOMIT)) {
        expect(kEMPTY);
        expect(kMATCHES);
      } else if (accept(kWITH)) {
        expect(kUNMATCHED);
        expect(kROWS);
      }
    }
    pattern_clauses(true);
  }
  expect(Symbol::kRightParen);
  result->text = canonical_since(first);
  grow();
  return result;
}

}  // namespace meesh::sql
