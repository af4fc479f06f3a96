// Any bytes as a dashboard's or a model's file: either it is fine, and what is written of its JSON
// is read as the same JSON, or it has mistakes with a place inside the text; never a crash or a
// hang.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>

#include "dashboards/dashboard.h"
#include "dashboards/semantic.h"
#include "dashboards/statement.h"
#include "dashboards/yaml_json.h"

namespace {

using namespace meesh;  // NOLINT: a program of its own

void examine(const mesh::ConfigError& error, const std::string& text) {
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const Error& one : error.all())
    if (one.message().empty() || one.location().line > lines) std::abort();
}

void ask(const dashboards::ChartConfig& chart) {
  if (chart.sql.empty()) return;
  try {
    auto statement = dashboards::Statement::parse(chart.sql, chart.sql_place);
    dashboards::BoundValues values;
    for (const auto& name : statement.parameters())
      values[name] = {dashboards::BoundValue::Kind::kText, {"a'b\"--"}};
    statement.bind(values);
    statement.filter_answer({{"a\"b", "in", {"x'y", 1, nullptr}}});
    statement.limit_rows(10);
    dashboards::Statement::parse(statement.text(), {});
  } catch (const Error& error) {
    if (error.message().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto dashboard = dashboards::read_dashboard("d", text, "dashboards/d.yaml");
    const std::string written = dashboards::to_yaml(dashboard.json);
    dashboards::read_dashboard("d", written, "dashboards/d.yaml");
    for (const auto& chart : dashboard.charts) ask(chart);
  } catch (const mesh::ConfigError& error) {
    examine(error, text);
  }
  try {
    dashboards::read_models({{"m", text}}, "semantic");
  } catch (const mesh::ConfigError& error) {
    examine(error, text);
  }
  return 0;
}
