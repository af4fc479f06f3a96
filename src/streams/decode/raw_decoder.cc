#include "streams/decode/raw_decoder.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ingest/decode/cell.h"

namespace meesh::streams {
namespace {

using ingest::Cell;
using ingest::shortened;

class RawDecoder : public Decoder {
 public:
  explicit RawDecoder(const ColumnConfig& column) : cell_(column) {}

  bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
              std::string& wrong) override {
    if (cell_.kind() == sql::TypeKind::kVarchar && !base::valid_utf8(value)) {
      wrong =
          fmt::format("column '{}': it is not UTF-8: {}", cell_.config().name, shortened(value));
      return false;
    }
    if (cell_.put_bytes(value, rows, first)) return true;
    wrong = cell_.complaint(value);
    return false;
  }

 private:
  const Cell cell_;
};

}  // namespace

std::unique_ptr<Decoder> make_raw_decoder(const std::vector<ColumnConfig>& columns) {
  if (columns.size() != 1 || (columns[0].type.kind != sql::TypeKind::kVarbinary &&
                              columns[0].type.kind != sql::TypeKind::kVarchar)) {
    throw Error(Code::kConfigInvalid, "a raw message is one column, varbinary or varchar");
  }
  return std::make_unique<RawDecoder>(columns[0]);
}

}  // namespace meesh::streams
