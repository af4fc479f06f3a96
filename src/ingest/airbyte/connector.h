// A connector at work: one command of Airbyte's protocol (spec, check, discover, read) in a process
// of its own. What it needs to know goes by files in a private folder that is gone with the run;
// nothing secret is among its arguments, in its environment or in what is told of it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "ingest/airbyte/child_lines.h"
#include "ingest/airbyte/connector_config.h"
#include "ingest/airbyte/environments.h"
#include "ingest/airbyte/messages.h"

namespace meesh::ingest {

/// What a connector is run with.
struct ConnectorSettings {
  ConnectorEnvironment environment;
  std::string program;              // of the environment: "source-faker"
  std::string name;                 // for messages: "source-faker 6.2.1"
  std::filesystem::path runs;       // where private folders are made
  std::chrono::seconds silence{0};  // 0: it may say nothing for ever
  uint64_t memory = 0;              // bytes; 0: no limit
  ConnectorConfig config;
  /// Told when the connector has changed its configuration (a token was renewed).
  std::function<void(const boost::json::object&)> keep_config;
};

/// Files of one run, that this user alone may read.
class PrivateFolder {
 public:
  explicit PrivateFolder(const std::filesystem::path& runs);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Its path.
  std::filesystem::path write(const std::string& name, const boost::json::value& value) const;

  /// Ends what runs of a process before this one have left over, and removes it.
  static void clean(const std::filesystem::path& runs);

 private:
  const std::filesystem::path path_;
};

/// Used by one thread. Destroying it ends the connector.
class ConnectorRun {
 public:
  /// `command`: "check"; `files`: further arguments, each with what its file holds: {"catalog", …}.
  ConnectorRun(const ConnectorSettings& settings, const std::string& command,
               const std::vector<std::pair<std::string, boost::json::value>>& files,
               const TaskContext& context);

  /// The next record, state, spec, catalog or status; null at the end. The rest (log, errors,
  /// configuration) is taken care of. Throws what went wrong, once everything before was given.
  const Message* next(const TaskContext& context);
  size_t readable() const { return child_.readable(); }
  /// Rows it expects to send; -1: it has not said.
  double estimated_rows() const { return estimated_rows_; }

 private:
  void take_log(const boost::json::object& log, const TaskContext& context);
  void take_trace(const boost::json::object& trace, const TaskContext& context);
  void take_control(const boost::json::object& control, const TaskContext& context);
  void take_noise(std::string_view line, const TaskContext& context);
  void end(const TaskContext& context);
  [[noreturn]] void fail_as_told() const;
  std::string safe(std::string_view text) const;

  const ConnectorSettings& settings_;
  PrivateFolder folder_;
  ChildLines child_;
  MessageReader reader_;
  boost::json::object error_;  // of the first trace that tells of one
  bool incomplete_ = false;    // a stream ended before its end
  double estimated_rows_ = -1;
  uint64_t noise_ = 0;  // lines that are no messages
  bool ended_ = false;
};

/// The connector's spec; asks it. Throws what it says is wrong.
boost::json::object connector_spec(const ConnectorSettings& settings, const TaskContext& context);
/// Throws what is wrong with the connection; what it says of one that works.
std::string check_connector(const ConnectorSettings& settings, const TaskContext& context);
/// Its catalog.
boost::json::object discover_streams(const ConnectorSettings& settings, const TaskContext& context);

}  // namespace meesh::ingest
