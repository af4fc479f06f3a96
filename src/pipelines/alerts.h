// Alerts on runs: kept in the metadata database with the run's end, sent by webhook and e-mail,
// tried again until they arrive.
#pragma once

#include <boost/json/object.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/shutdown.h"
#include "mesh/mesh.h"
#include "pipelines/run_record.h"

namespace meesh::pipelines {

struct Attachment {
  std::string name, content_type, content;
};
struct Email {
  std::string to, subject, text;
  std::vector<Attachment> attachments;
};
/// Throws UNAVAILABLE with what the server said.
void send_email(const mesh::Smtp& server, const Email& email);

struct AlertRecord {
  std::string id;                       // the same for the same event and channel: it is told once
  std::string pipeline, run_id, event;  // failure, recovery, late
  std::string channel;                  // "webhook", "email:ana@example.com"
  boost::json::object body;
  int64_t created_ms = 0, sent_ms = 0, next_ms = 0;  // next_ms 0: given up
  int attempts = 0;
  std::string error;
};

/// Where an alert goes now; nothing if the pipeline has no such channel any more.
using AlertAddress = std::function<std::optional<std::string>(const AlertRecord&)>;

class RunStore;

/// Sends what is due on a thread of its own.
class AlertSender {
 public:
  AlertSender(RunStore& store, std::optional<mesh::Smtp> smtp, AlertAddress address);
  ~AlertSender() { stop(); }
  AlertSender(const AlertSender&) = delete;
  AlertSender& operator=(const AlertSender&) = delete;
  void start();
  void stop();  // idempotent
  /// There may be new ones.
  void wake();

 private:
  void work();
  void send(AlertRecord& alert);

  RunStore& store_;
  const std::optional<mesh::Smtp> smtp_;
  const AlertAddress address_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool due_ = true;  // guarded
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::pipelines
