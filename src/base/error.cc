#include "base/error.h"

#include <fmt/format.h>

namespace meesh {
namespace {

struct CodeInfo {
  std::string_view name;
  int number;
  ErrorKind kind;
};

constexpr CodeInfo kCodes[] = {
#define X(id, name, number, kind) {name, number, ErrorKind::kind},
    MEESH_ERROR_CODES(X)
#undef X
};

const CodeInfo& info(Code code) { return kCodes[static_cast<size_t>(code)]; }

}  // namespace

std::string_view code_name(Code code) { return info(code).name; }
int trino_number(Code code) { return info(code).number; }
ErrorKind error_kind(Code code) { return info(code).kind; }

std::string_view kind_name(ErrorKind k) {
  switch (k) {
    case ErrorKind::kUser:
      return "USER_ERROR";
    case ErrorKind::kInternal:
      return "INTERNAL_ERROR";
    case ErrorKind::kInsufficientResources:
      return "INSUFFICIENT_RESOURCES";
    case ErrorKind::kExternal:
      return "EXTERNAL";
  }
  return "INTERNAL_ERROR";
}

Error::Error(Code code, std::string message, Location location)
    : code_(code), message_(std::move(message)), location_(std::move(location)) {
  compose();
}

Error& Error::with_hint(std::string hint) {
  hint_ = std::move(hint);
  compose();
  return *this;
}

Error& Error::at(std::string file, int line, int column) {
  location_ = {line, column, std::move(file)};
  compose();
  return *this;
}

Error& Error::prefixed(std::string_view context) {
  message_ = fmt::format("{}: {}", context, message_);
  compose();
  return *this;
}

std::string Error::sql_message() const {
  if (!location_.known() || !location_.file.empty()) return message_;
  return fmt::format("line {}:{}: {}", location_.line, location_.column, message_);
}

void Error::compose() {
  what_.clear();
  if (!location_.file.empty()) {
    what_ = location_.known()
                ? fmt::format("{}:{}:{}: ", location_.file, location_.line, location_.column)
                : location_.file + ": ";
  } else if (location_.known()) {
    what_ = fmt::format("line {}:{}: ", location_.line, location_.column);
  }
  what_ += message_;
  if (!hint_.empty()) what_ += fmt::format(" ({})", hint_);
}

void internal_error(std::string message) {
  throw Error(Code::kGenericInternalError, std::move(message));
}

}  // namespace meesh
