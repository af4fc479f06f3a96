// Any bytes as a path and a page, and as a header Link and an address: what is found in a page is
// JSON again; never a crash, never a hang.
#include <cstdlib>

#include "base/error.h"
#include "ingest/decode/json_values.h"
#include "ingest/rest/link_header.h"
#include "ingest/rest/record_path.h"
#include "ingest/rest/url.h"

namespace {

using namespace meesh::ingest;

void examine_page(std::string_view path, std::string_view page) {
  const auto compact = compact_json(page);
  if (!compact) return;
  const auto json = [](std::string_view text) {
    if (!compact_json(text)) std::abort();
  };
  const auto parsed = RecordPath::parse(path);
  parsed.each(*compact, json);
  if (const auto value = parsed.value(*compact)) json(*value);
  RecordPath::parse(likely_records(*compact)).each(*compact, json);
}

void examine_address(std::string_view text, std::string_view reference) {
  const auto base = parse_url(text);
  if (!base) return;
  for (const auto& url : {base, resolve(*base, reference)}) {
    if (!url) continue;
    if (url->target.empty() || url->target[0] != '/') std::abort();
    for (const char c : url->target)
      if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f)
        std::abort();
    if (parse_url(url->text()) != url) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), size);
  const auto first = text.substr(0, end), rest = text.substr(std::min(end + 1, size));
  try {
    examine_page(first, rest);
  } catch (const meesh::Error& error) {
    if (error.message().empty()) std::abort();
  }
  linked(text, "next");
  examine_address(first, rest);
  return 0;
}
