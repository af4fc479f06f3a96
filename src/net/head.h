// The head of a request or response: strict framing of its bytes first, then its fields. Whatever
// two HTTP programs could understand differently (and so be smuggled past one of them) is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"

namespace meesh::net {

/// Why a message is refused and with which status.
struct Problem {
  int status = 400;
  std::string text;
};

/// Finds the end of a head while it arrives: lines end in CR LF, no other control character but
/// tab, no folded line. Empty lines before the first line (at most two) are skipped.
class HeadScanner {
 public:
  enum class State { kMore, kDone, kBad };
  /// `data` begins with the head and is what the last call got, or more. `limit` in bytes.
  State scan(std::string_view data, size_t limit);
  /// kDone: where the head begins and how long it is, the empty line included.
  size_t start() const { return start_; }
  size_t end() const { return position_; }
  /// kBad.
  const Problem& problem() const { return problem_; }

 private:
  State bad(int status, std::string text);

  size_t start_ = 0, position_ = 0, line_start_ = 0;
  bool after_cr_ = false, in_fields_ = false;
  Problem problem_;
};

struct RequestHead {
  std::string method, target;
  std::string raw_path;  // path part of target, not decoded; "*" for OPTIONS *
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  int version = 11;  // 10 or 11
  Headers headers;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// `head` as HeadScanner found it. Nothing if all is well.
std::optional<Problem> parse_request_head(std::string_view head, RequestHead& out);

struct ResponseHead {
  int status = 0;
  int version = 11;
  Headers headers;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
};

std::optional<Problem> parse_response_head(std::string_view head, ResponseHead& out);

bool is_token(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// One of the comma-separated values of the field's lines is `token`.
bool has_token(const Headers& headers, std::string_view name, std::string_view token);

}  // namespace meesh::net
