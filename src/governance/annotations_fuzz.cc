// Any bytes as a file of the catalogue and of the glossary: either it is fine, and what is written
// of it reads as the same, or it has mistakes with a place inside the text.
#include <algorithm>
#include <cstdlib>

#include "governance/annotations.h"

namespace {

using namespace meesh;

template <class All>
void examine(const std::string& text, const base::Shape& shape,
             All (*read)(const yaml::Document&, std::vector<Error>&),
             std::string (*write)(const All&)) {
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::vector<Error> problems;
  All all;
  try {
    yaml::Document document = yaml::parse(text, "x.yaml");
    base::check(shape, document, problems);
    if (problems.empty()) all = read(document, problems);
  } catch (const Error& error) {
    problems.push_back(error);
  }
  for (const Error& problem : problems) {
    const auto& at = problem.location();
    if (at.line < 1 || at.line > lines || at.column < 1 || problem.message().empty()) std::abort();
  }
  if (!problems.empty()) return;
  yaml::Document again = yaml::parse(write(all), "y.yaml");
  base::check(shape, again, problems);
  if (!problems.empty() || read(again, problems) != all) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  examine<governance::AssetNotes>(text, governance::catalogue_shape(), governance::read_assets,
                                  governance::write_assets);
  examine<governance::Terms>(text, governance::glossary_shape(), governance::read_terms,
                             governance::write_terms);
  return 0;
}
