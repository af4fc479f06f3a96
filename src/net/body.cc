#include "net/body.h"

#include "net/http.h"

namespace meesh::net {
namespace {

constexpr size_t kMaxExtension = 1024;
constexpr size_t kMaxTrailer = 16 << 10;

[[noreturn]] void malformed(const char* what) {
  throw HttpError(400, std::string("malformed chunked body: ") + what);
}

bool control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

}  // namespace

BodyReader::BodyReader(Input& input, Framing framing, uint64_t length, Limits limits)
    : input_(input), limits_(limits), framing_(framing), state_(State::kData), left_(length) {
  if (framing == Framing::kNone || (framing == Framing::kLength && length == 0)) {
    state_ = State::kDone;
  } else if (framing == Framing::kChunked) {
    state_ = State::kSize;
  } else if (framing == Framing::kUntilEnd) {
    left_ = UINT64_MAX;
  }
  if (framing == Framing::kLength && length > limits_.bytes) {
    throw HttpError(
        413, "the body is larger than the allowed " + std::to_string(limits_.bytes) + " bytes");
  }
}

Deadline BodyReader::deadline(bool wait) const {
  if (!wait) return kNow;
  Clock::duration at_most = limits_.stall;
  if (limits_.bytes_per_second > 0) {
    auto whole = limits_.stall + std::chrono::seconds(total_ / limits_.bytes_per_second);
    at_most = std::min<Clock::duration>(at_most, whole - waited_);
  }
  return Clock::now() + at_most;
}

void BodyReader::check(Io io) const {
  switch (io) {
    case Io::kOk:
      return;
    case Io::kTimeout:
      throw HttpError(408, "the body did not arrive in time");
    case Io::kEof:
      throw HttpError(400, "the connection ended inside the body");
    case Io::kError:
      throw HttpError(400, "the connection failed inside the body");
  }
}

bool BodyReader::fill(bool wait) {
  auto start = Clock::now();
  Io io = input_.fill(deadline(wait));
  waited_ += Clock::now() - start;
  if (io == Io::kTimeout && !wait) return false;
  check(io);
  return true;
}

size_t BodyReader::read(char* data, size_t size, bool wait) {
  if (size == 0) return 0;
  while (state_ != State::kDone) {
    if (state_ == State::kData) {
      return read_data(data, size, wait);
    }
    if (!read_framing(wait)) return 0;
  }
  return 0;
}

size_t BodyReader::read_data(char* data, size_t size, bool wait) {
  size_t got = 0;
  bool buffered = !input_.buffered().empty();
  auto start = buffered ? Clock::time_point() : Clock::now();
  Io io =
      input_.read(data, static_cast<size_t>(std::min<uint64_t>(size, left_)), deadline(wait), got);
  if (!buffered) waited_ += Clock::now() - start;
  if (io == Io::kTimeout && !wait) return 0;
  if (io == Io::kEof && framing_ == Framing::kUntilEnd) {
    state_ = State::kDone;
    return 0;
  }
  check(io);
  total_ += got;
  if (framing_ == Framing::kUntilEnd) {
    if (total_ > limits_.bytes) throw HttpError(413, "the body is too large");
    return got;
  }
  left_ -= got;
  if (left_ == 0) {
    state_ = framing_ == Framing::kChunked ? State::kDataEnd : State::kDone;
    // The end of the chunk, and of the body, is read along if it is there: done() is then true
    // without another read.
    while (framing_ == Framing::kChunked && state_ != State::kDone && state_ != State::kData &&
           !input_.buffered().empty()) {
      char c = input_.buffered()[0];
      input_.consume(1);
      take_framing(c);
    }
  }
  return got;
}

// Reads chunk framing until data or the end; false when that needs a wait that is not allowed.
bool BodyReader::read_framing(bool wait) {
  while (state_ != State::kData && state_ != State::kDone) {
    if (input_.buffered().empty() && !fill(wait)) return false;
    char c = input_.buffered()[0];
    input_.consume(1);
    take_framing(c);
  }
  return true;
}

void BodyReader::take_framing(char c) {
  if (after_cr_ && c != '\n') malformed("a carriage return without line feed");
  switch (state_) {
    case State::kSize: {
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit >= 0) {
        if (++digits_ > 16 || (chunk_size_ >> 59) != 0) malformed("a chunk size that overflows");
        chunk_size_ = chunk_size_ * 16 + static_cast<uint64_t>(digit);
        return;
      }
      if (digits_ == 0) malformed("no chunk size");
      if (c == '\r') {
        state_ = State::kSizeEnd;
      } else if (c == ';') {
        state_ = State::kExtension;
      } else {
        malformed("a chunk size that is no hexadecimal number");
      }
      return;
    }
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeEnd;
      } else if (control(c)) {
        malformed("a control character in a chunk extension");
      } else if (++line_ > kMaxExtension) {
        malformed("a chunk extension that is too long");
      }
      return;
    case State::kSizeEnd:
      if (c != '\n') malformed("a carriage return without line feed");
      begin_chunk();
      return;
    case State::kDataEnd:
      if (!after_cr_) {
        if (c != '\r') malformed("more data than the chunk size says");
        after_cr_ = true;
        return;
      }
      after_cr_ = false;
      state_ = State::kSize;
      return;
    case State::kTrailer:
      if (++trailer_ > kMaxTrailer) malformed("a trailer that is too large");
      if (c == '\r') {
        after_cr_ = true;
      } else if (c == '\n') {
        if (!after_cr_) malformed("a line feed without carriage return");
        after_cr_ = false;
        if (line_ == 0) state_ = State::kDone;
        line_ = 0;
      } else if (control(c) || (line_ == 0 && (c == ' ' || c == '\t'))) {
        malformed("a trailer that is no header field");
      } else {
        ++line_;
      }
      return;
    case State::kData:
    case State::kDone:
      return;
  }
}

void BodyReader::begin_chunk() {
  if (chunk_size_ > limits_.bytes - std::min(total_, limits_.bytes)) {
    throw HttpError(
        413, "the body is larger than the allowed " + std::to_string(limits_.bytes) + " bytes");
  }
  left_ = chunk_size_;
  state_ = chunk_size_ == 0 ? State::kTrailer : State::kData;
  chunk_size_ = 0;
  digits_ = line_ = 0;
}

}  // namespace meesh::net
