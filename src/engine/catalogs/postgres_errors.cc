#include "engine/catalogs/postgres_errors.h"

#include <algorithm>
#include <array>

namespace meesh::engine {
namespace {

constexpr const char* kHint =
    "check that the server runs and can be reached; statements work again as soon as it does";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

std::string_view after(std::string_view text, std::string_view mark) {
  const auto at = text.rfind(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
}

}  // namespace

bool tells_of_lost_server(std::string_view message) {
  static constexpr std::array<std::string_view, 22> kSigns = {
      "Unable to connect to Postgres",
      "cannot be reached",
      "server closed the connection",
      "connection to server",
      "no connection to the server",
      "connection not open",
      "terminating connection",
      "could not connect to server",
      "could not receive data from server",
      "could not send data to server",
      "could not translate host name",
      "SSL SYSCALL error",
      "SSL connection has been closed",
      "Connection refused",
      "Connection reset by peer",
      "Connection timed out",
      "timeout expired",
      "the database system is starting up",
      "the database system is shutting down",
      "the database system is in recovery mode",
      "the database system is not yet accepting connections",
      "lost synchronization with server",
  };
  if (std::any_of(kSigns.begin(), kSigns.end(),
                  [&](auto sign) { return message.find(sign) != message.npos; })) {
    return true;
  }
  // The extension ends a transaction whose connection broke with an empty reason.
  const auto end = trimmed(message);
  return end.starts_with("Failed to ") && end.ends_with("\":");
}

std::string plain_reason(std::string_view message) {
  std::string_view text = trimmed(message);
  for (std::string_view mark : {"FATAL:  ", "ERROR:  ", " failed: "}) {
    if (auto rest = after(text, mark); !rest.empty()) {
      text = rest;
      break;
    }
  }
  // libpq and the extension put hints, details and the statement on lines of their own.
  std::string reason(trimmed(text.substr(0, text.find('\n'))));
  const auto details = message.find("DETAIL:  ");
  if (details != std::string_view::npos) {
    const auto rest = message.substr(details + 9);
    reason += " (" + std::string(trimmed(rest.substr(0, rest.find('\n')))) + ")";
  }
  if (reason.ends_with("\":")) reason = "the connection broke";
  return reason;
}

Error unreachable(const std::string& catalog, const std::string& address,
                  std::string_view message) {
  Error error(Code::kJdbcError, "Catalog '" + catalog + "': the PostgreSQL server at " + address +
                                    " cannot be reached: " + plain_reason(message));
  error.with_hint(kHint);
  return error;
}

bool said_by_server(const Error& error) {
  const auto& message = error.message();
  return message.find("ERROR:  ") != std::string::npos &&
         message.find("Failed to ") != std::string::npos;
}

void name_lost_server(Error& error, const CatalogsInUse& used) {
  if (error.message().starts_with("Catalog '") || !tells_of_lost_server(error.message())) return;
  std::string names;
  for (const auto& catalog : used) {
    if (catalog->connector() != "postgresql") continue;
    names += (names.empty() ? "'" : ", '") + catalog->name() + "'";
  }
  if (names.empty()) return;
  const Location at = error.location();
  error = Error(Code::kJdbcError,
                "The connection to PostgreSQL was lost (catalogs " + names +
                    "): " + plain_reason(error.message()),
                at);
  error.with_hint(kHint);
}

}  // namespace meesh::engine
