#include "sql/row_pattern_program.h"

#include <algorithm>

#include "sql/published.h"
#include "sql/scope.h"

namespace meesh::sql {

RowPatternProgram::~RowPatternProgram() { Published<RowPatternProgram>::remove(id); }

namespace {

using Term = PatternTerm;

constexpr size_t kMostInstructions = 100000;

void check_quantifier(const Term& term) {
  if (!term.high) return;
  if (*term.high == 0)
    fail(Code::kNumericValueOutOfRange, term.pos,
         "Pattern quantifier upper bound must be greater than or equal to 1");
  if (term.low > *term.high)
    fail(Code::kInvalidRange, term.pos,
         "Pattern quantifier lower bound must not exceed upper bound");
}

/// Whether it can match no row at all.
bool is_nullable(const Term& term) {
  const auto nullable = [](const auto& part) { return is_nullable(*part); };
  switch (term.kind) {
    case Term::Kind::kLabel:
      return false;
    case Term::Kind::kAlternation:
      return std::any_of(term.parts.begin(), term.parts.end(), nullable);
    case Term::Kind::kQuantified:
      return term.low == 0 || is_nullable(*term.parts[0]);
    default:
      return std::all_of(term.parts.begin(), term.parts.end(), nullable);
  }
}

}  // namespace

std::string pattern_label(const Ident& ident) {
  std::string out = ident.value;
  if (ident.quoted) return out;
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

void PatternAssembler::collect(const Term& term) {
  if (term.kind == Term::Kind::kLabel && !find(pattern_label(term.label)))
    program_.labels.push_back(pattern_label(term.label));
  if (term.kind == Term::Kind::kExclusion &&
      program_.rows == RowPatternProgram::Rows::kAllWithUnmatched)
    fail(Code::kInvalidRowPattern, term.pos,
         "Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH UNMATCHED ROWS is "
         "specified");
  if (term.kind == Term::Kind::kQuantified) check_quantifier(term);
  for (const auto& part : term.parts) collect(*part);
}

std::optional<size_t> PatternAssembler::find(const std::string& label) const {
  const auto found = std::find(program_.labels.begin(), program_.labels.end(), label);
  if (found == program_.labels.end()) return std::nullopt;
  return found - program_.labels.begin();
}

void PatternAssembler::assemble(const Term& term) {
  emit(term);
  put(Instruction::Kind::kMatch);
}

size_t PatternAssembler::put(Instruction::Kind kind, size_t number) {
  if (here() >= kMostInstructions) fail(Code::kNotSupported, {}, "The row pattern is too large");
  program_.instructions.push_back({kind, number, here() + 1, 0});
  return here() - 1;
}

void PatternAssembler::emit(const Term& term) {
  using Kind = Instruction::Kind;
  switch (term.kind) {
    case Term::Kind::kLabel:
      put(Kind::kLabel, *find(pattern_label(term.label)));
      return;
    case Term::Kind::kSequence:
      for (const auto& part : term.parts) emit(*part);
      return;
    case Term::Kind::kAlternation: {
      std::vector<std::function<void()>> all;
      for (const auto& part : term.parts) all.emplace_back([this, &part] { emit(*part); });
      return alternatives(all);
    }
    case Term::Kind::kPermutation:
      return permutations(term);
    case Term::Kind::kExclusion:
      put(Kind::kExclude);
      emit(*term.parts[0]);
      put(Kind::kInclude);
      return;
    case Term::Kind::kStart:
      put(Kind::kStart);
      return;
    case Term::Kind::kEnd:
      put(Kind::kEnd);
      return;
    case Term::Kind::kEmpty:
      return;
    case Term::Kind::kQuantified:
      return repeat(term);
  }
}

void PatternAssembler::alternatives(const std::vector<std::function<void()>>& all) {
  std::vector<size_t> ends;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i + 1 == all.size()) {
      all[i]();
      break;
    }
    const size_t split = put(Instruction::Kind::kSplit);
    all[i]();
    ends.push_back(put(Instruction::Kind::kJump));
    at(split).other = here();
  }
  for (const size_t end : ends) at(end).next = here();
}

/// In the order of the written parts: (a b c), (a c b), (b a c) …
void PatternAssembler::permutations(const Term& term) {
  std::vector<size_t> order(term.parts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (order.size() > 8)
    fail(Code::kNotSupported, term.pos, "PERMUTE of more than 8 patterns is not supported");
  std::vector<std::function<void()>> all;
  do
    all.emplace_back([this, &term, order] {
      for (const size_t i : order) emit(*term.parts[i]);
    });
  while (std::next_permutation(order.begin(), order.end()));
  alternatives(all);
}

void PatternAssembler::repeat(const Term& term) {
  const Term& inner = *term.parts[0];
  for (uint64_t i = 0; i < term.low; ++i) emit(inner);
  if (!term.high) {
    endless(term);
  } else {
    optional(term, *term.high - term.low);
  }
}

void PatternAssembler::optional(const Term& term, uint64_t times) {
  std::vector<size_t> splits;
  for (uint64_t i = 0; i < times; ++i) {
    splits.push_back(put(Instruction::Kind::kSplit));
    emit(*term.parts[0]);
  }
  for (const size_t split : splits) {
    at(split).other = here();
    if (!term.greedy) std::swap(at(split).next, at(split).other);
  }
}

void PatternAssembler::endless(const Term& term) {
  const Term& inner = *term.parts[0];
  const size_t split = put(Instruction::Kind::kSplit);
  // A round without rows is the last one.
  std::optional<size_t> progress;
  if (is_nullable(inner)) {
    const size_t mark = program_.marks++;
    put(Instruction::Kind::kMark, mark);
    emit(inner);
    progress = put(Instruction::Kind::kProgress, mark);
  } else {
    emit(inner);
  }
  const size_t back = put(Instruction::Kind::kJump);
  at(back).next = split;
  if (progress) at(*progress).other = here();
  at(split).other = here();
  if (!term.greedy) std::swap(at(split).next, at(split).other);
}

}  // namespace meesh::sql
