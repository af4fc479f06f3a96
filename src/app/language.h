// What the program says to a person, in the language of the terminal.
#pragma once

#include <string_view>

namespace meesh::app {

enum class Language { kEnglish, kFrench };

/// --lang, else MEESH_LANG, else LC_ALL, LC_MESSAGES, LANG; English unless one says French.
Language language();
void set_language(Language language);

/// The text in the chosen language.
std::string_view say(std::string_view english, std::string_view french);

}  // namespace meesh::app
