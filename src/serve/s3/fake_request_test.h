// Requests as the server would give them, for tests and fuzzing.
#pragma once

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "net/http.h"

namespace meesh::serve::s3 {

class FakeRequest final : public net::Request {
 public:
  /// Throws HttpError 400 for a target the server would not take. `piece`: most bytes a read gives.
  FakeRequest(std::string how, std::string where, std::string bytes = "", size_t piece = SIZE_MAX)
      : bytes_(std::move(bytes)), piece_(piece) {
    method = std::move(how);
    target = std::move(where);
    size_t mark = std::min(target.find('?'), target.size());
    auto decoded = net::percent_decode(std::string_view(target).substr(0, mark), false);
    auto parameters =
        net::parse_query(std::string_view(target).substr(std::min(mark + 1, target.size())));
    if (!decoded || !parameters || !target.starts_with('/')) {
      throw net::HttpError(400, "malformed target");
    }
    path = *decoded;
    query = *parameters;
    content_length = bytes_.size();
  }

  size_t read(char* buffer, size_t size) override {
    size_t count = std::min({size, piece_, bytes_.size() - at_});
    std::memcpy(buffer, bytes_.data() + at_, count);
    at_ += count;
    if (count == 0 && size > 0 && cut_short) throw net::HttpError(cut_short, "cut short");
    return count;
  }
  bool client_gone() override { return false; }
  size_t bytes_read() const { return at_; }

  int cut_short = 0;  // status of the error at the end, 0 = a proper end

 private:
  std::string bytes_;
  size_t piece_, at_ = 0;
};

}  // namespace meesh::serve::s3
