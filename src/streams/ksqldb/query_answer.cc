#include "streams/ksqldb/query_answer.h"

#include <fmt/format.h>

#include "streams/ksqldb/exact_json.h"
#include "streams/ksqldb/ksqldb_error.h"
#include "streams/ksqldb/ksqldb_types.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;

/// More than a message of Kafka can have by far, so that no server fills the memory.
constexpr size_t kLongestElement = 256u << 20;

[[noreturn]] void no_answer(std::string_view why) {
  throw Error(Code::kGenericExternal, fmt::format("ksqlDB's answer cannot be read: {}", why));
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// The member if it is there and not null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

QueryAnswer::QueryAnswer(Shape shape, OnHeader on_header, OnRow on_row)
    : shape_(shape), on_header_(std::move(on_header)), on_row_(std::move(on_row)) {}

bool QueryAnswer::add(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size() && !done_;) {
    if (depth_ == 0) {
      if (between_elements(bytes[at])) {
        ++at;
        continue;
      }
    }
    scan(bytes, at);
    if (depth_ == 0) element();
  }
  return !done_;
}

void QueryAnswer::end() {
  if (done_) return;
  if (depth_ != 0) no_answer("it ends in the middle of a row");
  if (!has_header_) no_answer("it is empty");
}

/// Line ends keep a connection alive. The array around the elements is not looked at further: its
/// end may be missing when the server ends a query.
bool QueryAnswer::between_elements(char c) {
  if (is_space(c)) return true;
  if (shape_ == Shape::kArray && (c == '[' || c == ',' || c == ']')) return true;
  if (c != '{' && (c != '[' || shape_ == Shape::kArray)) {
    no_answer(fmt::format("'{}' where a row was expected", c));
  }
  return false;
}

/// Takes bytes until the element is complete (depth_ is 0 again) or there are none left.
void QueryAnswer::scan(std::string_view bytes, size_t& at) {
  const size_t from = at;
  do {
    const char c = bytes[at++];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      --depth_;
    }
  } while (depth_ > 0 && at < bytes.size());
  element_ += bytes.substr(from, at - from);
  if (element_.size() > kLongestElement) no_answer("a row has more than 256 MiB");
}

void QueryAnswer::element() {
  const json::value value = parse_exact_json(element_, "a row of ksqlDB's answer");
  element_.clear();
  if (const json::array* array = value.if_array()) return row(*array);
  const json::object& object = value.as_object();
  if (const json::value* error = member(object, "errorMessage")) {
    // Old servers write text here, newer ones an object.
    throw ksqldb_error(error->is_object() ? error->get_object()
                                          : json::object{{"message", *error}});
  }
  if (object.contains("error_code")) throw ksqldb_error(object);
  if (object.contains("columnNames") || object.contains("header")) return header(object);
  if (const json::value* one = member(object, "row"); one != nullptr && one->is_object()) {
    // A row that was deleted from a table has no columns.
    const json::value* columns = member(one->get_object(), "columns");
    if (columns != nullptr && columns->is_array()) row(columns->get_array());
  }
  // What else there is (tokens to continue with) is of no use here.
  if (!done_ && member(object, "finalMessage") != nullptr) done_ = true;
}

void QueryAnswer::header(const json::object& object) {
  std::vector<KsqldbColumn> columns;
  if (const json::value* header = member(object, "header")) {
    const json::value* schema =
        header->is_object() ? member(header->get_object(), "schema") : nullptr;
    if (schema == nullptr || !schema->is_string()) no_answer("its header has no schema");
    columns = columns_of_ksqldb(schema->get_string());
  } else {
    const json::value* names = member(object, "columnNames");
    const json::value* types = member(object, "columnTypes");
    if (names == nullptr || types == nullptr || !names->is_array() || !types->is_array() ||
        names->get_array().size() != types->get_array().size()) {
      no_answer("its header has no columns");
    }
    for (size_t i = 0; i < names->get_array().size(); ++i) {
      const json::value &name = names->get_array()[i], &type = types->get_array()[i];
      if (!name.is_string() || !type.is_string()) no_answer("its header has no columns");
      columns.push_back({std::string(name.get_string()), std::string(type.get_string())});
    }
  }
  if (has_header_) no_answer("it has two headers");
  has_header_ = true;
  columns_ = columns.size();
  on_header_(columns);
}

void QueryAnswer::row(const json::array& row) {
  if (!has_header_) no_answer("a row stands before the header");
  if (row.size() != columns_) {
    no_answer(fmt::format("a row has {} values, and there are {} columns", row.size(), columns_));
  }
  done_ = !on_row_(row);
}

}  // namespace meesh::streams
