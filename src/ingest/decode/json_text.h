// JSON's strings, in and out.
#pragma once

#include <string>
#include <string_view>

namespace meesh::ingest {

/// Of a string's inside (and what follows it up to a quote): each backslash begins an escape, and
/// the halves of surrogate pairs are together.
bool valid_escapes(std::string_view text);
/// The text that a string's inside stands for; its escapes are valid.
void unescape(std::string_view inside, std::string& out);
/// UTF-8 as a string with its quotes, behind `out`.
void append_quoted(std::string_view text, std::string& out);

}  // namespace meesh::ingest
