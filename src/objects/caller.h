// On whose behalf a thread changes a store, for the events of its changes.
//
//   const ActingFor acting({.user = "ann", .address = "10.0.0.7", .request_id = id});
//   store.remove("lake", "k", {});   // the listener is told event.caller->user == "ann"
#pragma once

#include <memory>
#include <string>

namespace meesh::objects {

struct Caller {
  std::string user, address, request_id;
};

/// While it lives, what this thread asks of any store is asked by `caller`; one within another
/// stands in its place. Made and destroyed on one thread.
class ActingFor {
 public:
  explicit ActingFor(Caller caller);
  ~ActingFor();
  ActingFor(const ActingFor&) = delete;
  ActingFor& operator=(const ActingFor&) = delete;

  /// Null: nobody's, as the store's own work is.
  static std::shared_ptr<const Caller> current();

 private:
  std::shared_ptr<const Caller> before_;
};

}  // namespace meesh::objects
