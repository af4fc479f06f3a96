#include "engine/functions/oniguruma.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace meesh::engine {
namespace {

constexpr const char* kLibrary = "libonig.so.5";

/// What the library calls `name`.
template <class T>
void find(void* library, const char* name, T& out) {
  out = reinterpret_cast<T>(dlsym(library, name));
  if (!out) throw Error(Code::kGenericInternalError, std::string(kLibrary) + " has no " + name);
}

Oniguruma load() {
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error(Code::kGenericInternalError, std::string("cannot load Oniguruma: ") + dlerror())
        .with_hint("setup/setup.sh installs it");
  }
  Oniguruma out{};
  find(library, "onig_new", out.make);
  find(library, "onig_free", out.free);
  find(library, "onig_search_with_param", out.search);
  find(library, "onig_number_of_captures", out.number_of_captures);
  find(library, "onig_name_to_backref_number", out.name_to_backref_number);
  find(library, "onig_error_code_to_str", out.error_code_to_str);
  find(library, "onig_region_new", out.make_region);
  find(library, "onig_region_free", out.free_region);
  find(library, "onig_new_match_param", out.make_limits);
  find(library, "onig_initialize_match_param", out.initialize_limits);
  find(library, "onig_set_retry_limit_in_search_of_match_param", out.set_retry_limit);
  find(library, "onig_free_match_param", out.free_limits);
  find(library, "OnigEncodingUTF8", out.utf8);
  const OnigSyntaxType* java = nullptr;
  find(library, "OnigSyntaxJava", java);
  out.java = *java;
  out.java.op2 |= ONIG_SYN_OP2_QMARK_LT_NAMED_GROUP | ONIG_SYN_OP2_ESC_K_NAMED_BACKREF;
  decltype(&::onig_initialize) initialize = nullptr;
  find(library, "onig_initialize", initialize);
  initialize(&out.utf8, 1);
  return out;
}

}  // namespace

Oniguruma& Oniguruma::library() {
  static Oniguruma loaded = load();
  return loaded;
}

}  // namespace meesh::engine
