#include "dashboards/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>

#include "base/html.h"
#include "base/text.h"
#include "dashboards/dashboard.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using base::html_text;

constexpr double kWidth = 640, kHeight = 260, kLeft = 64, kRight = 12, kTop = 12, kBottom = 40;
constexpr size_t kMostWords = 400, kMostNames = 12, kTicks = 5, kLabels = 8;
constexpr std::array kColours = {"#0ca678", "#1c7ed6", "#f08c00", "#ae3ec9", "#e03131", "#5c940d",
                                 "#3bc9db", "#e8590c", "#7048e8", "#868e96", "#d6336c", "#2b8a3e"};

bool is_number(sql::TypeKind kind) {
  switch (kind) {
    case sql::TypeKind::kTinyint:
    case sql::TypeKind::kSmallint:
    case sql::TypeKind::kInteger:
    case sql::TypeKind::kBigint:
    case sql::TypeKind::kReal:
    case sql::TypeKind::kDouble:
    case sql::TypeKind::kDecimal:
      return true;
    default:
      return false;
  }
}

std::optional<double> number_in(const json::value& cell) {
  if (cell.is_number()) return cell.to_number<double>();
  if (!cell.is_string()) return std::nullopt;
  const auto& text = cell.get_string();
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                   : std::nullopt;
}

std::string word_in(const json::value& cell) {
  std::string word = text_in(cell, "en");
  if (word.ends_with("T00:00:00")) word.resize(10);
  return word;
}

std::optional<size_t> index_of(const std::vector<engine::Column>& columns,
                               const std::string& name) {
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == name) return i;
  return std::nullopt;
}

/// "1,200", "3.4 M".
std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return fmt::format("{:.4g} G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g} M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.4g} k", value / 1e3);
  return fmt::format("{:.4g}", value);
}

struct Scale {
  double least = 0, most = 1;
  double y(double value) const {
    return kTop + (kHeight - kTop - kBottom) * (most - value) / (most - least);
  }
};

Scale scale_of(const Series& series, bool from_zero) {
  double least = INFINITY, most = -INFINITY;
  for (const auto& row : series.rows) {
    for (const auto& value : row) {
      if (!value) continue;
      least = std::min(least, *value);
      most = std::max(most, *value);
    }
  }
  if (!(least <= most)) return {};
  if (from_zero || least > 0) least = std::min(least, 0.0);
  if (from_zero) most = std::max(most, 0.0);
  const double step = std::pow(10, std::floor(std::log10(std::max(most - least, 1e-12))));
  most = std::ceil(most / step * 2) / 2 * step;
  least = std::floor(least / step * 2) / 2 * step;
  if (most <= least) most = least + 1;
  return {least, most};
}

double x_of(size_t at, size_t count) {
  const double inside = kWidth - kLeft - kRight;
  return kLeft +
         inside * (static_cast<double>(at) + 0.5) / static_cast<double>(std::max<size_t>(count, 1));
}

std::string axes(const Series& series, const Scale& scale) {
  std::string out;
  for (size_t i = 0; i < kTicks; ++i) {
    const double value = scale.least + (scale.most - scale.least) * static_cast<double>(i) /
                                           static_cast<double>(kTicks - 1);
    out += fmt::format(
        R"(<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}" stroke="#dee2e6"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)",
        kLeft, kWidth - kRight, scale.y(value), kLeft - 6, scale.y(value) + 4, short_number(value));
  }
  const size_t count = series.words.size(),
               every = std::max<size_t>(1, (count + kLabels - 1) / kLabels);
  for (size_t i = 0; i < count; i += every) {
    std::string word = series.words[i];
    if (base::code_points(word) > 14) {
      size_t cut = 12;
      while (cut > 0 && (static_cast<unsigned char>(word[cut]) & 0xC0) == 0x80) --cut;
      word = word.substr(0, cut) + "…";
    }
    out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x_of(i, count),
                       kHeight - kBottom + 18, html_text(word));
  }
  return out;
}

std::string legend(const Series& series) {
  if (series.names.size() < 2) return "";
  std::string out;
  double x = kLeft;
  for (size_t i = 0; i < series.names.size(); ++i) {
    out += fmt::format(
        R"(<rect x="{:.0f}" y="{}" width="10" height="10" fill="{}"/><text x="{:.0f}" y="{}">{}</text>)",
        x, kHeight - 12, kColours[i % kColours.size()], x + 14, kHeight - 3,
        html_text(series.names[i]));
    x += 26 + 6.5 * static_cast<double>(base::code_points(series.names[i]));
    if (x > kWidth - 60) break;
  }
  return out;
}

std::string bars(const Series& series, const Scale& scale) {
  std::string out;
  const size_t count = series.words.size(), rows = series.rows.size();
  const double wide =
      (kWidth - kLeft - kRight) / static_cast<double>(std::max<size_t>(count, 1)) * 0.8;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < count; ++i) {
      if (!series.rows[r][i]) continue;
      const double top = scale.y(std::max(0.0, *series.rows[r][i]));
      const double low = scale.y(std::min(0.0, *series.rows[r][i]));
      out += fmt::format(
          R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>)",
          x_of(i, count) - wide / 2 + wide * static_cast<double>(r) / static_cast<double>(rows),
          top, std::max(0.5, wide / static_cast<double>(rows) - 0.5), std::max(0.5, low - top),
          kColours[r % kColours.size()]);
    }
  }
  return out;
}

std::string lines(const Series& series, const Scale& scale, bool filled) {
  std::string out;
  const size_t count = series.words.size();
  for (size_t r = 0; r < series.rows.size(); ++r) {
    std::string path, points;
    bool pen = false;
    for (size_t i = 0; i < count; ++i) {
      const auto& value = series.rows[r][i];
      if (value)
        path += fmt::format("{}{:.1f} {:.1f}", pen ? "L" : "M", x_of(i, count), scale.y(*value));
      pen = value.has_value();
      if (value) points += fmt::format("{:.1f},{:.1f} ", x_of(i, count), scale.y(*value));
    }
    const char* colour = kColours[r % kColours.size()];
    if (filled && count > 0)
      out += fmt::format(
          R"(<polygon points="{:.1f},{:.1f} {}{:.1f},{:.1f}" fill="{}" opacity="0.25"/>)",
          x_of(0, count), scale.y(std::max(0.0, scale.least)), points, x_of(count - 1, count),
          scale.y(std::max(0.0, scale.least)), colour);
    out += fmt::format(R"(<path d="{}" fill="none" stroke="{}" stroke-width="2"/>)", path, colour);
  }
  return out;
}

std::string ring(const Series& series) {
  double sum = 0;
  for (const auto& value : series.rows.at(0)) sum += std::max(0.0, value.value_or(0));
  if (sum <= 0) return "";
  std::string out;
  const double x = 130, y = kHeight / 2, radius = 100, hole = 60;
  double from = -std::numbers::pi / 2;
  for (size_t i = 0; i < series.words.size(); ++i) {
    const double share = std::max(0.0, series.rows[0][i].value_or(0)) / sum;
    // A whole circle is no arc.
    const double to = from + std::min(share, 0.9999) * 2 * std::numbers::pi;
    const char* colour = kColours[i % kColours.size()];
    if (share > 0)
      out += fmt::format(
          R"(<path d="M{:.1f} {:.1f}A{} {} 0 {} 1 {:.1f} {:.1f}L{:.1f} {:.1f}A{} {} 0 {} 0 {:.1f} {:.1f}Z" fill="{}"/>)",
          x + radius * std::cos(from), y + radius * std::sin(from), radius, radius,
          share > 0.5 ? 1 : 0, x + radius * std::cos(to), y + radius * std::sin(to),
          x + hole * std::cos(to), y + hole * std::sin(to), hole, hole, share > 0.5 ? 1 : 0,
          x + hole * std::cos(from), y + hole * std::sin(from), colour);
    from = to;
    if (i < kMostNames)
      out += fmt::format(
          R"(<rect x="270" y="{0}" width="10" height="10" fill="{1}"/><text x="286" y="{2}">{3}: {4} ({5:.1f} %)</text>)",
          20 + i * 19, colour, 29 + i * 19, html_text(series.words[i]),
          short_number(series.rows[0][i].value_or(0)), share * 100);
  }
  return out;
}

/// Columns of numbers that the chart names, else all.
std::vector<size_t> number_columns(const std::vector<engine::Column>& columns,
                                   const json::object& encode) {
  std::vector<size_t> found;
  const auto add = [&](const json::value& name) {
    if (!name.is_string()) return;
    if (const auto at = index_of(columns, std::string(name.get_string()))) found.push_back(*at);
  };
  for (const char* key : {"y", "value"}) {
    const auto* named = encode.if_contains(key);
    if (!named) continue;
    if (named->is_array()) {
      for (const auto& name : named->get_array()) add(name);
    } else {
      add(*named);
    }
  }
  if (!found.empty()) return found;
  for (size_t i = 0; i < columns.size(); ++i)
    if (is_number(columns[i].type.kind)) found.push_back(i);
  return found;
}

}  // namespace

std::optional<Series> series_of(const std::vector<engine::Column>& columns, const json::array& rows,
                                const json::object& encode) {
  auto numbers = number_columns(columns, encode);
  std::optional<size_t> words =
      index_of(columns, text_in(encode, encode.contains("x") ? "x" : "label", "en"));
  for (size_t i = 0; i < columns.size() && !words; ++i)
    if (!is_number(columns[i].type.kind)) words = i;
  if (words) std::erase(numbers, *words);
  if (numbers.empty() || !words) return std::nullopt;
  const auto split = index_of(columns, text_in(encode, "series", "en"));
  Series series;
  std::map<std::string, size_t> places, names;
  for (const auto& row : rows) {
    const auto& cells = row.as_array();
    const std::string word = word_in(cells.at(*words));
    const auto [place, fresh] = places.try_emplace(word, series.words.size());
    if (fresh) {
      if (series.words.size() >= kMostWords) break;
      series.words.push_back(word);
      for (auto& values : series.rows) values.emplace_back();
    }
    for (const size_t number : numbers) {
      const std::string name = split ? word_in(cells.at(*split)) : columns[number].name;
      const auto [at, another] = names.try_emplace(name, series.names.size());
      if (another) {
        if (series.names.size() >= kMostNames) {
          names.erase(at);
          continue;
        }
        series.names.push_back(name);
        series.rows.emplace_back(series.words.size());
      }
      series.rows[at->second][place->second] = number_in(cells.at(number));
      if (split) break;
    }
  }
  if (series.rows.empty()) return std::nullopt;
  return series;
}

std::optional<std::string> svg_chart(const std::string& kind, const Series& series) {
  const auto is = [&](std::string_view part) { return kind.find(part) != std::string::npos; };
  std::string inside;
  if (is("pie") || is("donut") || is("rose") || is("funnel") || is("treemap")) {
    inside = ring(series);
  } else if (is("line") || is("area") || is("step") || is("control")) {
    const Scale scale = scale_of(series, is("area"));
    inside = axes(series, scale) + lines(series, scale, is("area")) + legend(series);
  } else if (is("bar") || is("lollipop") || is("pareto") || is("waterfall") || is("histogram") ||
             is("column") || is("dual")) {
    const Scale scale = scale_of(series, true);
    inside = axes(series, scale) + bars(series, scale) + legend(series);
  }
  if (inside.empty()) return std::nullopt;
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" font-family="sans-serif" font-size="11" fill="#495057">{}</svg>)",
      kWidth, kHeight, inside);
}

}  // namespace meesh::dashboards
