// Logging: one line an event, a message with named fields.
//
//   log::info("listening", {{"address", "127.0.0.1"}, {"port", 8080}});
//   log::warn("cannot reach the database", {{"domain", name}, {"error", e.what()}});
//
// Lines go to stderr: coloured words for a person on a terminal, otherwise one JSON object a line
// ({"time","level","message", fields…}). The environment variable MEESH_LOG chooses the level
// (trace, debug, info, warn, error, off; info by default), MEESH_LOG_FORMAT human or json.
//
// Secrets are kept out: a field whose name says it holds one (password, token, authorization, …)
// prints as ***, and passwords inside URLs and connection strings are masked in every text. That is
// a net under the rope; do not log secrets.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace meesh::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kHuman, kJson };

/// A named value; views must live until the call returns.
struct Field {
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, std::floating_point auto v) : key(k), value(static_cast<double>(v)) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view k, T v) : key(k) {
    if constexpr (std::signed_integral<T>) {
      value = static_cast<int64_t>(v);
    } else {
      value = static_cast<uint64_t>(v);
    }
  }

  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  std::optional<Level> level;    // absent: MEESH_LOG
  std::optional<Format> format;  // absent: MEESH_LOG_FORMAT, else by what stderr is
  /// Receives whole lines without line end instead of stderr; called under the log's lock.
  std::function<void(std::string_view)> sink;
};

/// Sets up the log anew; without it the first line sets up the default. Thread-safe. Throws
/// CONFIG_INVALID when MEESH_LOG or MEESH_LOG_FORMAT has an unknown value.
void configure(const Options& options);
std::optional<Level> parse_level(std::string_view name);

bool enabled(Level level);
/// Lines are for a person: events of no interest to one may go a level lower.
bool human();

void write(Level level, std::string_view message, Fields fields = {});
inline void trace(std::string_view m, Fields f = {}) { write(Level::kTrace, m, f); }
inline void debug(std::string_view m, Fields f = {}) { write(Level::kDebug, m, f); }
inline void info(std::string_view m, Fields f = {}) { write(Level::kInfo, m, f); }
inline void warn(std::string_view m, Fields f = {}) { write(Level::kWarn, m, f); }
inline void error(std::string_view m, Fields f = {}) { write(Level::kError, m, f); }

/// `text` with passwords in URLs (//user:secret@host) and after password=, token=, … masked.
std::string redact(std::string_view text);

}  // namespace meesh::log
