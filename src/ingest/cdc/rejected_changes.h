// Rows of changes that the lake cannot hold, in <into>__rejected, each once however often its batch
// is begun again.
#pragma once

#include <string>

#include "ingest/cdc/change_target.h"

namespace meesh::ingest {

class RejectedChanges {
 public:
  RejectedChanges(const CaptureEnvironment& environment, const SourceConfig& config,
                  const TableConfig& table, const TaskContext& context)
      : environment_(environment), config_(config), table_(table), context_(context) {}

  /// `position`: where the rows are from, for people. `portion`: what a portion of a snapshot is
  /// known by; "" for changes, which are known by their positions.
  void land(const OfferedChanges& rows, const std::string& position, const std::string& portion);

 private:
  const CaptureEnvironment& environment_;
  const SourceConfig& config_;
  const TableConfig& table_;
  const TaskContext& context_;
};

}  // namespace meesh::ingest
