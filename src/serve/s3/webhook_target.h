// Events POSTed to a URL.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/shutdown.h"
#include "serve/s3/event_target.h"

namespace meesh::serve::s3 {

class WebhookTarget final : public EventTarget {
 public:
  WebhookTarget(std::string arn, std::string url);
  ~WebhookTarget() override;  // what waits is lost
  void send(const EventMessage& message) override;
  void drain(std::chrono::steady_clock::time_point until) override;
  void stop() override { stop_.request(); }
  /// A request under way may take its five seconds.
  void close() override;
  uint64_t lost() const override { return loss_.total(); }

 private:
  void deliver_loop();
  /// False: the stop came before it was delivered or given up.
  bool deliver(const std::string& body);
  bool post(const std::string& body) const;

  const std::string url_;
  LossCount loss_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::string> queue_;  // the first one is being delivered
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::serve::s3
