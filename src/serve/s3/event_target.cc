#include "serve/s3/event_target.h"

#include "base/log.h"

namespace meesh::serve::s3 {

void LossCount::add(std::string_view why) {
  uint64_t now = ++total_;
  if (now % 1000 != 1) return;
  log::warn("events are lost", {{"target", arn_}, {"lost", now}, {"error", std::string(why)}});
}

}  // namespace meesh::serve::s3
