#include "ingest/decode/column.h"

namespace meesh::ingest {

sql::Type DecodedColumn::stored_type() const {
  switch (type.kind) {
    case sql::TypeKind::kArray:
    case sql::TypeKind::kMap:
    case sql::TypeKind::kRow:
      return sql::Type::varchar();
    default:
      return type;
  }
}

}  // namespace meesh::ingest
