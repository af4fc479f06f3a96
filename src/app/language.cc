#include "app/language.h"

#include <cstdlib>
#include <optional>
#include <string>

namespace meesh::app {
namespace {

std::optional<Language> chosen;

Language from_environment() {
  for (const char* name : {"MEESH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value && *value) {
      return std::string_view(value).starts_with("fr") ? Language::kFrench : Language::kEnglish;
    }
  }
  return Language::kEnglish;
}

}  // namespace

Language language() {
  if (!chosen) chosen = from_environment();
  return *chosen;
}

void set_language(Language language) { chosen = language; }

std::string_view say(std::string_view english, std::string_view french) {
  return language() == Language::kFrench ? french : english;
}

}  // namespace meesh::app
