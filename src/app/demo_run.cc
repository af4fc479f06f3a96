#include "app/demo_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <vector>

#include "app/ask_file.h"
#include "app/language.h"
#include "app/pipelines/run_view.h"
#include "app/server.h"
#include "app/sql/sql_command.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// The query with the run's parameters; the pipeline has checked what stands in them.
std::string filled(std::string sql, const json::object& parameters) {
  for (const auto& [name, value] : parameters) {
    const std::string word = fmt::format("{{{{ {} }}}}", std::string_view(name));
    for (size_t at = 0; (at = sql.find(word, at)) != std::string::npos;) {
      sql.replace(at, word.size(), std::string_view(value.as_string()));
    }
  }
  return sql;
}

/// A query below what its remarks say it is.
bool show_mart(const fs::path& file, const json::object& parameters, const std::string& server) {
  std::ifstream in(file);
  std::string line, sql;
  fmt::print("\n");
  while (std::getline(in, line)) {
    if (line.starts_with("-- ")) {
      fmt::print("{}\n", line.substr(3));
    } else {
      sql += line + "\n";
    }
  }
  return ask_text(filled(std::move(sql), parameters), server);
}

}  // namespace

int run_demo(const DemoRun& wanted) {
  const ApiOptions api{.server = wanted.server};
  json::object request{{"user", system_user()}};
  if (!wanted.run_date.empty()) request["partition"] = wanted.run_date;
  const std::string id =
      text_of(api_post(api, "/api/v1/pipelines/" + part(wanted.pipeline) + "/runs", request), "id");
  fmt::print("{}: {} {}\n", wanted.pipeline, say("run", "exécution"), id);
  if (const int failed = follow_run(api, id); failed != 0) return failed;
  const json::object run = api_get(api, "/api/v1/runs/" + part(id));
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(fs::path(wanted.queries) / wanted.pipeline, none)) {
    if (entry.path().extension() == ".sql") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  bool good = true;
  for (const fs::path& file : files) {
    good &= show_mart(file, run.at("parameters").as_object(), wanted.server);
  }
  return good ? 0 : 1;
}

}  // namespace meesh::app
