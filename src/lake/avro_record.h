// Reading one record type of an Avro file into a struct: a plan, made once for a file, says for
// each field of the writer's schema what the reader knows it as.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/avro.h"

namespace meesh::lake {

/// What a reader can take. int and long are read alike, and so are string and bytes.
enum class AvroShape { kBoolean, kInteger, kBytes, kRecord, kArray, kAny };

struct WantedField {
  int op = 0;             // the reader's name for it, from 0
  int id = 0;             // its field id
  std::string_view name;  // for files without field ids
  AvroShape shape = AvroShape::kAny;
  bool required = false;
};

struct RecordPlan {
  static constexpr int kSkip = -1;

  struct Step {
    int op = kSkip;
    int node = 0;          // without the union around it; kSkip: as it stands
    int null_branch = -1;  // of a union with null; -1: never null
    int branches = 0;      // of that union
  };
  std::vector<Step> steps;

  bool reads(int op) const;
  /// The node that an op reads; it must be there.
  int node_of(int op) const;
};

/// Plans the record `node`, which messages call `what`. A missing required field, or one of
/// another type: Error(kIcebergInvalidMetadata).
RecordPlan plan_record(const AvroSchema& schema, int node, std::span<const WantedField> wanted,
                       std::string_view what);

/// Reads which branch of a union follows. False for null: nothing follows.
inline bool read_present(AvroCursor& cursor, const RecordPlan::Step& step) {
  return step.branches == 0 ||
         cursor.read_branch(static_cast<size_t>(step.branches)) != step.null_branch;
}

}  // namespace meesh::lake
