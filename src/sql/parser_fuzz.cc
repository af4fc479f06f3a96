// Any bytes: parse, print, parse again: the same tree, and no crash on the way.
#include <cstdio>
#include <cstdlib>

#include "sql/sql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::string_view statement : sql::split_statements(text)) {
    if (statement.data() < text.data() || statement.data() + statement.size() > text.data() + size)
      abort();
  }
  sql::StatementPtr tree;
  try {
    tree = sql::parse(text);
  } catch (const Error& e) {
    if (!e.location().known()) abort();
    return 0;
  }
  std::string before = sql::dump(*tree), printed = sql::print_trino(*tree);
  std::string after;
  try {
    after = sql::dump(*sql::parse(printed));
  } catch (const Error& e) {
    after = e.what();
  }
  if (after != before) {
    std::fprintf(stderr, "printed: %s\nbefore: %s\nafter:  %s\n", printed.c_str(), before.c_str(),
                 after.c_str());
    abort();
  }
  return 0;
}
