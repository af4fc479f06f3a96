// Any header values and paging parameters: an answer or an HttpError, nothing else. Lines of the
// input are "Name: value"; a line without a colon is a duration, a size and a zone.
#include <cstdint>

#include "serve/trino/session_headers.h"

namespace {

class FuzzRequest : public meesh::net::Request {
 public:
  size_t read(char*, size_t) override { return 0; }
  bool client_gone() override { return false; }
};

template <class F>
void refuse_or_answer(F f) {
  try {
    f();
  } catch (const meesh::net::HttpError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::serve::trino;
  FuzzRequest request;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      request.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
      continue;
    }
    refuse_or_answer([&] { parse_duration(line); });
    refuse_or_answer([&] { parse_data_size(line); });
    if (const auto zone = meesh::TimeZone::find(line))
      zone->span_at(static_cast<int64_t>(size) << 20);
  }
  refuse_or_answer([&] { base_uri(request); });
  refuse_or_answer([&] {
    const auto context = read_client_context(request);
    // What was read can be sent back and read again.
    meesh::engine::SessionChanges changes;
    changes.added_prepare = context.session.prepared_statements;
    meesh::net::Headers sent;
    add_session_changes(changes, sent);
    FuzzRequest second;
    second.headers.add("X-Trino-User", "u");
    for (const auto value : sent.all("X-Trino-Added-Prepare")) {
      second.headers.add("X-Trino-Prepared-Statement", std::string(value));
    }
    if (read_client_context(second).session.prepared_statements != changes.added_prepare) {
      __builtin_trap();
    }
  });
  return 0;
}
