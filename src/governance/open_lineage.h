// OpenLineage 2-0-2 events, read and written. Source: spec/OpenLineage.json and the facets
// columnLineage 1-2-0, schema 1-2-0, sql 1-1-0, jobType 2-0-4, parent 1-2-0, processing_engine
// 1-1-1, errorMessage 1-0-1, extractionError 1-1-2, outputStatistics 1-0-2, lifecycleStateChange
// 1-0-1 and symlinks 1-0-1.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "governance/dataset_names.h"
#include "governance/job_run.h"

namespace meesh::governance {

/// An event that is not what the specification says, with the JSON pointer of the mistake.
class EventError : public Error {
 public:
  EventError(std::string pointer, const std::string& what)
      : Error(Code::kInvalidArguments, (pointer.empty() ? "the event" : pointer) + " " + what),
        pointer_(std::move(pointer)) {}
  const std::string& pointer() const { return pointer_; }

 private:
  std::string pointer_;
};

struct Event {
  enum class Kind { kRun, kJob, kDataset };
  Kind kind = Kind::kRun;
  JobRun run;  // kDataset: its one input and nothing else
  /// Outputs that are gone, or took the place of another data set.
  std::vector<Dataset> dropped;
  std::vector<std::pair<Dataset, Dataset>> renamed;  // from, to
};

/// Throws EventError. Facets that are not used here may hold anything.
Event read_event(const boost::json::value& event, const DatasetNames& names);

/// A RunEvent. `name_space`: of the mesh's own jobs, and the producer.
boost::json::object write_event(const JobRun& run, const DatasetNames& names,
                                const std::string& name_space);

/// Of any text, the same every time; a UUID is its own.
std::string uuid_of(const std::string& text);
/// "2025-01-15T14:30:00.123Z"
std::string time_text(Time time);
/// RFC 3339, with an offset, of the years 1970 to 2199; nothing if it is none.
std::optional<Time> parse_time(std::string_view text);
int64_t to_ms(Time time);
Time from_ms(int64_t ms);

}  // namespace meesh::governance
