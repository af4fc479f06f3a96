// The member `data` of a page in the spooled protocol: the rows themselves when they are few, else
// where to fetch them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/trino/data_encoding.h"
#include "serve/trino/json_text.h"
#include "serve/trino/segment_store.h"

namespace meesh::serve::trino {

/// Of one statement, whose pages follow one another.
class SpooledData {
 public:
  /// `owner`: who may fetch the segments, "" = whoever knows their addresses.
  SpooledData(DataEncoding encoding, std::shared_ptr<SegmentStore> store, std::string owner,
              std::string query);

  DataEncoding encoding() const { return encoding_; }
  /// The size of rows as JSON that the next segment should have. The first one is smaller, so that
  /// the client has something to do soon.
  uint64_t next_bytes() const;
  /// Writes the object for `count` rows, given as a JSON array.
  void write(std::string_view rows, uint64_t count, const std::string& base_uri, JsonText& out);

 private:
  void write_segment(std::string_view bytes, const std::string& base_uri, JsonText& out);

  const DataEncoding encoding_;
  const std::shared_ptr<SegmentStore> store_;
  const std::string owner_, query_;
  uint64_t offset_ = 0;  // rows in the segments before
  bool full_ = false;    // the store had no room the last time
};

/// Rows up to this size stand in the page.
inline constexpr uint64_t kInlineBytes = 128 << 10;

}  // namespace meesh::serve::trino
