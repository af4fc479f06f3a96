// JSON as a tree that remembers where everything stands, so that a complaint about a policy can
// name line and column.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace meesh::access {

struct LocatedJson {
  enum class Kind { kNull, kBoolean, kNumber, kText, kArray, kObject };
  struct Key {
    std::string name;
    size_t offset = 0;
  };
  Kind kind = Kind::kNull;
  size_t offset = 0;      // in bytes
  std::string text;       // kText: unescaped; other scalars: as written
  std::vector<Key> keys;  // objects: keys[i] belongs to items[i]; in order, repeated ones too
  std::vector<LocatedJson> items;  // objects and arrays
};

/// "an object", "the text 'abc'", "the number 5", for messages.
std::string describe(const LocatedJson& value);

/// RFC 8259, at most 32 levels deep. Throws INVALID_ARGUMENTS at the position of the mistake.
LocatedJson parse_located_json(std::string_view text);

/// An INVALID_ARGUMENTS whose location is that of `offset` in `text`.
Error error_at(std::string_view text, size_t offset, std::string message);

}  // namespace meesh::access
