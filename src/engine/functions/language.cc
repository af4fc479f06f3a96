// Text as languages and Unicode have it: upper and lower case, normalization forms, word stems.
#include <libstemmer.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <memory>

#include "engine/functions/kernels.h"

namespace meesh::engine {
namespace {

using View = std::string_view;
using duckdb::string_t;

bool is_ascii(const char* text, size_t size) {
  unsigned char all = 0;
  for (size_t i = 0; i < size; ++i) all |= static_cast<unsigned char>(text[i]);
  return all < 0x80;
}

/// One code point at a time, as Java's Character does: ß has no upper case of one letter and stays.
/// Bytes that are no UTF-8 stay.
std::string mapped(View text, UChar32 (*change)(UChar32)) {
  std::string out;
  out.reserve(text.size());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    const int32_t start = at;
    UChar32 point = 0;
    U8_NEXT(text.data(), at, size, point);
    if (point < 0) {
      out.append(text.substr(static_cast<size_t>(start), static_cast<size_t>(at - start)));
    } else {
      append_code_point(out, static_cast<uint32_t>(change(point)));
    }
  }
  return out;
}

template <bool kUpper>
void change_case(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<string_t, string_t>(
      args.data[0], result, args.size(), [&](const string_t& text) {
        const char* data = text.GetData();
        const size_t size = text.GetSize();
        if (!is_ascii(data, size))
          return duckdb::StringVector::AddString(
              result, mapped({data, size}, kUpper ? u_toupper : u_tolower));
        auto out = duckdb::StringVector::EmptyString(result, size);
        char* letters = out.GetDataWriteable();
        constexpr char kFirst = kUpper ? 'a' : 'A', kLast = kUpper ? 'z' : 'Z';
        for (size_t i = 0; i < size; ++i) {
          const char c = data[i];
          letters[i] = static_cast<char>(c >= kFirst && c <= kLast ? c ^ 0x20 : c);
        }
        out.Finalize();
        return out;
      });
}

const icu::Normalizer2* normalizer(View form, UErrorCode& status) {
  if (form == "NFC") return icu::Normalizer2::getNFCInstance(status);
  if (form == "NFD") return icu::Normalizer2::getNFDInstance(status);
  if (form == "NFKC") return icu::Normalizer2::getNFKCInstance(status);
  if (form == "NFKD") return icu::Normalizer2::getNFKDInstance(status);
  raise(Code::kInvalidFunctionArgument, "Normalization form must be one of [NFD, NFC, NFKD, NFKC]");
}

std::string normalized(View text, View form) {
  if (is_ascii(text.data(), text.size())) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const auto* with = normalizer(form, status);
  const auto wide = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  std::string out;
  if (U_SUCCESS(status)) with->normalize(wide, status).toUTF8String(out);
  if (U_FAILURE(status)) raise(Code::kGenericInternalError, u_errorName(status));
  return out;
}

/// Trino's names of languages and Snowball's; "ir" is its Irish.
constexpr std::pair<View, const char*> kLanguages[] = {
    {"ca", "catalan"},    {"da", "danish"},   {"de", "german"},    {"en", "english"},
    {"es", "spanish"},    {"eu", "basque"},   {"fi", "finnish"},   {"fr", "french"},
    {"hu", "hungarian"},  {"hy", "armenian"}, {"ir", "irish"},     {"it", "italian"},
    {"lt", "lithuanian"}, {"nl", "dutch"},    {"no", "norwegian"}, {"pt", "portuguese"},
    {"ro", "romanian"},   {"ru", "russian"},  {"sv", "swedish"},   {"tr", "turkish"},
};

std::string word_stem(View word, View language) {
  using Stemmer = std::unique_ptr<sb_stemmer, decltype(&sb_stemmer_delete)>;
  thread_local std::map<View, Stemmer> stemmers;  // one is not for several threads
  const auto* known = std::find_if(std::begin(kLanguages), std::end(kLanguages),
                                   [&](const auto& entry) { return entry.first == language; });
  if (known == std::end(kLanguages))
    raise(Code::kInvalidFunctionArgument, "Unknown stemmer language: " + std::string(language));
  auto found = stemmers.find(known->first);
  if (found == stemmers.end()) {
    Stemmer made(sb_stemmer_new(known->second, "UTF_8"), sb_stemmer_delete);
    if (!made)
      raise(Code::kInvalidFunctionArgument, "Unknown stemmer language: " + std::string(language));
    found = stemmers.emplace(known->first, std::move(made)).first;
  }
  auto* stemmer = found->second.get();
  const auto* stem = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                                     static_cast<int>(word.size()));
  if (!stem) raise(Code::kGenericInternalError, "No memory for the stem of a word");
  return {reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(stemmer))};
}

}  // namespace

void register_language_kernels(duckdb::ExtensionLoader& loader) {
  loader.RegisterFunction(duckdb::ScalarFunction("meesh_upper", {kText}, kText, change_case<true>));
  loader.RegisterFunction(
      duckdb::ScalarFunction("meesh_lower", {kText}, kText, change_case<false>));
  add_kernel<View, View>(loader, "meesh_normalize", {kText, kText}, kText, normalized);
  add_kernel<View, View>(loader, "meesh_word_stem", {kText, kText}, kText, word_stem);
}

}  // namespace meesh::engine
