// multipart/form-data (RFC 7578) as a stream: fields first, held whole; then one file, in pieces.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace meesh::serve::s3 {

class FormParser {
 public:
  /// Up to `size` bytes of the body; 0 = end.
  using Source = std::function<size_t(char* buffer, size_t size)>;
  /// Throws S3Error (MalformedPOSTRequest) for a Content-Type without a usable boundary.
  FormParser(std::string_view content_type, Source source);

  /// Reads up to the content of the field "file". Throws MalformedPOSTRequest, and
  /// MaxPostPreDataLengthExceeded for more than 20,000 bytes before the file. False: no file.
  bool read_fields();
  /// By name, lower case; the last of two wins.
  const std::map<std::string, std::string>& fields() const { return fields_; }
  const std::string& file_name() const { return file_name_; }
  const std::string& file_type() const { return file_type_; }

  /// A piece of the file; empty = its end. Throws MalformedPOSTRequest when the body ends first.
  std::string_view file_piece();

 private:
  struct PartHead {
    std::string name, file_name, type;
    bool is_file = false;
  };
  bool fill();
  /// Consumes up to and with `mark`; what was before it. `limit` bytes at most.
  std::string read_until(std::string_view mark, size_t limit);
  PartHead read_head();
  bool at_end();  // what follows a boundary: another part, or the end

  Source source_;
  std::string delimiter_;  // "\r\n--boundary"
  std::string buffer_;
  size_t used_ = 0;  // of buffer_
  size_t before_file_ = 0;
  bool source_ended_ = false, file_ended_ = false;
  std::map<std::string, std::string> fields_;
  std::string file_name_, file_type_;
};

}  // namespace meesh::serve::s3
