// Any bytes as a source's file: either it is fine or it has mistakes, each with a place inside the
// text; never a crash, never a hang.
#include <algorithm>
#include <cstdlib>

#include "ingest/source_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  const auto examine = [lines](const Error& e) {
    if (e.location().line < 1 || e.location().line > lines || e.location().column < 1) std::abort();
    if (e.message().empty()) std::abort();
  };
  std::vector<Error> problems;
  try {
    yaml::Document document = yaml::parse(text, "s.yaml");
    document.substitute([](const std::string& name) { return std::optional("v" + name); },
                        problems);
    base::check(ingest::source_shape(), document, problems);
    if (problems.empty()) {
      const auto config = ingest::read_source(document, problems);
      for (const auto& [name, table] : config.tables)
        if (config.full_name(table).empty() || !config.table(name)) std::abort();
    }
  } catch (const Error& e) {
    examine(e);
  }
  for (const Error& problem : problems) examine(problem);
  return 0;
}
