// Any bytes as a stream's file: either it is fine, its SQL can be taken apart or is refused, or it
// has mistakes with a place inside the text; never a crash, never a hang.
#include <algorithm>
#include <cstdlib>

#include "streams/stream_config.h"
#include "streams/stream_query.h"
#include "streams/stream_shape.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  const auto examine = [lines](const Error& e) {
    if (e.location().line < 1 || e.location().line > lines || e.location().column < 1) std::abort();
    if (e.message().empty()) std::abort();
  };
  mesh::MeshFiles files("/nonexistent", "mesh",
                        [](const std::string& name) { return std::optional("v" + name); });
  try {
    yaml::Document document = yaml::parse(text, "streams/s.yaml");
    base::check(streams::stream_shape(), document, files.problems());
    if (files.problems().empty()) {
      const auto config = streams::read_stream(document, "streams/s.yaml", files);
      if (config.sources.size() > 2 && files.problems().empty()) std::abort();
      try {
        if (files.problems().empty() && streams::analyse(config).text.empty()) std::abort();
      } catch (const Error& e) {
        if (e.message().empty()) std::abort();
      }
    }
  } catch (const Error& e) {
    examine(e);
  }
  for (const Error& problem : files.problems()) examine(problem);
  return 0;
}
