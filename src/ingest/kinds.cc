#include "ingest/kinds.h"

#include <algorithm>

namespace meesh::ingest {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {postgresql_kind(), mysql_kind(), files_kind(), rest_kind(),
                                        airbyte_kind()};
  return all;
}

const Kind& kind_of(const SourceConfig& config) {
  const auto found = std::ranges::find(kinds(), config.kind, &Kind::word);
  if (found == kinds().end()) internal_error("there is no kind of source " + config.kind);
  return *found;
}

}  // namespace meesh::ingest
