// Whatever stands in a contract's file, reading it ends: with checks, or with mistakes that have a
// place in it.
#include <cstdlib>
#include <string>

#include "quality/contract.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const meesh::mesh::Mesh mesh;
  std::vector<meesh::Error> problems;
  const auto contract = meesh::quality::parse_contract(
      std::string(reinterpret_cast<const char*>(data), size), "c.yaml", "c", mesh, problems);
  if (contract.has_value() != problems.empty()) std::abort();
  for (const auto& problem : problems)
    if (problem.location().file != "c.yaml") std::abort();
  return 0;
}
