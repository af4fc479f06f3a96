#include "engine/catalogs/system.h"

#include <iterator>

namespace meesh::engine {

const std::vector<VirtualTable>& system_tables() {
  static const std::vector<VirtualTable> tables = [] {
    std::vector<VirtualTable> all = system_jdbc_tables();
    for (auto* more : {&system_metadata_tables, &system_runtime_tables}) {
      auto part = (*more)();
      std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
  }();
  return tables;
}

}  // namespace meesh::engine
