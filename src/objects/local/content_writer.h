// Bytes on their way to disk: digests, sealing, and the choice between the index and a payload
// file. Used for objects and for parts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "objects/encryption.h"
#include "objects/index/record.h"
#include "objects/local/digests.h"
#include "objects/local/payload_files.h"
#include "objects/payload.h"

namespace meesh::objects {

struct ContentOptions {
  size_t inline_bytes = 0;                // up to this size no file is made
  bool may_be_inline = true;              // parts are files always
  std::optional<uint64_t> declared_size;  // as WriteOptions::size
  Checksums expected;                     // as WriteOptions::expected
  std::optional<std::string> md5;         // as WriteOptions::md5
  std::string data_key;                   // "" = stored as it is
  WrappedKey wrapped_key;
};

/// What came in. `file` must be kept by whoever makes the index refer to it.
struct Content {
  uint64_t size = 0;
  std::string etag;  // MD5 in hex
  Checksums checksums;
  Piece piece;
  bool is_inline = false;
  std::string inline_bytes;  // as stored
  std::unique_ptr<NewPayload> file;
};

/// One thread at a time.
class ContentWriter {
 public:
  ContentWriter(PayloadFiles& files, ContentOptions options);
  ~ContentWriter();

  void write(std::string_view bytes);
  void expect(ChecksumKind kind, std::string value);
  /// Checks what was declared and expected: kIncompleteBody, kBadDigest, kInvalidRequest. Makes a
  /// file durable, with the footer that `describe` gives. Once.
  using Describe = std::function<PayloadDescription(const Content&)>;
  Content finish(const Describe& describe);

 private:
  void end_block();
  void open_file();
  void check(const Content& content) const;
  void store(std::string_view bytes);

  PayloadFiles& files_;
  ContentOptions options_;
  Digests digests_;
  std::optional<Sealer> sealer_;
  std::unique_ptr<NewPayload> file_;
  std::shared_ptr<std::string> block_;
  std::vector<std::shared_ptr<std::string>> blocks_;  // to be used again
  std::string sealed_;
  uint64_t size_ = 0;
};

}  // namespace meesh::objects
