// Numbering of schemas, specs, orders and versions, for the builders of metadata.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "base/error.h"

namespace meesh::lake {

/// One above the highest id among `items`, and at least `least`. BAD_REQUEST when none is left.
template <typename T>
int next_id(const std::vector<T>& items, int least) {
  int next = least;
  for (const T& item : items) {
    if (item.id == std::numeric_limits<int>::max()) {
      throw Error(Code::kBadRequest, "ids are used up");
    }
    next = std::max(next, item.id + 1);
  }
  return next;
}

}  // namespace meesh::lake
