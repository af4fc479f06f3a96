#include "dashboards/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/html.h"
#include "dashboards/svg_chart.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using base::html_text;

constexpr size_t kMostRows = 50;  // of a table

constexpr std::string_view kStyle =
    "body{font-family:system-ui,sans-serif;color:#212529;max-width:1000px;margin:24px "
    "auto;padding:0 "
    "16px}h1{margin-bottom:0}.when{color:#868e96}section{border:1px solid "
    "#dee2e6;border-radius:6px;"
    "padding:12px 16px;margin:16px 0;break-inside:avoid}h2{font-size:16px;margin:0 0 "
    "8px}table{border-"
    "collapse:collapse;width:100%;font-size:13px}th,td{border-bottom:1px solid #e9ecef;padding:4px "
    "8px;text-align:left}.n{text-align:right;font-variant-numeric:tabular-nums}.big{font-size:36px;"
    "font-weight:600}.error{color:#c92a2a}.more{color:#868e96;font-size:12px}svg{width:100%;height:"
    "auto}";

std::string_view word(std::string_view english, std::string_view french,
                      const std::string& language) {
  return language == "fr" ? french : english;
}

std::string table_of(const Answer& answer, const json::array& rows, const std::string& language) {
  std::string out = "<table><thead><tr>";
  for (const auto& column : answer.columns) out += "<th>" + html_text(column.name) + "</th>";
  out += "</tr></thead><tbody>";
  for (size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) {
    out += "<tr>";
    for (const auto& cell : rows[i].as_array())
      out += fmt::format("<td{}>{}</td>", cell.is_number() ? " class=\"n\"" : "",
                         html_text(text_in(cell, language)));
    out += "</tr>";
  }
  out += "</tbody></table>";
  if (rows.size() > kMostRows || answer.truncated)
    out += fmt::format("<p class=\"more\">{} {}{}</p>",
                       word("of rows:", "lignes au total :", language), answer.rows,
                       answer.truncated ? "+" : "");
  return out;
}

std::string body_of(const Answer& answer, const std::string& kind, const json::object& chart,
                    const std::string& language) {
  const json::value parsed = json::parse(answer.rows_text);
  const auto& rows = parsed.as_array();
  if (rows.empty())
    return fmt::format("<p class=\"more\">{}</p>", word("No rows.", "Aucune ligne.", language));
  if (kind.find("number") != std::string::npos || kind == "gauge" || kind == "progress") {
    const auto& cells = rows.back().as_array();
    const auto shown =
        std::ranges::find_if(cells, [](const auto& cell) { return cell.is_number(); });
    return fmt::format("<p class=\"big\">{}</p>",
                       html_text(text_in(shown == cells.end() ? cells.at(0) : *shown, language)));
  }
  const auto* encode = chart.if_contains("encode");
  const json::object none;
  const auto series =
      series_of(answer.columns, rows, encode && encode->is_object() ? encode->get_object() : none);
  if (series)
    if (const auto drawn = svg_chart(kind, *series)) return *drawn;
  return table_of(answer, rows, language);
}

std::string failure_text(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string section(const json::object& chart, const std::vector<ChartAnswer>& answers,
                    const std::string& language) {
  const std::string id = text_in(chart, "id", language), kind = text_in(chart, "kind", language);
  std::string title = text_in(chart, "title", language);
  std::string inside;
  if (kind == "text") {
    inside = fmt::format("<p>{}</p>", html_text(text_in(chart, "text", language)));
  } else {
    const auto found = std::ranges::find(answers, id, &ChartAnswer::id);
    if (found == answers.end()) return "";
    inside = found->answer ? body_of(*found->answer, kind, chart, language)
                           : fmt::format("<p class=\"error\">{}</p>",
                                         html_text(failure_text(found->failure)));
    if (title.empty()) title = id;
  }
  return fmt::format("<section>{}{}</section>\n",
                     title.empty() ? "" : fmt::format("<h2>{}</h2>", html_text(title)), inside);
}

}  // namespace

std::string html_report(const Dashboard& dashboard, const std::vector<ChartAnswer>& answers,
                        const std::string& language, const std::string& when) {
  const std::string title = html_text(text_in(dashboard.json, "title", language));
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta "
      "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\"><title>{}</title><style>{}</style></head><body>\n<h1>{}</h1>\n<p "
      "class=\"when\">{}</p>\n",
      language, title, kStyle, title, html_text(when));
  if (const auto* charts = dashboard.json.if_contains("charts"); charts && charts->is_array())
    for (const auto& chart : charts->get_array())
      if (chart.is_object()) out += section(chart.get_object(), answers, language);
  return out + "</body></html>\n";
}

}  // namespace meesh::dashboards
