// Takes the events that wait in the metadata database to whoever collects lineage, in their order
// and at least once: a START and what became of it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "meta/database.h"

namespace meesh::governance {

class LineageSender {
 public:
  /// `database` outlives it.
  LineageSender(meta::Database& database, std::string url, std::string api_key);
  /// Ends between two events; the others wait for the next start.
  ~LineageSender();
  LineageSender(const LineageSender&) = delete;
  LineageSender& operator=(const LineageSender&) = delete;

  /// There may be a new event.
  void wake();

 private:
  struct Waiting {
    long long id = 0, started_ms = 0;
    std::string text;
  };
  void run();
  /// Sends what waits; false if the collector could not take all of it now.
  bool send_all();
  std::vector<Waiting> waiting();
  /// False: not now. An event that the collector refuses for what it is counts as sent.
  bool send(const Waiting& event);
  bool post(const std::string& body);
  void sent(long long id);

  meta::Database& database_;
  const std::string url_, api_key_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, woken_ = true;  // guarded by mutex_
  bool complained_ = false;               // the thread's own
  std::thread thread_;
};

}  // namespace meesh::governance
