// Which handler a path and method belong to.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"

namespace meesh::net {

/// Filled before it is used; then safe to use from many threads.
class Router {
 public:
  struct Route {
    Handler handler;
    RouteOptions options;
    std::vector<std::string> names;  // of the pattern's parameters, in order
  };
  struct Match {
    const Route* route = nullptr;  // null: see `allowed`
    std::vector<std::pair<std::string, std::string>> params;
    std::set<std::string> allowed;  // methods of the path if it is known
  };

  /// Throws internal errors for a malformed pattern and for a route given twice.
  void add(const std::string& method, std::string_view pattern, Handler handler,
           RouteOptions options);
  /// `raw_path` is not decoded: an encoded slash does not separate.
  Match match(std::string_view method, std::string_view raw_path) const;
  bool knows_method(std::string_view method) const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Route, std::less<>> routes;       // the path ends here
    std::map<std::string, Route, std::less<>> rest_routes;  // {name...} takes what follows
  };
  struct Search;

  Node root_;
  std::set<std::string, std::less<>> methods_;
};

}  // namespace meesh::net
