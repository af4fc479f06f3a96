// Any bytes as a CSV message: one record, or refused; a line break behind a record changes nothing.
#include "streams/decode/decoder_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::streams;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  static auto& texts = *new FuzzedDecoder({.encoding = Encoding::kCsv, .csv_header = {"a", "b"}},
                                          {column("a", "varchar"), column("b", "varchar")});
  static auto& typed = *[] {
    auto* const made = new std::deque<FuzzedDecoder>;
    auto& out = *made;
    for (const auto& one : columns_of_every_type("0"))
      out.emplace_back(FormatConfig{.encoding = Encoding::kCsv, .delimiter = ';'},
                       std::vector{one});
    return made;
  }();
  if (texts.decode(message) && !texts.decode(std::string(message) + "\n") &&
      !message.ends_with('\n') && !message.ends_with('\r'))
    std::abort();
  for (auto& one : typed) one.decode(message);
  return 0;
}
