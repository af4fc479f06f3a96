#include "serve/s3/chunked_body.h"

#include <array>
#include <cstring>

#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

using objects::ChecksumKind;
using objects::Reason;

constexpr size_t kMaxLine = 256;
constexpr size_t kMaxTrailer = 8 << 10;
constexpr std::string_view kExtension = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

[[noreturn]] void malformed(const std::string& what) {
  throw S3Error(Reason::kInvalidRequest, "The aws-chunked body is malformed: " + what + ".");
}

[[noreturn]] void malformed_trailer(const std::string& what) {
  throw S3Error("MalformedTrailerError", 400,
                "The request contained trailing data that was not well-formed or did not conform "
                "to our published schema: " +
                    what + ".");
}

[[noreturn]] void incomplete(const char* what) { throw S3Error(Reason::kIncompleteBody, what); }

[[noreturn]] void wrong_signature(const char* of) {
  throw S3Error("SignatureDoesNotMatch", 403,
                std::string("The ") + of +
                    " signature we calculated does not match the signature you provided. Check "
                    "your key and signing method.");
}

std::optional<uint64_t> parse_hex(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

class ChunkedBody final : public Body {
 public:
  ChunkedBody(ByteSource source, ChunkedOptions options)
      : source_(std::move(source)),
        options_(std::move(options)),
        left_of_body_(options_.length),
        held_([this](char* buffer, size_t size) { return read_checked(buffer, size); }) {
    if (options_.signing) previous_ = options_.signing->seed;
  }
  size_t read(char* buffer, size_t size) override { return held_.read(buffer, size); }
  std::optional<uint64_t> length() const override { return options_.length; }
  const objects::Checksums& trailers() const override { return trailers_; }

 private:
  size_t read_checked(char* buffer, size_t size);
  void begin_chunk();
  void end_chunk();
  void finish();
  void read_trailer();
  void check_trailer_signature(std::vector<std::string> lines, const std::string& signature) const;
  void take_trailer(const std::string& name, std::string value);

  bool fill();
  char take();
  size_t take_some(char* buffer, size_t size);
  std::string take_line();
  void take_line_end();

  ByteSource source_;
  ChunkedOptions options_;
  std::array<char, 4096> buffer_;
  size_t begin_ = 0, end_ = 0;

  uint64_t left_of_body_, left_of_chunk_ = 0;
  std::string signature_, previous_;  // the chunk's as told, and the one before
  net::Sha256 hash_;
  bool done_ = false;
  objects::Checksums trailers_;
  HeldBack held_;
};

bool ChunkedBody::fill() {
  begin_ = 0;
  end_ = source_(buffer_.data(), buffer_.size());
  return end_ > 0;
}

char ChunkedBody::take() {
  if (begin_ == end_ && !fill()) incomplete("The request body terminated unexpectedly.");
  return buffer_[begin_++];
}

// Content goes straight to the reader, but for what came along with a chunk's head.
size_t ChunkedBody::take_some(char* buffer, size_t size) {
  if (begin_ < end_) {
    size_t count = std::min(size, end_ - begin_);
    std::memcpy(buffer, buffer_.data() + begin_, count);
    begin_ += count;
    return count;
  }
  size_t got = source_(buffer, size);
  if (got == 0) incomplete("The request body terminated unexpectedly.");
  return got;
}

std::string ChunkedBody::take_line() {
  std::string line;
  for (;;) {
    char c = take();
    if (c == '\r') {
      if (take() != '\n') malformed("a carriage return without line feed");
      return line;
    }
    if (c == '\n') malformed("a line feed without carriage return");
    if (line.size() == kMaxLine) malformed("a chunk's head is too long");
    line += c;
  }
}

void ChunkedBody::take_line_end() {
  if (take() != '\r' || take() != '\n') malformed("a chunk is longer than its size");
}

void ChunkedBody::begin_chunk() {
  std::string line = take_line();
  std::string_view head = line;
  if (options_.signing) {
    size_t at = head.find(kExtension);
    if (at == std::string_view::npos) malformed("a chunk without signature");
    signature_ = head.substr(at + kExtension.size());
    head = head.substr(0, at);
  }
  auto size = parse_hex(head);
  if (!size) malformed("a chunk's size is no hexadecimal number");
  if (*size > left_of_body_) malformed("more data than x-amz-decoded-content-length says");
  left_of_chunk_ = *size;
  left_of_body_ -= *size;
}

void ChunkedBody::end_chunk() {
  if (!options_.signing) return;
  const ChunkSigning& s = *options_.signing;
  std::string right = net::chunk_signature(s.key, s.timestamp, s.scope, previous_, hash_.hex());
  if (!net::equal_in_constant_time(right, signature_)) wrong_signature("chunk");
  previous_ = std::move(right);
}

size_t ChunkedBody::read_checked(char* buffer, size_t size) {
  if (done_) return 0;
  if (left_of_chunk_ == 0) {
    begin_chunk();
    if (left_of_chunk_ == 0) {
      finish();
      return 0;
    }
  }
  size_t got = take_some(buffer, static_cast<size_t>(std::min<uint64_t>(size, left_of_chunk_)));
  if (options_.signing) hash_.update({buffer, got});
  left_of_chunk_ -= got;
  if (left_of_chunk_ == 0) {
    take_line_end();
    end_chunk();
  }
  return got;
}

void ChunkedBody::finish() {
  end_chunk();
  if (left_of_body_ > 0) {
    incomplete(
        "You did not provide the number of bytes specified by x-amz-decoded-content-length.");
  }
  if (options_.trailer) {
    read_trailer();
  } else {
    take_line_end();
    if (begin_ < end_ || fill()) malformed("there are bytes behind its end");
  }
  done_ = true;
}

void ChunkedBody::read_trailer() {
  std::string text;
  do {
    text.append(buffer_.data() + begin_, end_ - begin_);
    if (text.size() > kMaxTrailer) malformed_trailer("it is too long");
  } while (fill());
  std::vector<std::string> lines;
  std::optional<std::string> signature;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) malformed_trailer("a line is no field");
    std::string name = lower(line.substr(0, colon));
    std::string value = net::canonical_value(line.substr(colon + 1));
    if (signature) malformed_trailer("there is a field behind its signature");
    if (name == kTrailerSignature) {
      signature = std::move(value);
    } else {
      lines.push_back(name + ":" + value + "\n");
      take_trailer(name, std::move(value));
    }
  }
  if (options_.signing) {
    if (!signature) malformed_trailer("it is not signed");
    check_trailer_signature(std::move(lines), *signature);
  } else if (signature) {
    malformed_trailer("it is signed, but the chunks are not");
  }
  if (trailers_.size() != options_.announced.size()) {
    malformed_trailer("a field that x-amz-trailer announced is missing");
  }
}

void ChunkedBody::take_trailer(const std::string& name, std::string value) {
  auto kind = objects::checksum_kind_of_header(name);
  const auto& announced = options_.announced;
  if (!kind || std::find(announced.begin(), announced.end(), *kind) == announced.end()) {
    malformed_trailer("x-amz-trailer did not announce a field that is there");
  }
  if (!trailers_.emplace(*kind, std::move(value)).second) malformed_trailer("a field comes twice");
}

void ChunkedBody::check_trailer_signature(std::vector<std::string> lines,
                                          const std::string& signature) const {
  std::sort(lines.begin(), lines.end());
  net::Sha256 hash;
  for (const std::string& line : lines) hash.update(line);
  const ChunkSigning& s = *options_.signing;
  std::string right = net::trailer_signature(s.key, s.timestamp, s.scope, previous_, hash.hex());
  if (!net::equal_in_constant_time(right, signature)) wrong_signature("trailer");
}

}  // namespace

std::unique_ptr<Body> chunked_body(ByteSource source, ChunkedOptions options) {
  return std::make_unique<ChunkedBody>(std::move(source), std::move(options));
}

}  // namespace meesh::serve::s3
