// For fuzzing: a connection whose other side is a string.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "net/stream.h"

namespace meesh::net {

/// Gives `input` in pieces whose sizes its own bytes choose, then the end; keeps what is written.
class MemoryStream final : public Stream {
 public:
  explicit MemoryStream(std::string_view input, size_t piece) : input_(input), piece_(piece) {}

  Io read(char* data, size_t size, Deadline, size_t& got) override {
    if (input_.empty()) return Io::kEof;
    got = std::min({size, piece_, input_.size()});
    std::memcpy(data, input_.data(), got);
    input_.remove_prefix(got);
    return Io::kOk;
  }
  Io write(std::string_view first, std::string_view second, std::chrono::milliseconds) override {
    written_.append(first).append(second);
    return Io::kOk;
  }
  void end_writing() override {}
  bool peer_gone() override { return input_.empty(); }
  void cut() override { input_ = {}; }
  const std::string& written() const { return written_; }

 private:
  std::string_view input_;
  size_t piece_;
  std::string written_;
};

}  // namespace meesh::net
