#include "base/uuid.h"

#include <boost/uuid/uuid_generators.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cstring>

namespace meesh::base {
namespace {

boost::uuids::uuid draw() {
  thread_local boost::uuids::random_generator_pure generator;
  return generator();
}

}  // namespace

std::string random_uuid() { return boost::uuids::to_string(draw()); }

int64_t random_id() {
  while (true) {
    const boost::uuids::uuid bits = draw();
    // Two halves, so that the bits that tell the version do not show.
    uint64_t high = 0, low = 0;
    std::memcpy(&high, bits.data, 8);
    std::memcpy(&low, bits.data + 8, 8);
    const auto id = static_cast<int64_t>((high ^ (low << 1)) & INT64_MAX);
    if (id != 0) return id;
  }
}

}  // namespace meesh::base
