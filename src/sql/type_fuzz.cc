// Any bytes as a type: display() and parse() are inverses, print_type() and parse_type() too.
#include <cstdio>
#include <cstdlib>

#include "sql/ast.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  sql::Type type;
  try {
    type = sql::Type::parse(text);
  } catch (const Error& e) {
    if (e.code() != Code::kTypeNotFound) abort();
    return 0;
  }
  try {
    std::string shown = type.display();
    if (sql::Type::parse(shown) != type || sql::Type::parse(shown).display() != shown) {
      std::fprintf(stderr, "shown: %s\n", shown.c_str());
      abort();
    }
    std::string printed = sql::print_type(*sql::parse_type(text));
    if (sql::to_type(*sql::parse_type(printed)) != type) {
      std::fprintf(stderr, "printed: %s\n", printed.c_str());
      abort();
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    abort();
  }
  return 0;
}
