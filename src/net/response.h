// The response of a connection: buffered until it must go out, then with a length, in chunks, or up
// to the end of the connection; packed if the client takes that.
#pragma once

#include <string>

#include "net/coding.h"
#include "net/head.h"
#include "net/stream.h"

namespace meesh::net {

class StreamResponse final : public Response {
 public:
  struct Options {
    bool head_only = false;             // to HEAD
    int version = 11;                   // of the request
    bool keep_alive = true;             // as the request asks
    Coding coding = Coding::kIdentity;  // the best the client takes
    std::chrono::milliseconds stall{60000};
    std::string request_id;
  };
  StreamResponse(Stream& stream, Options options) : stream_(stream), options_(std::move(options)) {}

  void write(std::string_view data) override;
  void flush() override;
  void send_file(int fd, uint64_t offset, uint64_t size) override;

  /// Ends the answer. Throws like write().
  void finish();
  /// Nothing has been sent: the answer can still become another.
  bool pristine() const { return !head_sent_; }
  /// Forgets what was written; only while pristine().
  void reset();
  /// The answer says (or, not sent yet, will say) that the connection is closed.
  void close_after() { options_.keep_alive = false; }
  /// The connection can carry another answer.
  bool reusable() const { return finished_ && !broken_ && options_.keep_alive; }
  bool broken() const { return broken_; }
  bool unfinished() const { return !finished_; }
  uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class Framing { kNone, kLength, kChunked, kUntilEnd };

  void send_head(std::string_view rest, bool last);
  bool packable(std::string_view rest, bool last) const;
  std::string compose_head(std::optional<uint64_t> length) const;
  [[noreturn]] void too_long();
  void body(std::string_view data);
  void encoded(std::string_view data);
  void frame(std::string_view data);
  void send(std::string_view data = {});
  void check(Io io);

  Stream& stream_;
  Options options_;
  Framing framing_ = Framing::kNone;
  EncoderLease encoder_;
  bool head_sent_ = false, finished_ = false, broken_ = false, varies_ = false;
  std::optional<uint64_t> promised_;  // the handler's Content-Length, known with the head
  uint64_t written_ = 0;              // by the handler
  uint64_t body_bytes_ = 0;           // after packing
  std::string body_;                  // not framed yet
  std::string out_;                   // framed, not sent yet
};

}  // namespace meesh::net
