#include "net/response.h"

#include <charconv>
#include <ctime>

namespace meesh::net {
namespace {

constexpr size_t kBuffer = 16 << 10;
constexpr size_t kWorthPacking = 1 << 10;

// "Date" for this second, made once a second and thread.
const std::string& date_line() {
  thread_local std::time_t made = 0;
  thread_local std::string line;
  std::time_t now = std::time(nullptr);
  if (now != made) {
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    gmtime_r(&now, &t);
    line =
        fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", kDays[t.tm_wday], t.tm_mday,
                    kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    made = now;
  }
  return line;
}

bool packable_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  return type.starts_with("text/") || type == "application/json" || type.ends_with("+json") ||
         type == "application/javascript" || type == "application/xml" || type.ends_with("+xml") ||
         type == "application/x-ndjson";
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool bodiless(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

void StreamResponse::write(std::string_view data) {
  if (finished_) internal_error("a write after the end of the response");
  if (broken_) throw Error(Code::kIoError, "the client has closed the connection");
  written_ += data.size();
  if (head_sent_) {
    if (promised_ && written_ > *promised_) too_long();
    body(data);
    return;
  }
  if (body_.size() + data.size() <= kBuffer) {
    body_ += data;
    return;
  }
  auto declared = headers.get("Content-Length");
  send_head(data, declared && number(*declared) == body_.size() + data.size());
}

void StreamResponse::flush() {
  if (broken_) throw Error(Code::kIoError, "the client has closed the connection");
  if (finished_) return;
  if (!head_sent_) send_head({}, false);
  if (encoder_) {
    std::string packed;
    encoder_->flush(packed);
    encoded(packed);
  }
  frame(std::exchange(body_, {}));
  send();
}

void StreamResponse::send_file(int fd, uint64_t offset, uint64_t size) {
  if (finished_) internal_error("a write after the end of the response");
  if (broken_) throw Error(Code::kIoError, "the client has closed the connection");
  if (!head_sent_ && headers.get("Content-Length")) send_head({}, false);
  if (framing_ != Framing::kLength || encoder_ || options_.head_only) {
    Response::send_file(fd, offset, size);
    return;
  }
  if (promised_ && written_ + size > *promised_) too_long();
  std::string first = out_ + body_;
  Io io = Io::kOk;
  if (!stream_.send_file(first, fd, offset, size, options_.stall, io)) {
    Response::send_file(fd, offset, size);
    return;
  }
  out_.clear();
  body_.clear();
  written_ += size;
  body_bytes_ += size;
  check(io);
}

void StreamResponse::finish() {
  if (finished_ || broken_) return;
  if (!head_sent_) send_head({}, true);
  if (promised_ && *promised_ != written_ && framing_ != Framing::kNone && !options_.head_only) {
    broken_ = true;  // the handler promised more: the client must see that it is cut short
    frame(std::exchange(body_, {}));
    send();
    return;
  }
  if (encoder_) {
    std::string packed;
    encoder_->finish(packed);
    encoder_ = EncoderLease();
    encoded(packed);
  }
  frame(std::exchange(body_, {}));
  if (framing_ == Framing::kChunked && !options_.head_only) out_ += "0\r\n\r\n";
  send();
  finished_ = true;
}

void StreamResponse::too_long() {
  broken_ = true;
  internal_error("the response is longer than its Content-Length");
}

void StreamResponse::reset() {
  status = 200;
  headers = Headers();
  framing_ = Framing::kNone;
  encoder_ = EncoderLease();
  varies_ = false;
  promised_.reset();
  written_ = body_bytes_ = 0;
  body_.clear();
  out_.clear();
}

bool StreamResponse::packable(std::string_view rest, bool last) const {
  if (status == 206 || headers.get("Content-Encoding") || headers.get("Content-Range")) {
    return false;
  }
  if (last && body_.size() + rest.size() < kWorthPacking) return false;
  if (has_token(headers, "Cache-Control", "no-transform")) return false;
  return packable_type(headers.get("Content-Type").value_or(""));
}

// Decides how the body goes and sends or buffers what there is of it: body_ and then `rest`.
void StreamResponse::send_head(std::string_view rest, bool last) {
  if (auto declared = headers.get("Content-Length")) {
    promised_ = number(*declared);
    if (!promised_) internal_error("a malformed Content-Length in the response");
  }
  if (has_token(headers, "Connection", "close")) options_.keep_alive = false;
  uint64_t here = body_.size() + rest.size();
  if (promised_ && !options_.head_only && !bodiless(status)) {
    if (here > *promised_) internal_error("the response is longer than its Content-Length");
    if (here < *promised_) last = false;
  }
  std::optional<uint64_t> length = promised_;
  if (last && !length) length = here;
  std::string packed;
  if (bodiless(status)) {
    framing_ = Framing::kNone;
    length.reset();
  } else if (packable(rest, last)) {
    varies_ = true;
    if (options_.coding != Coding::kIdentity && (last || options_.version == 11)) {
      headers.set("Content-Encoding", std::string(coding_name(options_.coding)));
      encoder_ = EncoderLease(options_.coding);
      if (auto etag = headers.get("ETag"); etag && !etag->starts_with("W/")) {
        headers.set("ETag", "W/" + std::string(*etag));
      }
      length.reset();
      if (last) {
        encoder_->write(body_, packed);
        encoder_->write(rest, packed);
        encoder_->finish(packed);
        encoder_ = EncoderLease();
        body_.clear();
        rest = packed;
        length = packed.size();
      }
    }
  }
  if (length) {
    framing_ = Framing::kLength;
  } else if (!bodiless(status)) {
    framing_ = options_.version == 11 ? Framing::kChunked : Framing::kUntilEnd;
    if (framing_ == Framing::kUntilEnd) options_.keep_alive = false;
  }
  out_ = compose_head(length);
  head_sent_ = true;
  std::string before = std::exchange(body_, {});
  body(before);
  body(rest);
}

std::string StreamResponse::compose_head(std::optional<uint64_t> length) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", status >= 200 && status <= 599 ? status : 500,
                                reason_phrase(status));
  for (const auto& [name, value] : headers.items()) {
    if (equals_ignoring_case(name, "Content-Length") ||
        equals_ignoring_case(name, "Transfer-Encoding") ||
        equals_ignoring_case(name, "Connection")) {
      continue;
    }
    if (!is_token(name) ||
        value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      internal_error("a response header that would break the response: " + name);
    }
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (length) {
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *length);
  } else if (framing_ == Framing::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (varies_) out += "Vary: Accept-Encoding\r\n";
  if (!headers.get("X-Request-Id") && !options_.request_id.empty()) {
    out.append("X-Request-Id: ").append(options_.request_id).append("\r\n");
  }
  if (!headers.get("Date")) out += date_line();
  if (!options_.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options_.version == 10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

void StreamResponse::body(std::string_view data) {
  if (!encoder_) {
    encoded(data);
    return;
  }
  std::string packed;
  encoder_->write(data, packed);
  encoded(packed);
}

void StreamResponse::encoded(std::string_view data) {
  if (data.empty() || options_.head_only || framing_ == Framing::kNone) return;
  body_bytes_ += data.size();
  if (body_.size() + data.size() < kBuffer) {
    body_ += data;
    return;
  }
  frame(std::exchange(body_, {}));
  frame(data);
  if (out_.size() >= kBuffer) send();
}

void StreamResponse::frame(std::string_view data) {
  if (data.empty()) return;
  if (framing_ == Framing::kChunked) {
    fmt::format_to(std::back_inserter(out_), "{:x}\r\n", data.size());
  }
  if (data.size() < kBuffer) {
    out_ += data;
  } else {
    send(data);
  }
  if (framing_ == Framing::kChunked) out_ += "\r\n";
}

// What is framed, then `data`.
void StreamResponse::send(std::string_view data) {
  if (out_.empty() && data.empty()) return;
  std::string first = std::exchange(out_, {});
  check(stream_.write(first, data, options_.stall));
}

void StreamResponse::check(Io io) {
  switch (io) {
    case Io::kOk:
      return;
    case Io::kTimeout:
      broken_ = true;
      throw Error(Code::kIoError, "the client does not take the answer");
    default:
      broken_ = true;
      throw Error(Code::kIoError, "the client has closed the connection");
  }
}

}  // namespace meesh::net
