// Any bytes as a JSON message: taken if and only if another strict parser takes them for an object,
// as far as the columns' types leave it at that.
#include <boost/json.hpp>

#include "streams/decode/decoder_fuzz.h"

namespace {

using namespace meesh::streams;

constexpr size_t kDepth = 150;  // both go so far

enum class Verdict { kObject, kNone, kUnknown };

Verdict verdict_of(std::string_view message) {
  if (message.starts_with("\xEF\xBB\xBF")) message.remove_prefix(3);
  boost::json::parse_options options;
  options.max_depth = kDepth;
  boost::json::error_code error;
  const auto value = boost::json::parse(message, error, {}, options);
  if (!error) return value.is_object() ? Verdict::kObject : Verdict::kNone;
  // Numbers may have any size here, and nesting is bounded elsewhere.
  if (error == boost::json::error::too_deep || error == boost::json::error::exponent_overflow)
    return Verdict::kUnknown;
  return Verdict::kNone;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  static auto& any =
      *new FuzzedDecoder({.encoding = Encoding::kJson},
                         {column("a", "json"), column("b", "varchar", {"b"}),
                          column("c", "varchar", {"b", "c"}), column("d", "json", {"b"})});
  static auto& typed = *[] {
    auto* const made = new std::deque<FuzzedDecoder>;
    auto& out = *made;
    for (const auto& one : columns_of_every_type("a"))
      out.emplace_back(FormatConfig{.encoding = Encoding::kJson}, std::vector{one});
    return made;
  }();
  const bool taken = any.decode(message);
  const auto verdict = verdict_of(message);
  if (verdict != Verdict::kUnknown && taken != (verdict == Verdict::kObject)) std::abort();
  for (auto& one : typed)
    if (one.decode(message) && !taken) std::abort();
  return 0;
}
