// Pattern and text, separated by the first zero byte.
#include <cstdint>
#include <string_view>

#include "engine/functions/regular_expression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::engine;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(input.find('\0'), size);
  RegularExpression::Groups groups;
  try {
    RegularExpression::compiled(input.substr(0, end))
        .match(input.substr(std::min(end + 1, size)), 0, groups);
  } catch (const duckdb::Exception&) {
  }
  return 0;
}
