#include "app/feeds/feed_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/language.h"
#include "app/progress_bar.h"
#include "base/html.h"

namespace meesh::app {
namespace {

using base::html_text;

constexpr double kWidth = 720, kBar = 22, kGap = 8, kLabels = 240, kNumbers = 110;
constexpr double kChart = 220, kMargin = 70;
constexpr size_t kLastEvents = 25;

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string counted(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, say(",", "\u202f"));
  return digits;
}

/// A bar a feed, the longest as wide as the chart.
std::string bars(const FeedReport& report, uint64_t ReportedFeed::* value,
                 std::string (*word)(uint64_t)) {
  uint64_t most = 1;
  for (const auto& feed : report.feeds) most = std::max(most, feed.*value);
  const double height = static_cast<double>(report.feeds.size()) * (kBar + kGap);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", kWidth, height);
  double y = 0;
  for (const auto& feed : report.feeds) {
    const double length = (kWidth - kLabels - kNumbers) * static_cast<double>(feed.*value) /
                          static_cast<double>(most);
    svg += fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
        "<rect class=\"{}\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        kLabels - 8, y + kBar * 0.7, html_text(feed.name), html_text(feed.type), kLabels, y,
        std::max(length, 1.0), kBar, kLabels + length + 6, y + kBar * 0.7, word(feed.*value));
    y += kBar + kGap;
  }
  return svg + "</svg>\n";
}

std::string size_word(uint64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

/// A line of one of the sums over time.
std::string line(const std::vector<GrowthPoint>& points, uint64_t GrowthPoint::* value,
                 std::string (*word)(uint64_t)) {
  if (points.size() < 2)
    return fmt::format("<p>{}</p>\n", say("There are too few exports to draw a line yet.",
                                          "Trop peu d'exports pour tracer une courbe."));
  uint64_t most = 1;
  for (const auto& point : points) most = std::max(most, point.*value);
  const int64_t first = points.front().at_ms, last = std::max(points.back().at_ms, first + 1);
  const auto x = [&](int64_t at) {
    return kMargin + (kWidth - kMargin - 10) * static_cast<double>(at - first) /
                         static_cast<double>(last - first);
  };
  const auto y = [&](uint64_t sum) {
    return 10 + (kChart - 40) * (1 - static_cast<double>(sum) / static_cast<double>(most));
  };
  std::string path;
  for (const auto& point : points) {
    // A sum stays what it is until the next event: steps, not slopes.
    path += path.empty() ? fmt::format("M{:.1f} {:.1f}", x(point.at_ms), y(point.*value))
                         : fmt::format(" H{:.1f} V{:.1f}", x(point.at_ms), y(point.*value));
  }
  return fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" role=\"img\">\n<path class=\"axis\" d=\"M{2} 10 V{3} H{4}\"/>"
      "<path class=\"line\" d=\"{5}\"/>\n<text x=\"{6}\" y=\"18\" text-anchor=\"end\">{7}</text>"
      "<text x=\"{6}\" y=\"{3}\" text-anchor=\"end\">0</text>"
      "<text x=\"{2}\" y=\"{8}\">{9}</text><text x=\"{4}\" y=\"{8}\" "
      "text-anchor=\"end\">{10}</text>"
      "\n</svg>\n",
      kWidth, kChart, kMargin, kChart - 30, kWidth - 10, path, kMargin - 6, word(most), kChart - 12,
      utc_time(first).substr(0, 16), utc_time(last).substr(0, 16));
}

std::string row(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string out = "<tr>";
  for (const auto& cell : cells) out += fmt::format("<{0}>{1}</{0}>", tag, html_text(cell));
  return out + "</tr>\n";
}

std::string word(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

std::string feed_table(const FeedReport& report) {
  std::string out =
      "<table>\n" + row({word("feed", "feed"), "type", "source", word("records", "enregistrements"),
                         word("size", "taille"), word("partitions", "partitions"),
                         word("retention", "rétention"), word("permissions", "permissions"),
                         word("last export (UTC)", "dernier export (UTC)"), word("state", "état")},
                        "th");
  for (const auto& feed : report.feeds) {
    out += row({feed.name, feed.type, feed.source, counted(feed.records), size_word(feed.bytes),
                counted(feed.partitions), feed.retention, feed.permissions,
                utc_time(feed.last_export_ms),
                feed.enabled ? feed.state : word("disabled", "désactivé")});
  }
  return out + "</table>\n";
}

std::string event_table(const FeedReport& report) {
  std::string out =
      "<table>\n" +
      row({word("time (UTC)", "heure (UTC)"), "feed", word("what", "quoi"), word("state", "état"),
           word("rows", "lignes"), word("seconds", "secondes"), word("remarks", "remarques")},
          "th");
  size_t left = kLastEvents;
  for (auto event = report.events.rbegin(); event != report.events.rend() && left > 0;
       ++event, --left) {
    out +=
        row({utc_time(event->at_ms), event->feed, event->kind, event->state, counted(event->rows),
             fmt::format("{:.1f}", static_cast<double>(event->took_ms) / 1000),
             event->error.empty() ? event->detail : event->error});
  }
  return out + "</table>\n";
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}table{border-collapse:collapse;width:100%;font-size:13px}"
    "th,td{text-align:left;padding:4px 8px;border-bottom:1px solid #ddd;vertical-align:top}"
    "svg{width:100%;max-width:760px;font-size:12px;fill:#222}rect.stream{fill:#3572b0}"
    "rect.table{fill:#c77d1e}.line{fill:none;stroke:#3572b0;stroke-width:2}"
    ".axis{fill:none;stroke:#999}h2{margin-top:2em}";

}  // namespace

std::string utc_time(int64_t ms) {
  if (ms == 0) return "";
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(ms)};
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::floor<std::chrono::seconds>(moment))));
}

std::vector<GrowthPoint> growth_of(const FeedReport& report) {
  std::map<std::string, GrowthPoint> sums;  // by feed
  std::vector<GrowthPoint> points;
  for (const auto& event : report.events) {
    if (event.state != "succeeded") continue;
    sums[event.feed] = {event.at_ms, event.records, event.bytes};
    GrowthPoint all{event.at_ms, 0, 0};
    for (const auto& [feed, sum] : sums) {
      all.records += sum.records;
      all.bytes += sum.bytes;
    }
    points.push_back(all);
  }
  return points;
}

std::string report_csv(const FeedReport& report) {
  std::string out =
      "feed,type,storage_mode,source,table,records,bytes,size_mb,partitions,current_version,"
      "retention,permissions,enabled,last_export,state\n";
  for (const auto& feed : report.feeds) {
    out += fmt::format("{},{},{},{},{},{},{},{:.2f},{},{},{},{},{},{},{}\n", csv_text(feed.name),
                       feed.type, feed.storage_mode, csv_text(feed.source), csv_text(feed.table),
                       feed.records, feed.bytes, static_cast<double>(feed.bytes) / 1e6,
                       feed.partitions,
                       feed.current_version == 0 ? "" : std::to_string(feed.current_version),
                       csv_text(feed.retention), feed.permissions, feed.enabled,
                       utc_time(feed.last_export_ms), feed.state);
  }
  return out;
}

std::string report_html(const FeedReport& report) {
  uint64_t records = 0, bytes = 0;
  for (const auto& feed : report.feeds) records += feed.records, bytes += feed.bytes;
  const std::string title = word("Data lake: report", "Data lake : rapport");
  const auto growth = growth_of(report);
  const auto heading = [](const std::string& text) { return "<h2>" + html_text(text) + "</h2>\n"; };
  return fmt::format(
             "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title>"
             "<style>{}</style></head>\n<body>\n<h1>{}</h1>\n<p>{} · {}</p>\n<p>{} feeds, {} {}, "
             "{}</p>\n",
             say("en", "fr"), title, kStyle, title, utc_time(report.made_ms),
             html_text(report.folder), report.feeds.size(), counted(records),
             say("records", "enregistrements"), size_word(bytes)) +
         feed_table(report) + heading(word("Size", "Taille")) +
         bars(report, &ReportedFeed::bytes, size_word) +
         heading(word("Records", "Enregistrements")) +
         bars(report, &ReportedFeed::records, counted) +
         heading(word("Growth: bytes", "Croissance : octets")) +
         line(growth, &GrowthPoint::bytes, size_word) +
         heading(word("Growth: records", "Croissance : enregistrements")) +
         line(growth, &GrowthPoint::records, counted) +
         heading(word("What happened last", "Derniers événements")) + event_table(report) +
         "</body>\n</html>\n";
}

}  // namespace meesh::app
