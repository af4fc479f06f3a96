#include "streams/ksqldb/ksqldb_error.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

namespace meesh::streams {
namespace {

namespace json = boost::json;

constexpr size_t kShown = 500;  // bytes of a body that is not ksqlDB's

Code code_of(int64_t status) {
  switch (status) {
    case 401:
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 429:
    case 503:
      return Code::kUnavailable;
    default:
      return status >= 400 && status < 500 ? Code::kGenericUserError : Code::kGenericExternal;
  }
}

std::string hint_of(int64_t status) {
  if (status == 401 || status == 403) return "check the user and the password for ksqlDB";
  if (status == 503) return "ksqlDB starts or is overloaded: try again in a moment";
  return "";
}

}  // namespace

Error ksqldb_error(const json::object& error) {
  const json::value* number = error.if_contains("error_code");
  const json::value* words = error.if_contains("message");
  const int64_t code = number != nullptr && number->is_int64() ? number->get_int64() : 50000;
  const std::string message =
      words != nullptr && words->is_string() ? std::string(words->get_string()) : "no message";
  const int64_t status = code / 100;
  return Error(code_of(status), fmt::format("ksqlDB: {} (error {})", message, code))
      .with_hint(hint_of(status));
}

Error ksqldb_error(long status, std::string_view body, const std::string& where) {
  json::error_code wrong;
  const json::value value = json::parse({body.data(), body.size()}, wrong);
  if (!wrong && value.is_object() && value.get_object().contains("message")) {
    json::object error = value.get_object();
    if (!error.contains("error_code")) error["error_code"] = status * 100;
    return ksqldb_error(error).prefixed(where);
  }
  return Error(code_of(status),
               fmt::format("{} answered {}: {}", where, status, body.substr(0, kShown)))
      .with_hint(hint_of(status));
}

}  // namespace meesh::streams
