// JSON on simdjson's on-demand parser: one pass over the message notes where each wanted member's
// value stands, then the values become cells. Everything is checked, members nobody asked for too:
// what no strict parser would take is malformed.
//
// A member is looked for by its very name, then without regard to ASCII case. Of members that
// stand there twice the last counts, as in most parsers. The members of one producer come in the
// same order message after message, so the last message's names are tried first.
#include "ingest/json_rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <deque>
#include <unordered_map>

#include "base/text.h"
#include "ingest/decode/cell.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/json_values.h"

namespace meesh::ingest {
namespace {

namespace ondemand = simdjson::ondemand;

// Names and positions of members that are remembered from message to message.
constexpr size_t kLongestExpected = 64;
constexpr size_t kMostExpected = 256;
constexpr size_t kMostUnasked = 100;
// Behind a message: what simdjson reads there, and what comparing a name may.
constexpr size_t kRoom = simdjson::SIMDJSON_PADDING + kLongestExpected + 1;

bool is_composite(std::string_view token) { return token[0] == '{' || token[0] == '['; }

/// A member that a column names, or one on the way there.
struct Member {
  struct Name {
    std::string text;          // as it stands in the message
    Member* member = nullptr;  // null: nobody asks for it
    bool by_its_name = true;
  };

  std::deque<Member> members;
  std::unordered_map<std::string, Member*> by_name, by_lower_name;
  std::vector<Name> expected;  // of the last message, by position
  bool wanted = false;         // a column's own value, not only the way to one

  // In the message whose number is `seen`:
  uint64_t seen = 0;
  bool by_its_name = false;   // not only without regard to case
  std::string_view token;     // of a scalar
  size_t begin = 0, end = 0;  // of an object or array, in texts_; both 0 for scalars
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

struct JsonRows::State {
  explicit State(const std::vector<DecodedColumn>& columns) {
    for (const auto& column : columns) {
      cells_.emplace_back(column);
      Member* member = &root_;
      for (const auto& name :
           column.path.empty() ? std::vector<std::string>{column.name} : column.path)
        member = child(*member, name);
      member->wanted = true;
      sources_.push_back(member);
    }
  }

  bool put(std::string_view value, engine::RowBuffer& rows, size_t first, std::string& wrong) {
    wrong_column.clear();
    try {
      ++number_;
      texts_.clear();
      scan(value);
    } catch (const NotJson& problem) {
      wrong = problem.what;
      return false;
    }
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (put_cell(cells_[i], *sources_[i], rows, first + i, wrong)) continue;
      wrong_column = cells_[i].config().name;
      return false;
    }
    return true;
  }

  std::string wrong_column;
  std::set<std::string> unasked;

 private:
  static Member* child(Member& parent, const std::string& name) {
    if (const auto found = parent.by_name.find(name); found != parent.by_name.end())
      return found->second;
    Member* member = &parent.members.emplace_back();
    parent.by_name.emplace(name, member);
    parent.by_lower_name.emplace(lower(name), member);
    return member;
  }

  void scan(std::string_view value) {
    if (value.starts_with("\xEF\xBB\xBF")) value.remove_prefix(3);
    if (buffer_.size() < value.size() + kRoom) buffer_.resize(2 * value.size() + kRoom);
    std::memcpy(buffer_.data(), value.data(), value.size());
    ondemand::document document;
    if (const auto error =
            parser_.iterate(buffer_.data(), value.size(), buffer_.size()).get(document))
      fail(error);
    if (checked(document.type()) != ondemand::json_type::object)
      throw NotJson{fmt::format("expected a JSON object, found {}", shortened(value))};
    auto object = checked(document.get_object());
    walk(object, root_, 0);
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      throw NotJson{"not JSON: something stands behind the object"};
  }

  void walk(ondemand::object& object, Member& parent, int depth) {
    check_depth(depth);
    size_t position = 0;
    for (auto result : object) {
      auto field = checked(std::move(result));
      const char* const name = field.key().raw();
      auto value = field.value();
      bool by_its_name = true;
      Member* const member = look_up(parent, position++, name, by_its_name);
      if (member == nullptr || !take(*member, by_its_name)) {
        append_compact(value, nullptr, depth + 1);
      } else {
        note(*member, value, depth + 1);
      }
    }
  }

  /// The member of a name that begins at `name` and ends with a quote; null if nobody asks for it.
  Member* look_up(Member& parent, size_t position, const char* name, bool& by_its_name) {
    if (position < parent.expected.size()) {
      const auto& likely = parent.expected[position];
      if (std::memcmp(name, likely.text.data(), likely.text.size()) == 0 &&
          name[likely.text.size()] == '"') {
        by_its_name = likely.by_its_name;
        return likely.member;
      }
    }
    const std::string_view written = member_name(name);
    if (written.find('\\') != std::string_view::npos) {
      unescape(written, name_);
    } else {
      name_ = written;
    }
    Member::Name found{std::string(written)};
    if (const auto exact = parent.by_name.find(name_); exact != parent.by_name.end()) {
      found.member = exact->second;
    } else if (const auto near = parent.by_lower_name.find(lower(name_));
               near != parent.by_lower_name.end()) {
      found.member = near->second;
      found.by_its_name = false;
    }
    by_its_name = found.by_its_name;
    Member* const member = found.member;
    if (member == nullptr && &parent == &root_ && unasked.size() < kMostUnasked)
      unasked.insert(name_);
    if (written.size() <= kLongestExpected && position < kMostExpected) {
      if (parent.expected.size() <= position) parent.expected.resize(position + 1);
      parent.expected[position] = std::move(found);
    }
    return member;
  }

  /// Whether this value counts; if it stands for one that came before, that one is forgotten.
  bool take(Member& member, bool by_its_name) {
    if (member.seen == number_) {
      if (member.by_its_name && !by_its_name) return false;
      forget(member);
    }
    member.seen = number_;
    member.by_its_name = by_its_name;
    return true;
  }

  static void forget(Member& member) {
    member.seen = 0;
    for (auto& inner : member.members) forget(inner);
  }

  void note(Member& member, ondemand::value& value, int depth) {
    member.begin = member.end = 0;
    const auto type = checked(value.type());
    if (type != ondemand::json_type::object && type != ondemand::json_type::array) {
      member.token = scalar_token(value);
      return;
    }
    member.token = type == ondemand::json_type::object ? "{" : "[";
    if (type == ondemand::json_type::array || member.members.empty()) {
      member.begin = texts_.size();
      append_compact(value, member.wanted ? &texts_ : nullptr, depth);
      member.end = texts_.size();
      return;
    }
    auto object = checked(value.get_object());
    if (member.wanted) {
      member.begin = texts_.size();
      append_compact(object, &texts_, depth);
      member.end = texts_.size();
      checked(object.reset());
    }
    walk(object, member, depth);
  }

  bool put_cell(const Cell& cell, const Member& source, engine::RowBuffer& rows, size_t at,
                std::string& wrong) {
    if (source.seen != number_ || source.token == "null") {
      if (cell.config().required) wrong = cell.missing();
      return !cell.config().required;
    }
    std::string_view found = source.token;
    bool fits = false;
    if (is_composite(found)) {
      found = std::string_view(texts_).substr(source.begin, source.end - source.begin);
      fits = cell.put_json(found, rows, at);
    } else if (found[0] == '"') {
      fits = put_string(cell, found, rows, at);
    } else if (found[0] == 't' || found[0] == 'f') {
      fits = cell.put_boolean(found[0] == 't', rows, at);
    } else {
      fits = cell.put_number(found, rows, at);
    }
    if (!fits) wrong = cell.complaint(found);
    return fits;
  }

  bool put_string(const Cell& cell, std::string_view quoted, engine::RowBuffer& rows, size_t at) {
    if (cell.has_parts()) return false;
    if (cell.kind() == sql::TypeKind::kJson) return cell.put_json(quoted, rows, at);
    const std::string_view inside = quoted.substr(1, quoted.size() - 2);
    if (inside.find('\\') == std::string_view::npos) return cell.put_text(inside, rows, at);
    unescape(inside, text_);
    return cell.put_text(text_, rows, at);
  }

  std::vector<Cell> cells_;
  std::vector<Member*> sources_;  // by column
  Member root_;
  ondemand::parser parser_;
  std::string buffer_;  // the message, with the room behind it that simdjson asks for
  std::string texts_;   // objects and arrays without spaces
  std::string name_, text_;
  uint64_t number_ = 0;  // of the message
};

JsonRows::JsonRows(const std::vector<DecodedColumn>& columns)
    : state_(std::make_unique<State>(columns)) {}
JsonRows::~JsonRows() = default;

bool JsonRows::put(std::string_view object, engine::RowBuffer& rows, size_t first,
                   std::string& wrong) {
  return state_->put(object, rows, first, wrong);
}

const std::string& JsonRows::wrong_column() const { return state_->wrong_column; }
const std::set<std::string>& JsonRows::unasked() const { return state_->unasked; }

std::vector<engine::BufferColumn> buffer_columns(const std::vector<DecodedColumn>& columns) {
  std::vector<engine::BufferColumn> out;
  for (const auto& column : columns) out.push_back({column.name, column.stored_type()});
  return out;
}

}  // namespace meesh::ingest
