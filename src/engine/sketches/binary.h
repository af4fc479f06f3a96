// The bytes of a sketch: numbers in little endian, one after the other.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace meesh::engine {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

/// Takes numbers from the front; too few bytes are an error that names the sketch.
class SketchReader {
 public:
  SketchReader(std::string_view bytes, const char* sketch) : bytes_(bytes), sketch_(sketch) {}

  template <class T>
  T read() {
    if (bytes_.size() < sizeof(T)) refuse();
    T out;
    std::memcpy(&out, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return out;
  }
  std::string_view take(size_t size) {
    if (bytes_.size() < size) refuse();
    const auto out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  size_t left() const { return bytes_.size(); }
  [[noreturn]] void refuse() const {
    throw Error(Code::kGenericInternalError, std::string("Cannot deserialize ") + sketch_);
  }

 private:
  std::string_view bytes_;
  const char* sketch_;
};

template <class T>
void append_number(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

}  // namespace meesh::engine
