#include "app/streams/stream_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "app/language.h"
#include "app/progress_bar.h"
#include "app/server.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

uint64_t count_of(const json::object& object, std::string_view key) {
  return static_cast<uint64_t>(std::max<int64_t>(number_of(object, key), 0));
}

double real(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : 0;
}

/// "" for null.
std::string count_text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? grouped_digits(count_of(object, key)) : "";
}

std::string rate_text(double rate) {
  return rate >= 100 ? grouped_digits(static_cast<uint64_t>(rate)) : fmt::format("{:.1f}", rate);
}

/// "running" of RUNNING, as the terminal colours states.
std::string state_of(const json::object& stream) {
  std::string state = text_of(stream, "state");
  std::transform(state.begin(), state.end(), state.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return state;
}

std::string joined(const json::object& object, std::string_view key) {
  std::vector<std::string> all;
  if (const auto* texts = object.if_contains(key); texts && texts->is_array())
    for (const auto& one : texts->get_array()) all.emplace_back(one.as_string());
  return fmt::format("{}", fmt::join(all, ", "));
}

void line(const std::string& what, const std::string& text) {
  if (!text.empty()) fmt::print("  {:<12}{}\n", what, text);
}

std::string counters(const json::object& stream) {
  std::string text =
      fmt::format("{} {}, {} {}", count_text(stream, "messages"), words("read", "lus"),
                  count_text(stream, "rows"), words("rows written", "lignes écrites"));
  const auto also = [&](const char* key, const std::string& word) {
    if (const uint64_t count = count_of(stream, key); count > 0)
      text += fmt::format(", {} {}", grouped_digits(count), word);
  };
  also("malformed", words("malformed", "mal formés"));
  also("late", words("late", "en retard"));
  also("duplicates", words("duplicates", "doublons"));
  return text;
}

std::string last_batch(const json::object& stream) {
  if (number_of(stream, "batch") == 0) return words("none yet", "aucun encore");
  return fmt::format("{} ({} {}), {} {} {} {}, {}", number_of(stream, "batch"),
                     words("generation", "génération"), number_of(stream, "generation"),
                     count_text(stream, "last_batch_messages"), "messages", words("in", "en"),
                     duration_text(number_of(stream, "last_batch_ms")),
                     local_time(number_of(stream, "last_commit_ms")));
}

void print_partitions(const json::object& stream) {
  const auto* partitions = stream.if_contains("partitions");
  if (!partitions || partitions->as_array().empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : partitions->as_array()) {
    const auto& one = value.as_object();
    rows.push_back({fmt::format("{}:{}", text_of(one, "topic"), number_of(one, "partition")),
                    count_text(one, "committed"), count_text(one, "end"), count_text(one, "lag")});
  }
  fmt::print("\n");
  print_table({"partition", words("committed", "validé"), words("end", "fin"),
               words("waiting", "en attente")},
              rows);
}

std::string cell_text(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  return json::serialize(value);
}

}  // namespace

void print_streams(const json::object& answer) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> errors;
  for (const auto& value : answer.at("streams").as_array()) {
    const auto& stream = value.as_object();
    rows.push_back({text_of(stream, "name"), state_of(stream), text_of(stream, "output"),
                    count_text(stream, "lag"), rate_text(real(stream, "messages_per_second")),
                    text_of(stream, "watermark"), local_time(number_of(stream, "last_commit_ms"))});
    if (const auto error = text_of(stream, "error"); !error.empty())
      errors.push_back(text_of(stream, "name") + ": " + error);
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("There are no streams (streams/*.yaml of the mesh).",
                             "Il n'y a pas de flux (streams/*.yaml du mesh)."));
    return;
  }
  print_table({words("stream", "flux"), words("state", "état"), words("output", "sortie"),
               words("waiting", "en attente"), words("messages/s", "messages/s"), "watermark",
               words("last commit", "dernière validation")},
              rows);
  for (const auto& error : errors) fmt::print("{}\n", error);
}

void print_stream(const json::object& stream) {
  fmt::print("{} {}  {}\n", words("stream", "flux"), text_of(stream, "name"),
             state_text(state_of(stream)));
  line("", text_of(stream, "description"));
  line(words("from", "de"), joined(stream, "sources"));
  line(words("into", "vers"), joined(stream, "sinks"));
  line(words("output", "sortie"),
       fmt::format("{}, {}", text_of(stream, "output"), text_of(stream, "trigger")));
  line("messages", counters(stream));
  std::string waiting = count_text(stream, "lag");
  if (!waiting.empty()) waiting = ", " + waiting + " " + words("waiting", "en attente");
  line(words("rate", "débit"), rate_text(real(stream, "messages_per_second")) + "/s" + waiting);
  line("watermark", text_of(stream, "watermark"));
  if (count_of(stream, "state_rows") > 0)
    line(words("state", "état"),
         fmt::format("{} {}, {}", count_text(stream, "state_rows"), words("rows", "lignes"),
                     human_bytes(real(stream, "state_bytes"))));
  line(words("last batch", "dernier lot"), last_batch(stream));
  line(words("error", "erreur"), text_of(stream, "error"));
  if (const int64_t retry = number_of(stream, "retry_ms"); retry > 0)
    line("", words("tries again at ", "nouvel essai à ") + local_time(retry));
  print_partitions(stream);
  if (const auto* config = stream.if_contains("config"))
    fmt::print("\n{}\n", text_of(config->as_object(), "sql"));
}

void print_live_rows(const json::object& event, size_t most) {
  const auto& rows = event.at("rows").as_array();
  const size_t first = rows.size() > most ? rows.size() - most : 0;
  const auto* more = event.if_contains("more");
  const bool all = first == 0 && !(more && more->is_bool() && more->get_bool());
  fmt::print(
      "{}  {} {}  {}{}\n", text_of(event, "table"), words("batch", "lot"),
      number_of(event, "batch"),
      all ? fmt::format("{} {}", rows.size(), words("rows", "lignes"))
          : fmt::format("{} {} {}", words("the newest", "les"), rows.size() - first,
                        words("rows", "dernières lignes")),
      text_of(event, "watermark").empty() ? "" : "  watermark " + text_of(event, "watermark"));
  std::vector<std::string> headers;
  for (const auto& column : event.at("columns").as_array())
    headers.push_back(text_of(column.as_object(), "name"));
  std::vector<std::vector<std::string>> cells;
  for (size_t i = first; i < rows.size(); ++i) {
    std::vector<std::string> row;
    for (const auto& value : rows[i].as_array()) row.push_back(cell_text(value));
    cells.push_back(std::move(row));
  }
  print_table(headers, cells);
}

std::string done_text(const json::object& end) {
  std::vector<std::string> parts;
  const auto part = [&](const char* key, const std::string& word, bool always) {
    if (const uint64_t count = count_of(end, key); always ? end.contains(key) : count > 0)
      parts.push_back(grouped_digits(count) + " " + word);
  };
  part("messages", "messages", true);
  part("rows", words("rows", "lignes"), true);
  part("batches", words("batches", "lots"), false);
  part("malformed", words("malformed", "mal formés"), false);
  part("late", words("late", "en retard"), false);
  part("duplicates", words("duplicates", "doublons"), false);
  if (end.contains("seconds")) parts.push_back(fmt::format("{:.1f} s", real(end, "seconds")));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Redrawn::Redrawn()
    : terminal_(::isatty(STDOUT_FILENO) == 1 && std::getenv("TERM") != nullptr &&
                std::string_view(std::getenv("TERM")) != "dumb") {}

void Redrawn::begin() {
  // The whole screen: how many lines the terminal made of the last drawing is not known.
  if (terminal_) {
    fmt::print("\033[H\033[J");
  } else if (std::exchange(shown_, true)) {
    fmt::print("\n");
  }
}

void Redrawn::end() const { std::fflush(stdout); }

}  // namespace meesh::app
