// Oniguruma's functions, which parse and match regular expressions of several syntaxes. The library
// is not linked: as Debian builds it, it has a regcomp and a regexec of its own, which would take
// the place of the C library's wherever the program's other libraries call those (librdkafka's
// topic patterns, Kerberos).
#pragma once

#include <oniguruma.h>

namespace meesh::engine {

struct Oniguruma {
  decltype(&::onig_new) make;
  decltype(&::onig_free) free;
  decltype(&::onig_search_with_param) search;
  decltype(&::onig_number_of_captures) number_of_captures;
  decltype(&::onig_name_to_backref_number) name_to_backref_number;
  decltype(&::onig_error_code_to_str) error_code_to_str;
  decltype(&::onig_region_new) make_region;
  decltype(&::onig_region_free) free_region;
  decltype(&::onig_new_match_param) make_limits;
  decltype(&::onig_initialize_match_param) initialize_limits;
  decltype(&::onig_set_retry_limit_in_search_of_match_param) set_retry_limit;
  decltype(&::onig_free_match_param) free_limits;
  OnigEncoding utf8;
  OnigSyntaxType java;  // Java's syntax, and named groups

  /// Loads the library the first time. Throws GENERIC_INTERNAL_ERROR when it is not there.
  static Oniguruma& library();
};

}  // namespace meesh::engine
