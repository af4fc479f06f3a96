// JSON text under construction: one growing buffer that encoders append to without intermediate
// strings. Only what the protocol needs: it does not check nesting.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace meesh::serve::trino {

class JsonText {
 public:
  JsonText() = default;
  explicit JsonText(size_t capacity) { grow(capacity); }

  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }
  std::string str() const { return std::string(view()); }

  /// Room for `n` more bytes; write at most that many at the returned place, then commit(end).
  char* reserve(size_t n) {
    if (capacity_ - size_ < n) grow(size_ + n);
    return data_.get() + size_;
  }
  void commit(const char* end) { size_ = static_cast<size_t>(end - data_.get()); }

  void raw(char c) {
    *reserve(1) = c;
    ++size_;
  }
  void raw(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(reserve(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  /// Drops the last byte if it is `c` (the comma after a last element).
  void drop_last(char c) {
    if (size_ > 0 && data_[size_ - 1] == c) --size_;
  }

  /// Quoted and escaped. Bytes that are not UTF-8 become U+FFFD, one for each byte.
  void string(std::string_view text);
  /// The escaped text without the quotes.
  void string_body(std::string_view text);
  void base64_body(std::string_view bytes);
  void integer(int64_t value);
  void unsigned_integer(uint64_t value);
  /// Shortest text that reads back the same and always carries '.' or an exponent; not-a-number and
  /// the infinities as Trino's strings. `quoted` puts all of them in quotes.
  void real(float value, bool quoted = false);
  void real(double value, bool quoted = false);
  void boolean(bool value) { raw(value ? std::string_view("true") : std::string_view("false")); }

  /// `"name":` for object members; name must need no escaping.
  void key(std::string_view name) {
    raw('"');
    raw(name);
    raw("\":");
  }
  void member(std::string_view name, std::string_view value) {
    key(name);
    string(value);
    raw(',');
  }
  void member(std::string_view name, const char* value) { member(name, std::string_view(value)); }
  void member(std::string_view name, int64_t value) {
    key(name);
    integer(value);
    raw(',');
  }
  void member(std::string_view name, uint64_t value) {
    key(name);
    unsigned_integer(value);
    raw(',');
  }
  void member(std::string_view name, int value) { member(name, static_cast<int64_t>(value)); }
  void member(std::string_view name, bool value) {
    key(name);
    boolean(value);
    raw(',');
  }
  void member(std::string_view name, double value) {
    key(name);
    real(value);
    raw(',');
  }
  /// Ends an object or array whose members each left a comma.
  void close(char bracket) {
    drop_last(',');
    raw(bracket);
  }

 private:
  void grow(size_t needed);

  std::unique_ptr<char[]> data_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace meesh::serve::trino
