// Copies between folders and buckets, several at a time, with one bar for all.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "app/lake/places.h"

namespace meesh::app {

struct Transfer {
  Found from;
  Place to;
};

struct TransferOptions {
  int jobs = 8;
  bool remove_source = false;
  bool quiet = false;
  /// Once it is true, what is under way fails and nothing else begins.
  const std::atomic<bool>* stop = nullptr;
};

/// Runs all of them; one that fails is told and does not stop the others. A local file appears
/// under its name only when it is whole. Gives the number that failed.
int run_transfers(objects::Store& store, const std::vector<Transfer>& transfers,
                  const TransferOptions& options);

}  // namespace meesh::app
