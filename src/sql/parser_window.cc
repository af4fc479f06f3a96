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
  if (unit || is(kMEASURES)) {
    spec.frame = window_frame();
    for (const char* word : {"'AFTER'", "'DEFINE'", "'INITIAL'", "'PATTERN'", "'SEEK'", "'SUBSET'"})
      note(word);
  }
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

namespace {

/// Bounds that cannot follow each other. Trino checks them with the types; here alone the place of
/// the frame is known.
void check_bounds(const WindowFrame& frame, Position at) {
  using Kind = FrameBound::Kind;
  const Kind start = frame.start.kind;
  const Kind end = frame.end ? frame.end->kind : Kind::kCurrentRow;
  const char* wrong = nullptr;
  if (start == Kind::kUnboundedFollowing)
    wrong = "Window frame start cannot be UNBOUNDED FOLLOWING";
  else if (end == Kind::kUnboundedPreceding)
    wrong = "Window frame end cannot be UNBOUNDED PRECEDING";
  else if (start == Kind::kCurrentRow && end == Kind::kPreceding)
    wrong = "Window frame starting from CURRENT ROW cannot end with PRECEDING";
  else if (start == Kind::kFollowing && end == Kind::kPreceding)
    wrong = "Window frame starting from FOLLOWING cannot end with PRECEDING";
  else if (start == Kind::kFollowing && end == Kind::kCurrentRow)
    wrong = "Window frame starting from FOLLOWING cannot end with CURRENT ROW";
  if (wrong) throw Error(Code::kInvalidWindowFrame, wrong, {at.line, at.column, {}});
}

}  // namespace

WindowFrame Parser::window_frame() {
  WindowFrame frame;
  const Position start = pos();
  if (is(kMEASURES)) {
    size_t first = at_;
    RowPattern pattern;
    measures(pattern);
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
  check_bounds(frame, start);
  size_t first = at_;
  if (is(kAFTER) || is(kINITIAL) || is(kSEEK) || is(kPATTERN)) {
    RowPattern pattern;
    pattern_clauses(pattern, false);
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

void Parser::measures(RowPattern& pattern) {
  expect(kMEASURES);
  do {
    auto& measure = pattern.measures.emplace_back();
    measure.value = expression();
    expect(kAS);
    measure.name = identifier();
  } while (accept(Symbol::kComma));
}

void Parser::after_match(RowPattern& pattern) {
  expect(kMATCH);
  expect(kSKIP);
  if (accept(kPAST)) {
    expect(kLAST);
    return expect(kROW);
  }
  expect(kTO);
  if (is(kNEXT) && is(kROW, 1)) {
    pattern.skip = RowPattern::Skip::kToNext;
    at_ += 2;
    return;
  }
  pattern.skip = RowPattern::Skip::kToLast;
  if ((is(kFIRST) || is(kLAST)) && at_identifier(1)) {
    if (is(kFIRST)) pattern.skip = RowPattern::Skip::kToFirst;
    ++at_;
  }
  pattern.skip_label = identifier();
}

/// AFTER MATCH …, INITIAL | SEEK, PATTERN (…), SUBSET …, DEFINE …
void Parser::pattern_clauses(RowPattern& pattern, bool definitions_required) {
  if (accept(kAFTER)) after_match(pattern);
  if (at(kINITIAL) || at(kSEEK)) {
    pattern.search_pos = pos();
    pattern.search = is(kSEEK) ? "SEEK" : "INITIAL";
    ++at_;
  }
  if (definitions_required || at(kPATTERN)) {
    expect(kPATTERN);
    expect(Symbol::kLeftParen);
    pattern.pattern = row_pattern();
    expect(Symbol::kRightParen);
  }
  if (accept(kSUBSET)) {
    do {
      auto& subset = pattern.subsets.emplace_back();
      subset.name = identifier();
      expect(Symbol::kEq);
      subset.labels = identifiers_in_parens();
    } while (accept(Symbol::kComma));
  }
  if (definitions_required || at(kDEFINE)) {
    expect(kDEFINE);
    do {
      auto& definition = pattern.definitions.emplace_back();
      definition.label = identifier();
      expect(kAS);
      definition.condition = expression();
    } while (accept(Symbol::kComma));
  }
}

namespace {

using Terms = std::vector<std::unique_ptr<PatternTerm>>;

std::unique_ptr<PatternTerm> make_term(PatternTerm::Kind kind, Position pos) {
  auto term = std::make_unique<PatternTerm>();
  term->kind = kind;
  term->pos = pos;
  return term;
}

std::unique_ptr<PatternTerm> several(PatternTerm::Kind kind, Position pos, Terms parts) {
  if (parts.size() == 1) return std::move(parts.front());
  auto term = make_term(kind, pos);
  term->parts = std::move(parts);
  return term;
}

}  // namespace

std::unique_ptr<PatternTerm> Parser::row_pattern() {
  Nesting nesting(*this);
  const Position start = pos();
  Terms parts;
  do parts.push_back(row_pattern_sequence());
  while (accept(Symbol::kPipe));
  return several(PatternTerm::Kind::kAlternation, start, std::move(parts));
}

std::unique_ptr<PatternTerm> Parser::row_pattern_sequence() {
  const Position start = pos();
  Terms parts;
  do parts.push_back(row_pattern_term());
  while (at_identifier() || is(Symbol::kLeftParen) || is(Symbol::kCaret) || is(Symbol::kDollar) ||
         is(Symbol::kLeftExclude));
  return several(PatternTerm::Kind::kSequence, start, std::move(parts));
}

std::unique_ptr<PatternTerm> Parser::row_pattern_term() {
  using Kind = PatternTerm::Kind;
  const Position start = pos();
  std::unique_ptr<PatternTerm> term;
  if (is(kPERMUTE) && is(Symbol::kLeftParen, 1)) {
    at_ += 2;
    Terms parts;
    do parts.push_back(row_pattern());
    while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
    term = several(Kind::kPermutation, start, std::move(parts));
  } else if (accept(Symbol::kLeftParen)) {
    term = is(Symbol::kRightParen) ? make_term(Kind::kEmpty, start) : row_pattern();
    expect(Symbol::kRightParen);
  } else if (accept(Symbol::kLeftExclude)) {
    term = make_term(Kind::kExclusion, start);
    term->parts.push_back(row_pattern());
    expect(Symbol::kRightExclude);
  } else if (accept(Symbol::kCaret)) {
    term = make_term(Kind::kStart, start);
  } else if (accept(Symbol::kDollar)) {
    term = make_term(Kind::kEnd, start);
  } else {
    term = make_term(Kind::kLabel, start);
    term->label = identifier();
  }
  return pattern_quantifier(std::move(term));
}

std::unique_ptr<PatternTerm> Parser::pattern_quantifier(std::unique_ptr<PatternTerm> inner) {
  auto term = make_term(PatternTerm::Kind::kQuantified, pos());
  if (is(Symbol::kStar) || is(Symbol::kPlus) || is(Symbol::kQuestion)) {
    if (is(Symbol::kPlus)) term->low = 1;
    if (is(Symbol::kQuestion)) term->high = 1;
    ++at_;
  } else if (is(Symbol::kLeftBrace)) {
    ++at_;
    const bool low = is(TokenKind::kInteger);
    if (low) term->low = integer();
    if (!low || is(Symbol::kComma)) {
      expect(Symbol::kComma);
      if (is(TokenKind::kInteger)) term->high = integer();
    } else {
      term->high = term->low;
    }
    expect(Symbol::kRightBrace);
  } else {
    return inner;
  }
  if (is(Symbol::kQuestion)) {
    term->greedy = false;
    ++at_;
  }
  term->parts.push_back(std::move(inner));
  return term;
}

void Parser::rows_per_match(RowPattern& pattern) {
  using Rows = RowPattern::Rows;
  if (accept(kONE)) {
    expect(kROW);
    expect(kPER);
    return expect(kMATCH);
  }
  if (!accept(kALL)) return;
  expect(kROWS);
  expect(kPER);
  expect(kMATCH);
  pattern.rows = Rows::kAllShowEmpty;
  if (at(kSHOW) || at(kOMIT)) {
    if (is(kOMIT)) pattern.rows = Rows::kAllOmitEmpty;
    ++at_;
    expect(kEMPTY);
    expect(kMATCHES);
  } else if (accept(kWITH)) {
    pattern.rows = Rows::kAllWithUnmatched;
    expect(kUNMATCHED);
    expect(kROWS);
  }
}

RelationPtr Parser::match_recognize(RelationPtr input) {
  auto result = std::make_unique<MatchRecognize>();
  result->pos = input->pos;
  result->input = std::move(input);
  result->pattern = std::make_shared<RowPattern>();
  auto& pattern = *result->pattern;
  size_t first = at_;
  expect(kMATCH_RECOGNIZE);
  expect(Symbol::kLeftParen);
  {
    Nesting nesting(*this);
    if (accept(kPARTITION)) {
      expect(kBY);
      pattern.partition_by = expressions();
    }
    if (accept(kORDER)) {
      expect(kBY);
      pattern.order_by = sort_items();
    }
    if (at(kMEASURES)) measures(pattern);
    rows_per_match(pattern);
    pattern_clauses(pattern, true);
  }
  expect(Symbol::kRightParen);
  result->text = canonical_since(first);
  grow();
  return result;
}

}  // namespace meesh::sql
