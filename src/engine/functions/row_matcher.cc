#include "engine/functions/row_matcher.h"

namespace meesh::engine {
namespace {

/// Steps between two polls.
constexpr uint64_t kPollEvery = 4096;
/// Places remembered; more would cost more memory than they save time.
constexpr size_t kMostTried = 1 << 22;

}  // namespace

bool RowMatcher::label(const Instruction& instruction, RowMatch& match) {
  const size_t row = match.start + match.labels.size();
  if (row >= rows_) return false;
  match.labels.push_back(instruction.number);
  match.excluded.push_back(excluding_);
  if (test_(instruction.number, row, match)) return true;
  match.labels.pop_back();
  match.excluded.pop_back();
  return false;
}

bool RowMatcher::go_back(RowMatch& match) {
  if (choices_.empty()) return false;
  Choice& choice = choices_.back();
  at_ = choice.at;
  excluding_ = choice.excluding;
  marks_ = std::move(choice.marks);
  match.labels.resize(choice.matched);
  match.excluded.resize(choice.matched);
  choices_.pop_back();
  return true;
}

bool RowMatcher::find(size_t start, RowMatch& match) {
  using Kind = Instruction::Kind;
  match = {start, {}, {}};
  choices_.clear();
  marks_.assign(program_.marks, 0);
  excluding_ = false;
  at_ = 0;
  while (true) {
    if (++steps_ % kPollEvery == 0) poll_();
    const auto& instruction = program_.instructions[at_];
    const size_t matched = match.labels.size();
    bool fits = true;
    at_ = instruction.next;
    switch (instruction.kind) {
      case Kind::kLabel:
        fits = label(instruction, match);
        break;
      case Kind::kSplit: {
        const uint64_t place =
            static_cast<uint64_t>(&instruction - program_.instructions.data()) * (rows_ + 1) +
            start + matched;
        if (tried_.size() >= kMostTried) tried_.clear();
        fits = !remembers_ || tried_.insert(place).second;
        if (fits) choices_.push_back({instruction.other, matched, excluding_, marks_});
        break;
      }
      case Kind::kJump:
        break;
      case Kind::kStart:
        fits = start + matched == 0;
        break;
      case Kind::kEnd:
        fits = start + matched == rows_;
        break;
      case Kind::kExclude:
      case Kind::kInclude:
        excluding_ = instruction.kind == Kind::kExclude;
        break;
      case Kind::kMark:
        marks_[instruction.number] = matched;
        break;
      case Kind::kProgress:
        if (marks_[instruction.number] == matched) at_ = instruction.other;
        break;
      case Kind::kMatch:
        tried_.clear();  // what was tried on the way led somewhere
        return true;
    }
    if (!fits && !go_back(match)) return false;
  }
}

}  // namespace meesh::engine
