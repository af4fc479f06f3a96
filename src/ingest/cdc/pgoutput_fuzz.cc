// Any bytes as what PostgreSQL's replication sends: they are read or refused; every view lies
// within them.
#include <cstdlib>

#include "base/error.h"
#include "ingest/cdc/pgoutput.h"

namespace {

void within(std::string_view all, std::string_view part) {
  if (part.empty()) return;
  if (part.data() < all.data() || part.data() + part.size() > all.data() + all.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::ingest::pgoutput;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static Message message;
  try {
    const Frame frame = read_frame(bytes);
    within(bytes, frame.payload);
    if (frame.kind == 'k') return 0;
    read_message(frame.payload, message);
    for (const auto& cell :
         message.kind == 'I' || message.kind == 'U' ? message.row : std::vector<Cell>())
      within(bytes, cell.text);
    if (message.before_kind != 0)
      for (const auto& cell : message.before) within(bytes, cell.text);
    if (message.kind == 'R')
      for (const auto& column : message.columns) within(bytes, column.name);
  } catch (const meesh::Error& error) {
    if (error.message().empty()) std::abort();
  }
  return 0;
}
