// The endpoints of the protocol as plain functions of a request; register_trino puts them on a
// server.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "serve/trino/statement.h"
#include "serve/trino/trino.h"

namespace meesh::serve::trino {

class Protocol {
 public:
  Protocol(engine::Engine& engine, Options options);

  void post_statement(net::Request& request, net::Response& response);
  /// GET of queued/ and executing/.
  void get_page(net::Request& request, net::Response& response);
  void head_page(net::Request& request, net::Response& response);
  void delete_statement(net::Request& request, net::Response& response);

  void get_segment(net::Request& request, net::Response& response);
  void acknowledge_segment(net::Request& request, net::Response& response);

  void list_queries(net::Request& request, net::Response& response);
  void get_query(net::Request& request, net::Response& response);
  void delete_query(net::Request& request, net::Response& response);
  void kill_query(net::Request& request, net::Response& response);

  void info(net::Request& request, net::Response& response);
  void status(net::Request& request, net::Response& response);

  /// Statements known at the moment, ended ones included.
  size_t statements() const;

 private:
  struct Entry {
    std::shared_ptr<Statement> statement;
    std::chrono::steady_clock::time_point used;
    bool ended = false;
  };

  /// Null unless the client asked for the spooled protocol and there is a place for segments.
  std::unique_ptr<SpooledData> spooled_data(const net::Request& request,
                                            const ClientContext& context,
                                            const std::string& query) const;
  /// Checks id and slug of the path; throws net::HttpError 404.
  std::shared_ptr<Statement> find(const net::Request& request);
  void remember(std::shared_ptr<Statement> statement);
  void mark_ended(const std::string& id);
  /// Forgets statements that no client has asked for within the engine's client timeout.
  void sweep(std::chrono::steady_clock::time_point now);

  engine::Engine& engine_;
  const Options options_;
  const std::chrono::steady_clock::time_point started_;
  const std::shared_ptr<SegmentStore> segments_;  // null: nothing is spooled
  std::atomic<size_t> waiting_{0};

  mutable std::mutex mutex_;
  std::map<std::string, Entry> statements_;
  std::deque<std::string> ended_;  // oldest first
  std::chrono::steady_clock::time_point swept_;
};

}  // namespace meesh::serve::trino
