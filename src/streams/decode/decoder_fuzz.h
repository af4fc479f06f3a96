// What every fuzz target of a decoder does with a message.
#pragma once

#include <cstdlib>
#include <deque>

#include "base/text.h"
#include "streams/decode/decoder.h"
#include "streams/decode/decoder_engine_test.h"

namespace meesh::streams {

/// A decoder and the columns it fills. Never a static object (see DecoderEngine).
class FuzzedDecoder {
 public:
  FuzzedDecoder(const FormatConfig& format, std::vector<ColumnConfig> columns)
      : columns_(std::move(columns)), decoder_(make_decoder(format, columns_, nullptr)) {}

  /// Whether the message was taken. What is wrong with one that was not is said in readable text
  /// that is not long.
  bool decode(std::string_view message) {
    // Rows that are dropped leave their texts in a buffer.
    if (used_++ % 256 == 0) rows_ = DecoderEngine::the().buffers().buffer(stored(columns_));
    std::string wrong;
    const bool taken = decoder_->decode(message, *rows_, 0, wrong);
    if (taken != wrong.empty() || wrong.size() > 2000 || !base::valid_utf8(wrong)) std::abort();
    if (taken) {
      rows_->end_row();
    } else {
      rows_->drop_row();
    }
    return taken;
  }

 private:
  const std::vector<ColumnConfig> columns_;
  const std::unique_ptr<Decoder> decoder_;
  std::shared_ptr<engine::RowBuffer> rows_;
  unsigned used_ = 0;
};

/// A column of every type there is, all from one member.
inline std::vector<ColumnConfig> columns_of_every_type(const std::string& member) {
  std::vector<ColumnConfig> out;
  for (const char* type :
       {"boolean", "tinyint", "bigint", "real", "double", "decimal(38,10)", "varchar", "varchar(5)",
        "varbinary", "json", "date", "time(3)", "timestamp(3)", "timestamp(6) with time zone",
        "uuid", "array(bigint)", "map(varchar,bigint)", "row(a bigint)"})
    out.push_back(column("c" + std::to_string(out.size()), type, {member}));
  return out;
}

}  // namespace meesh::streams
