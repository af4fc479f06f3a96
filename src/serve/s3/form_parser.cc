#include "serve/s3/form_parser.h"

#include <algorithm>

#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

constexpr size_t kMostBeforeFile = 20000;
constexpr size_t kMostHead = 8 << 10;
constexpr size_t kPiece = 256 << 10;

[[noreturn]] void malformed(const char* why) {
  throw S3Error(
      "MalformedPOSTRequest", 400,
      std::string("The body of your POST request is not well-formed multipart/form-data: ") + why);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "form-data; name=\"a\"; filename=\"b\"" → the value of one parameter; backslashes escape quotes.
bool parameter(std::string_view field, std::string_view wanted, std::string& out) {
  size_t at = field.find(';');
  while (at != std::string_view::npos && at < field.size()) {
    field.remove_prefix(at + 1);
    size_t equals = field.find('=');
    if (equals == std::string_view::npos) return false;
    std::string name = lower(trim(field.substr(0, equals)));
    field = trim(field.substr(equals + 1));
    std::string value;
    size_t end = 0;
    if (field.starts_with('"')) {
      for (end = 1; end < field.size() && field[end] != '"'; ++end) {
        if (field[end] == '\\' && end + 1 < field.size() &&
            (field[end + 1] == '"' || field[end + 1] == '\\')) {
          ++end;
        }
        value += field[end];
      }
      if (end >= field.size()) malformed("an open quote");
    } else {
      end = std::min(field.find(';'), field.size());
      value = trim(field.substr(0, end));
    }
    if (name == wanted) {
      out = std::move(value);
      return true;
    }
    at = field.find(';', end);
  }
  return false;
}

}  // namespace

FormParser::FormParser(std::string_view content_type, Source source) : source_(std::move(source)) {
  std::string boundary;
  if (!parameter(content_type, "boundary", boundary) || boundary.empty() || boundary.size() > 70) {
    malformed("no usable boundary in Content-Type");
  }
  delimiter_ = "\r\n--" + boundary;
  buffer_ = "\r\n";  // the first boundary has no line before it
}

bool FormParser::fill() {
  if (source_ended_) return false;
  buffer_.erase(0, used_);
  used_ = 0;
  size_t size = buffer_.size();
  buffer_.resize(size + kPiece);
  size_t got = source_(buffer_.data() + size, kPiece);
  buffer_.resize(size + got);
  source_ended_ = got == 0;
  return !source_ended_;
}

std::string FormParser::read_until(std::string_view mark, size_t limit) {
  size_t searched = 0;
  for (;;) {
    size_t at = buffer_.find(mark, used_ + searched);
    if (at != std::string::npos) {
      if (at - used_ > limit) break;
      std::string out = buffer_.substr(used_, at - used_);
      used_ = at + mark.size();
      before_file_ += out.size() + mark.size();
      return out;
    }
    size_t here = buffer_.size() - used_;
    if (here > limit + mark.size()) break;
    searched = here < mark.size() ? 0 : here - mark.size() + 1;
    if (!fill()) malformed("it ends too early");
  }
  throw S3Error("MaxPostPreDataLengthExceededError", 400,
                "Your POST request fields preceding the upload file were too large.");
}

bool FormParser::at_end() {
  while (buffer_.size() - used_ < 2) {
    if (!fill()) malformed("it ends too early");
  }
  std::string_view next(buffer_.data() + used_, 2);
  if (next == "--") return true;
  std::string padding = read_until("\r\n", 64);
  if (!trim(padding).empty()) malformed("text behind a boundary");
  return false;
}

FormParser::PartHead FormParser::read_head() {
  PartHead head;
  bool named = false;
  for (;;) {
    std::string line = read_until("\r\n", kMostHead);
    if (line.empty()) break;
    size_t colon = line.find(':');
    if (colon == std::string::npos) malformed("a header without colon");
    std::string name = lower(trim(std::string_view(line).substr(0, colon)));
    std::string_view value = trim(std::string_view(line).substr(colon + 1));
    if (name == "content-disposition") {
      if (!lower(value).starts_with("form-data")) malformed("a part that is no form-data");
      named = parameter(value, "name", head.name);
      parameter(value, "filename", head.file_name);
    } else if (name == "content-type") {
      head.type = value;
    }
    if (before_file_ > kMostBeforeFile + kMostHead) malformed("its headers are too large");
  }
  if (!named) malformed("a part without name");
  head.name = lower(head.name);
  head.is_file = head.name == "file";
  return head;
}

bool FormParser::read_fields() {
  if (!read_until(delimiter_, kMostHead).empty()) malformed("text before the first boundary");
  while (!at_end()) {
    PartHead head = read_head();
    if (head.is_file) {
      file_name_ = std::move(head.file_name);
      file_type_ = std::move(head.type);
      return true;
    }
    std::string value = read_until(delimiter_, kMostBeforeFile);
    if (before_file_ > kMostBeforeFile) {
      throw S3Error("MaxPostPreDataLengthExceededError", 400,
                    "Your POST request fields preceding the upload file were too large.");
    }
    fields_[head.name] = std::move(value);
  }
  return false;
}

std::string_view FormParser::file_piece() {
  if (file_ended_) return {};
  for (;;) {
    size_t at = buffer_.find(delimiter_, used_);
    size_t end = at;
    if (at == std::string::npos) {
      // The delimiter may have begun in the last bytes.
      size_t here = buffer_.size() - used_;
      end = used_ + (here >= delimiter_.size() ? here - delimiter_.size() + 1 : 0);
    }
    if (end > used_) {
      std::string_view piece(buffer_.data() + used_, end - used_);
      used_ = end;
      return piece;
    }
    if (at != std::string::npos) {
      used_ = at + delimiter_.size();
      file_ended_ = true;
      at_end();  // refuses content that holds its own boundary
      return {};
    }
    if (!fill()) malformed("it ends within the file");
  }
}

}  // namespace meesh::serve::s3
