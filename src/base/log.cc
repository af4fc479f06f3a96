#include "base/log.h"

#include <fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/log_ring.h"

namespace meesh::log {
namespace {

constexpr std::string_view kSecretWords[] = {"password", "passwd",        "pwd",        "secret",
                                             "token",    "authorization", "credential", "cookie",
                                             "api_key",  "apikey",        "private_key"};
constexpr std::string_view kMask = "***";

bool equal_ignoring_case(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

size_t find_ignoring_case(std::string_view text, std::string_view word, size_t from) {
  auto it = std::search(text.begin() + static_cast<ptrdiff_t>(from), text.end(), word.begin(),
                        word.end(), equal_ignoring_case);
  return it == text.end() ? std::string_view::npos : static_cast<size_t>(it - text.begin());
}

bool names_secret(std::string_view key) {
  return std::any_of(std::begin(kSecretWords), std::end(kSecretWords), [&](std::string_view word) {
    return find_ignoring_case(key, word, 0) != std::string_view::npos;
  });
}

// "//user:secret@" → "//user:***@"
void mask_url_passwords(std::string& text) {
  for (size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    size_t start = at + 3;
    size_t end = text.find_first_of("/ \t\r\n\"'?#", start);
    if (end == std::string::npos) end = text.size();
    size_t host = text.rfind('@', end == 0 ? 0 : end - 1);
    if (host == std::string::npos || host < start) continue;
    size_t colon = text.find(':', start);
    if (colon < host) text.replace(colon + 1, host - colon - 1, kMask);
  }
}

// Length of the value at the start of `text`: a quoted one whole, else up to a separator.
size_t value_length(std::string_view text) {
  if (!text.empty() && (text[0] == '\'' || text[0] == '"')) {
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == text[0]) {
        return i + 1;
      }
    }
    return text.size();
  }
  size_t end = text.find_first_of(" \t\r\n&;,)}\"'");
  return end == std::string_view::npos ? text.size() : end;
}

// password=x, "token": "x", Authorization: Basic x
void mask_assignments(std::string& text) {
  for (std::string_view word : kSecretWords) {
    size_t at = find_ignoring_case(text, word, 0);
    while (at != std::string_view::npos) {
      size_t i = at + word.size();
      if (i < text.size() && (text[i] == '"' || text[i] == '\'')) ++i;
      while (i < text.size() && text[i] == ' ') ++i;
      if (i < text.size() && (text[i] == '=' || text[i] == ':')) {
        ++i;
        while (i < text.size() && text[i] == ' ') ++i;
        for (std::string_view scheme : {"Basic ", "Bearer "}) {
          if (find_ignoring_case(std::string_view(text).substr(i, scheme.size()), scheme, 0) == 0) {
            i += scheme.size();
          }
        }
        text.replace(i, value_length(std::string_view(text).substr(i)), kMask);
        i += kMask.size();
      }
      at = i < text.size() ? find_ignoring_case(text, word, i) : std::string_view::npos;
    }
  }
}

// Length of the valid UTF-8 sequence at the start of `text`, 0 if there is none.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t n = byte(0) < 0x80   ? 1
             : byte(0) < 0xC2 ? 0
             : byte(0) < 0xE0 ? 2
             : byte(0) < 0xF0 ? 3
             : byte(0) < 0xF5 ? 4
                              : 0;
  if (n == 0 || n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (n == 3 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F))) {
    return 0;
  }
  if (n == 4 && ((byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F))) {
    return 0;
  }
  return n;
}

// Escapes as JSON strings do, so that no text can break out of its line; bytes that are not UTF-8
// become U+FFFD.
void append_escaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      size_t n = utf8_length(text.substr(i));
      out += n == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, n);
      i += n == 0 ? 1 : n;
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20 || c == 0x7F) {
          out += fmt::format("\\u{:04x}", c);
        } else {
          out += static_cast<char>(c);
        }
    }
    ++i;
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == 0x7F;
         });
}

void append_value(std::string& out, const Field& field, Format format) {
  if (names_secret(field.key) && std::holds_alternative<std::string_view>(field.value)) {
    out += format == Format::kJson ? "\"***\"" : kMask;
    return;
  }
  std::visit(
      [&](auto v) {
        using T = decltype(v);
        if constexpr (std::is_same_v<T, std::string_view>) {
          std::string text = redact(v);
          if (format == Format::kJson || needs_quotes(text)) {
            append_quoted(out, text);
          } else {
            append_escaped(out, text);
          }
        } else if constexpr (std::is_same_v<T, double>) {
          out += std::isfinite(v) ? fmt::format("{}", v) : std::string("null");
        } else {
          out += fmt::format("{}", v);
        }
      },
      field.value);
}

std::string_view level_name(Level level) {
  constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
  return kNames[static_cast<size_t>(level)];
}

std::string json_line(Level level, std::string_view message, Fields fields) {
  auto now = std::chrono::system_clock::now();
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  std::string out =
      fmt::format("{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"message\":",
                  fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000, level_name(level));
  append_quoted(out, redact(message));
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, field.key);
    out += ':';
    append_value(out, field, Format::kJson);
  }
  out += '}';
  return out;
}

std::string human_line(std::string_view message, Fields fields) {
  std::string out;
  append_escaped(out, redact(message));
  for (const Field& field : fields) {
    out += ' ';
    append_escaped(out, field.key);
    out += '=';
    append_value(out, field, Format::kHuman);
  }
  return out;
}

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> f) : function_(std::move(f)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    spdlog::memory_buf_t buffer;
    formatter_->format(msg, buffer);
    std::string_view line(buffer.data(), buffer.size());
    if (line.ends_with('\n')) line.remove_suffix(1);
    function_(line);
  }
  void flush_() override {}

 private:
  std::function<void(std::string_view)> function_;
};

spdlog::level::level_enum spdlog_level(Level level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::trace, spdlog::level::debug,
                                                   spdlog::level::info,  spdlog::level::warn,
                                                   spdlog::level::err,   spdlog::level::off};
  return kLevels[static_cast<size_t>(level)];
}

struct State {
  std::shared_ptr<spdlog::logger> logger;
  Level level = Level::kInfo;
  Format format = Format::kJson;
};

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Level environment_level() {
  std::string_view name = environment("MEESH_LOG");
  if (name.empty()) return Level::kInfo;
  if (auto level = parse_level(name)) return *level;
  throw Error(Code::kConfigInvalid, fmt::format("MEESH_LOG has the unknown value '{}'", name))
      .with_hint("use trace, debug, info, warn, error or off");
}

Format environment_format() {
  std::string_view name = environment("MEESH_LOG_FORMAT");
  if (name == "human") return Format::kHuman;
  if (name == "json") return Format::kJson;
  if (name.empty()) return ::isatty(STDERR_FILENO) == 1 ? Format::kHuman : Format::kJson;
  throw Error(Code::kConfigInvalid,
              fmt::format("MEESH_LOG_FORMAT has the unknown value '{}'", name))
      .with_hint("use human or json");
}

std::shared_ptr<State> make_state(const Options& options) {
  auto state = std::make_shared<State>();
  state->level = options.level ? *options.level : environment_level();
  state->format = options.format ? *options.format : environment_format();
  spdlog::sink_ptr sink;
  if (options.sink) {
    sink = std::make_shared<FunctionSink>(options.sink);
  } else if (state->format == Format::kHuman) {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  state->logger = std::make_shared<spdlog::logger>("meesh", std::move(sink));
  state->logger->set_level(spdlog::level::trace);  // write() has filtered
  state->logger->flush_on(spdlog::level::trace);
  state->logger->set_pattern(state->format == Format::kHuman ? "%H:%M:%S.%e %^%-5l%$ %v" : "%v");
  return state;
}

std::mutex state_mutex;
std::shared_ptr<State> state_now;  // guarded by state_mutex
std::atomic<int> level_now{-1};    // -1: not set up
std::atomic<Format> format_now{Format::kJson};

void install(std::shared_ptr<State> state) {
  level_now.store(static_cast<int>(state->level), std::memory_order_relaxed);
  format_now.store(state->format, std::memory_order_relaxed);
  state_now = std::move(state);
}

std::shared_ptr<State> current() {
  std::lock_guard lock(state_mutex);
  if (!state_now) {
    try {
      install(make_state({}));
    } catch (const Error&) {  // a line must not fail for a bad setting; configure() reports it
      install(make_state({.level = Level::kInfo, .format = Format::kJson, .sink = nullptr}));
    }
  }
  return state_now;
}

}  // namespace

std::optional<Level> parse_level(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "warning") return Level::kWarn;
  for (int i = 0; i <= static_cast<int>(Level::kOff); ++i) {
    if (lower == level_name(static_cast<Level>(i))) return static_cast<Level>(i);
  }
  return std::nullopt;
}

void configure(const Options& options) {
  auto state = make_state(options);
  std::lock_guard lock(state_mutex);
  install(std::move(state));
}

bool enabled(Level level) {
  int now = level_now.load(std::memory_order_relaxed);
  if (now < 0) now = static_cast<int>(current()->level);
  return level != Level::kOff && static_cast<int>(level) >= now;
}

bool human() {
  if (level_now.load(std::memory_order_relaxed) < 0) current();
  return format_now.load(std::memory_order_relaxed) == Format::kHuman;
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  auto state = current();
  std::string json = json_line(level, message, fields);
  std::string line = state->format == Format::kHuman ? human_line(message, fields) : json;
  recent().add(level, std::move(json));
  state->logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string redact(std::string_view text) {
  std::string out(text);
  if (text.find("://") != std::string_view::npos) mask_url_passwords(out);
  if (text.find_first_of("=:") != std::string_view::npos) mask_assignments(out);
  return out;
}

}  // namespace meesh::log
