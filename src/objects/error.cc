#include "objects/error.h"

namespace meesh::objects {
namespace {

struct Entry {
  std::string_view name;
  int status;
  Code code;
};

constexpr Entry kEntries[] = {
#define X(id, name, status, code) {name, status, Code::code},
    MEESH_OBJECT_REASONS(X)
#undef X
};

const Entry& entry(Reason reason) { return kEntries[static_cast<size_t>(reason)]; }

}  // namespace

std::string_view reason_name(Reason reason) { return entry(reason).name; }
int reason_status(Reason reason) { return entry(reason).status; }
Code reason_code(Reason reason) { return entry(reason).code; }

}  // namespace meesh::objects
