#include "app/feeds/export_view.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/language.h"
#include "app/server.h"

namespace meesh::app {

namespace json = boost::json;

void ExportView::take(std::string_view line) {
  const auto value = json::parse(line).as_object();
  if (const auto* progress = value.if_contains("progress")) {
    if (!json_)
      bar_.show(progress->at(0).to_number<uint64_t>(), progress->at(1).to_number<uint64_t>());
    return;
  }
  bar_.clear();
  any_ = true;
  if (value.contains("error")) failed_ = true;
  if (json_) {
    fmt::print("{}\n", line);
  } else if (value.contains("error")) {
    const auto feed = text_of(value, "end");
    fmt::print(stderr, "✗ {}{}{}\n", feed, feed.empty() ? "" : ": ",
               text_of(value.at("error").as_object(), "text"));
  } else if (value.contains("end")) {
    print_end(value);
  } else if (value.contains("log")) {
    fmt::print("  {}\n", text_of(value, "log"));
  }
  std::fflush(stdout);
}

void ExportView::print_end(const json::object& end) {
  std::string version, removed;
  if (const int64_t number = number_of(end, "version"); number > 0)
    version = fmt::format(" (v{})", number);
  if (const size_t count = end.at("removed").as_array().size(); count > 0) {
    removed = fmt::format(
        ", {} {}", count,
        say("partitions removed by retention", "partitions supprimées par la rétention"));
  }
  const auto count_of = [&](std::string_view key) {
    return grouped_digits(static_cast<uint64_t>(number_of(end, key)));
  };
  fmt::print("✓ {}{} → {}: {} {}, {} {}, {}, {:.1f} s{}\n", text_of(end, "end"), version,
             text_of(end, "table"), count_of("rows"), say("new rows", "nouvelles lignes"),
             count_of("records"), say("in all", "en tout"),
             human_bytes(static_cast<double>(number_of(end, "bytes"))),
             end.at("seconds").to_number<double>(), removed);
}

}  // namespace meesh::app
