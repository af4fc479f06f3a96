// An event is read or refused, never anything else; what is written of one reads back as the same.
#include <boost/json.hpp>
#include <cstdlib>

#include "governance/open_lineage.h"

namespace {

meesh::governance::Known known() {
  meesh::governance::Known out;
  out.address = [] { return std::string("http://localhost:8080"); };
  out.databases = {{"localhost", 5432, "db", "sales"}};
  out.has_catalog = [](const std::string&) { return true; };
  out.table_at = [](const std::string& location) -> std::optional<meesh::sql::TableName> {
    if (location.size() % 2 == 0) return std::nullopt;
    return meesh::sql::TableName{"lake", "s", "t"};
  };
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::governance;
  static const DatasetNames names(known());
  boost::json::error_code malformed;
  const auto value = boost::json::parse({reinterpret_cast<const char*>(data), size}, malformed);
  if (malformed) return 0;
  try {
    const Event event = read_event(value, names);
    if (event.kind != Event::Kind::kRun) return 0;
    const auto again = read_event(write_event(event.run, names, "meesh://fuzz"), names);
    if (again.run.run_id != event.run.run_id || again.run.job != event.run.job ||
        again.run.inputs.size() != event.run.inputs.size() ||
        again.run.outputs.size() != event.run.outputs.size()) {
      std::abort();
    }
  } catch (const EventError&) {
  }
  return 0;
}
