#include "streams/decode/json_decoder.h"

#include "ingest/json_rows.h"

namespace meesh::streams {
namespace {

class JsonDecoder : public Decoder {
 public:
  explicit JsonDecoder(const std::vector<ColumnConfig>& columns) : json_(columns) {}

  bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
              std::string& wrong) override {
    return json_.put(value, rows, first, wrong);
  }

 private:
  ingest::JsonRows json_;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(const std::vector<ColumnConfig>& columns) {
  return std::make_unique<JsonDecoder>(columns);
}

}  // namespace meesh::streams
