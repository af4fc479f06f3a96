// The only file that knows Boost.Beast: its parser reads the start line and the fields.
#include "net/head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>

namespace meesh::net {
namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

// Collects the start line and fields; bodies are not its business (skip() is set).
template <bool kRequest>
class FieldParser final : public http::basic_parser<kRequest> {
 public:
  explicit FieldParser(Headers& headers) : headers_(headers) {
    this->header_limit(UINT32_MAX);
    this->body_limit(boost::none);
    this->skip(true);
    this->eager(false);
  }

  std::string method, target;
  int version = 11;
  int status = 0;

 private:
  void on_request_impl(http::verb, BeastView method_text, BeastView target_text, int http_version,
                       ErrorCode&) override {
    method = view(method_text);
    target = view(target_text);
    version = http_version;
  }
  void on_response_impl(int code, BeastView, int http_version, ErrorCode&) override {
    status = code;
    version = http_version;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, ErrorCode&) override {
    headers_.add(std::string(view(name)), std::string(view(value)));
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(BeastView body, ErrorCode&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, ErrorCode&) override {
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  Headers& headers_;
};

template <bool kRequest>
std::optional<Problem> parse_fields(FieldParser<kRequest>& parser, std::string_view head) {
  ErrorCode error;
  size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return Problem{400, "malformed HTTP head: " + error.message()};
  if (used != head.size() || !parser.is_header_done()) return Problem{400, "malformed HTTP head"};
  return std::nullopt;
}

// The HTTP version at the end of the request line, judged before the rest of it.
std::optional<Problem> check_version(std::string_view line) {
  size_t space = line.rfind(' ');
  std::string_view version = space == std::string_view::npos ? "" : line.substr(space + 1);
  bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                     version[5] >= '0' && version[5] <= '9' && version[7] >= '0' &&
                     version[7] <= '9';
  if (!well_formed) return Problem{400, "malformed request line"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Problem{505, std::string(version) + " is not spoken here, HTTP/1.1 is"};
  }
  return std::nullopt;
}

// Content-Length and Transfer-Encoding: one way to say the length, or none.
template <typename Head>
std::optional<Problem> read_framing(Head& head) {
  auto lengths = head.headers.all("Content-Length");
  auto codings = head.headers.all("Transfer-Encoding");
  if (!lengths.empty() && !codings.empty()) {
    return Problem{400, "both Content-Length and Transfer-Encoding"};
  }
  if (lengths.size() > 1) return Problem{400, "more than one Content-Length"};
  if (codings.size() > 1) return Problem{400, "more than one Transfer-Encoding"};
  if (!lengths.empty()) {
    std::string_view text = lengths[0];
    uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool digits = !text.empty() && text[0] >= '0' && text[0] <= '9';
    if (!digits || error != std::errc() || end != text.data() + text.size() ||
        value > static_cast<uint64_t>(INT64_MAX)) {
      return Problem{400, "malformed Content-Length"};
    }
    head.content_length = value;
  }
  if (!codings.empty()) {
    if (head.version == 10) return Problem{400, "Transfer-Encoding in HTTP/1.0"};
    if (!equals_ignoring_case(codings[0], "chunked")) {
      return Problem{400, "a Transfer-Encoding other than chunked"};
    }
    head.chunked = true;
  }
  return std::nullopt;
}

template <typename Head>
void read_keep_alive(Head& head) {
  head.keep_alive = head.version == 11 ? !has_token(head.headers, "Connection", "close")
                                       : has_token(head.headers, "Connection", "keep-alive") &&
                                             !has_token(head.headers, "Connection", "close");
}

// target → raw_path and query; an absolute target also names the host.
std::optional<Problem> split_target(RequestHead& head) {
  std::string_view target = head.target;
  if (target == "*") {
    if (head.method != "OPTIONS") return Problem{400, "malformed request target"};
    head.raw_path = head.path = "*";
    return std::nullopt;
  }
  if (head.method == "CONNECT") return Problem{501, "CONNECT is not supported"};
  if (target[0] != '/') {
    size_t scheme = target.find("://");
    if (scheme == std::string_view::npos ||
        !(equals_ignoring_case(target.substr(0, scheme), "http") ||
          equals_ignoring_case(target.substr(0, scheme), "https"))) {
      return Problem{400, "malformed request target"};
    }
    std::string_view rest = target.substr(scheme + 3);
    size_t end = std::min(rest.find_first_of("/?"), rest.size());
    std::string_view authority = rest.substr(0, end);
    if (authority.empty() || authority.find('@') != std::string_view::npos) {
      return Problem{400, "malformed request target"};
    }
    head.headers.set("Host", std::string(authority));
    std::string origin(rest.substr(end));
    if (origin.empty() || origin[0] != '/') origin.insert(0, "/");
    head.target = origin;
    target = head.target;
  }
  if (target.find('#') != std::string_view::npos) return Problem{400, "malformed request target"};
  size_t mark = std::min(target.find('?'), target.size());
  head.raw_path = target.substr(0, mark);
  auto path = percent_decode(head.raw_path, false);
  auto query = parse_query(target.substr(std::min(mark + 1, target.size())));
  if (!path || !query || path->find('\0') != std::string::npos) {
    return Problem{400, "malformed percent-encoding in the request target"};
  }
  head.path = std::move(*path);
  head.query = std::move(*query);
  return std::nullopt;
}

}  // namespace

HeadScanner::State HeadScanner::bad(int status, std::string text) {
  problem_ = {status, std::move(text)};
  return State::kBad;
}

HeadScanner::State HeadScanner::scan(std::string_view data, size_t limit) {
  while (position_ < data.size()) {
    if (position_ - start_ >= limit) {
      return in_fields_ ? bad(431, "the request's header fields are too large")
                        : bad(414, "the request line is too long");
    }
    auto c = static_cast<unsigned char>(data[position_]);
    if (after_cr_ && c != '\n') return bad(400, "a carriage return without line feed");
    if (c == '\r') {
      after_cr_ = true;
    } else if (c == '\n') {
      if (!after_cr_) return bad(400, "a line feed without carriage return");
      after_cr_ = false;
      bool empty = position_ - 1 == line_start_;
      ++position_;
      line_start_ = position_;
      if (!empty) {
        in_fields_ = true;
      } else if (in_fields_) {
        return State::kDone;
      } else if (position_ > 4) {
        return bad(400, "empty lines before the request line");
      } else {
        start_ = position_;
      }
      continue;
    } else if ((c < 0x20 && c != '\t') || c == 0x7F) {
      return bad(400, "a control character in the head");
    } else if ((c == ' ' || c == '\t') && position_ == line_start_) {
      return bad(400, in_fields_ ? "a folded header line" : "malformed request line");
    }
    ++position_;
  }
  return State::kMore;
}

std::optional<Problem> parse_request_head(std::string_view head, RequestHead& out) {
  if (auto problem = check_version(head.substr(0, head.find('\r')))) return problem;
  FieldParser<true> parser(out.headers);
  if (auto problem = parse_fields(parser, head)) return problem;
  out.method = std::move(parser.method);
  out.target = std::move(parser.target);
  out.version = parser.version;
  size_t hosts = out.headers.all("Host").size();
  if (hosts > 1 || (hosts == 0 && out.version == 11)) {
    return Problem{400, hosts == 0 ? "no Host header" : "more than one Host header"};
  }
  if (auto problem = read_framing(out)) return problem;
  read_keep_alive(out);
  if (auto expect = out.headers.get("Expect"); expect && out.version == 11) {
    if (!equals_ignoring_case(*expect, "100-continue")) {
      return Problem{417, "only Expect: 100-continue is supported"};
    }
    out.expects_continue = out.chunked || out.content_length.value_or(0) > 0;
  }
  return split_target(out);
}

std::optional<Problem> parse_response_head(std::string_view head, ResponseHead& out) {
  FieldParser<false> parser(out.headers);
  if (auto problem = parse_fields(parser, head)) return problem;
  out.status = parser.status;
  out.version = parser.version;
  if (out.status < 100 || out.status > 599) return Problem{400, "a status that is none"};
  if (auto problem = read_framing(out)) return problem;
  read_keep_alive(out);
  return std::nullopt;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(const Headers& headers, std::string_view name, std::string_view token) {
  for (std::string_view line : headers.all(name)) {
    while (!line.empty()) {
      size_t end = std::min(line.find(','), line.size());
      std::string_view item = line.substr(0, end);
      while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
      while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
      if (equals_ignoring_case(item, token)) return true;
      line.remove_prefix(std::min(end + 1, line.size()));
    }
  }
  return false;
}

}  // namespace meesh::net
