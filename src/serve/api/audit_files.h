// The audit trail as it lies on disk (access::AuditTrail), read from its end: the newest first.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

namespace meesh::serve::api {

struct AuditQuery {
  std::string user, action, outcome;  // "" = any; action: the beginning of one is enough
  int64_t from_ms = 0, to_ms = INT64_MAX;
  size_t limit = 100;
  std::string cursor;  // of the page before, "" = from the newest
};
struct AuditPage {
  boost::json::array events;  // as they were written, and "time_ms"
  std::string next;           // "" = there is nothing older
};

/// Reads at most some 16 MiB: a page may have fewer events than asked for, and a next one all the
/// same. Lines that are no JSON are left out. Throws BAD_REQUEST for a cursor that is none.
AuditPage read_audit(const std::filesystem::path& folder, const AuditQuery& query);

}  // namespace meesh::serve::api
