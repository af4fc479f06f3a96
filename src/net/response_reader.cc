#include "net/response_reader.h"

namespace meesh::net {
namespace {

constexpr size_t kMaxHead = 256 << 10;
constexpr int kMaxInterim = 16;  // 1xx answers before the real one

}  // namespace

Io ResponseReader::read_one(ResponseHead& head) {
  HeadScanner scanner;
  for (;;) {
    if (!input_.buffered().empty()) {
      untouched_ = false;
      switch (scanner.scan(input_.buffered(), kMaxHead)) {
        case HeadScanner::State::kMore:
          break;
        case HeadScanner::State::kBad:
          throw Error(Code::kIoError, "the answer is not HTTP: " + scanner.problem().text);
        case HeadScanner::State::kDone: {
          auto problem = parse_response_head(
              input_.buffered().substr(scanner.start(), scanner.end() - scanner.start()), head);
          if (problem) throw Error(Code::kIoError, "the answer is not HTTP: " + problem->text);
          input_.consume(scanner.end());
          return Io::kOk;
        }
      }
    }
    Io io = input_.fill(Clock::now() + stall_);
    if (io != Io::kOk) return io;
  }
}

Io ResponseReader::read_head(ClientResponse& response) {
  for (int i = 0; i < kMaxInterim; ++i) {
    head_ = ResponseHead();
    Io io = read_one(head_);
    if (io != Io::kOk) return io;
    if (head_.status >= 200) {
      response.status = head_.status;
      response.headers = head_.headers;
      return Io::kOk;
    }
    if (head_.status == 101) break;
  }
  throw Error(Code::kIoError, "the answer does not come to an end");
}

void ResponseReader::read_body(ClientResponse& response, bool head_only,
                               const std::function<void(std::string_view)>& sink) {
  using Framing = BodyReader::Framing;
  Framing framing = head_only || response.status == 204 || response.status == 304 ? Framing::kNone
                    : head_.chunked        ? Framing::kChunked
                    : head_.content_length ? Framing::kLength
                                           : Framing::kUntilEnd;
  BodyReader body(input_, framing, head_.content_length.value_or(0), {UINT64_MAX, stall_, 0});
  std::vector<char> piece(64 << 10);
  try {
    while (size_t got = body.read(piece.data(), piece.size())) sink({piece.data(), got});
  } catch (const HttpError& e) {
    if (e.status() == 408) {
      throw Error(Code::kExceededTimeLimit, "the answer's body did not arrive in time");
    }
    throw Error(Code::kIoError, "the answer's body is unusable: " + e.message());
  }
  reusable_ = head_.keep_alive && framing != Framing::kUntilEnd;
}

}  // namespace meesh::net
