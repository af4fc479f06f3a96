// Any bytes as a JSON path: either it is one, and then it runs over some JSON, or it is refused
// with a reason; never a crash, never a hang.
#include <cstdlib>

#include "base/error.h"
#include "engine/functions/json_path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static const auto input = engine::read_json(
      R"({"a": [1, 2.5, {"b": "x", "c": null}], "b": {"a": true}, "d": "2024-01-01"})");
  try {
    const auto path = engine::parse_json_path(text);
    boost::json::object variables;
    for (const auto& name : path.variables) variables[name] = 1;
    for (const auto& item : engine::find_items(path, *input, variables))
      if (!engine::read_json(engine::json_text(item))) std::abort();
  } catch (const Error& e) {
    if (e.message().empty()) std::abort();
  } catch (const engine::PathFailure& e) {
    if (e.message.empty()) std::abort();
  }
  return 0;
}
