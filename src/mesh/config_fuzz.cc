// Any bytes as a configuration file: either it is fine or it has mistakes, each with a place inside
// the text; never a crash, never a hang.
#include <cstdlib>

#include "base/json_schema.h"
#include "base/yaml.h"
#include "mesh/config_shapes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  if (size < 1) return 0;
  const base::Shape* shapes[] = {&mesh::mesh_shape(), &mesh::domain_shape(), &mesh::product_shape(),
                                 &mesh::secrets_shape()};
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  const auto examine = [lines](const Error& e) {
    if (e.location().line < 1 || e.location().line > lines || e.location().column < 1) std::abort();
    if (e.message().empty() || e.location().file != "f") std::abort();
  };
  try {
    yaml::Document document = yaml::parse(text, "f");
    std::vector<Error> problems;
    document.substitute(
        [](const std::string& name) {
          return name.size() % 2 == 0 ? std::optional("v" + name) : std::nullopt;
        },
        problems);
    base::check(*shapes[data[0] % 4], document, problems);
    for (const Error& problem : problems) examine(problem);
  } catch (const Error& e) {
    examine(e);
  }
  return 0;
}
