#include "net/router.h"

#include "net/head.h"

namespace meesh::net {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    size_t end = path.find('/');
    segments.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

std::string decoded(std::string_view text) {
  return percent_decode(text, false).value_or(std::string(text));
}

}  // namespace

struct Router::Search {
  std::string_view method;
  std::vector<std::string_view> segments;
  std::vector<std::string> values;  // of parameters on the way here
  Match result;

  bool take(const std::map<std::string, Route, std::less<>>& routes) {
    auto it = routes.find(method);
    if (it == routes.end() && method == "HEAD") it = routes.find("GET");
    if (it == routes.end()) {
      for (const auto& [name, route] : routes) {
        result.allowed.insert(name);
        if (name == "GET") result.allowed.insert("HEAD");
      }
      return false;
    }
    result.route = &it->second;
    for (size_t i = 0; i < values.size(); ++i) {
      result.params.emplace_back(it->second.names[i], values[i]);
    }
    return true;
  }

  bool walk(const Node& node, size_t at) {
    if (at == segments.size()) return take(node.routes);
    std::string segment = decoded(segments[at]);
    if (auto it = node.literals.find(segment); it != node.literals.end()) {
      if (walk(*it->second, at + 1)) return true;
    }
    if (node.parameter && !segment.empty()) {
      values.push_back(segment);
      if (walk(*node.parameter, at + 1)) return true;
      values.pop_back();
    }
    if (node.rest_routes.empty()) return false;
    std::string rest;
    for (size_t i = at; i < segments.size(); ++i) {
      if (i > at) rest += '/';
      rest += decoded(segments[i]);
    }
    values.push_back(std::move(rest));
    if (take(node.rest_routes)) return true;
    values.pop_back();
    return false;
  }
};

void Router::add(const std::string& method, std::string_view pattern, Handler handler,
                 RouteOptions options) {
  if (!pattern.starts_with('/') || !is_token(method)) {
    internal_error(fmt::format("malformed route {} {}", method, pattern));
  }
  Route route{std::move(handler), options, {}};
  Node* node = &root_;
  auto* routes = &node->routes;
  auto segments = split(pattern);
  for (size_t i = 0; i < segments.size(); ++i) {
    std::string_view segment = segments[i];
    if (!segment.starts_with('{')) {
      auto& next = node->literals[std::string(segment)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
      routes = &node->routes;
      continue;
    }
    bool rest = segment.ends_with("...}");
    if (!segment.ends_with('}') || (rest && i + 1 != segments.size())) {
      internal_error(fmt::format("malformed route {} {}", method, pattern));
    }
    route.names.emplace_back(segment.substr(1, segment.size() - (rest ? 5 : 2)));
    if (rest) {
      routes = &node->rest_routes;
    } else {
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
      routes = &node->routes;
    }
  }
  if (!routes->emplace(method, std::move(route)).second) {
    internal_error(fmt::format("the route {} {} is there already", method, pattern));
  }
  methods_.insert(method);
}

Router::Match Router::match(std::string_view method, std::string_view raw_path) const {
  Search search{method, split(raw_path), {}, {}};
  search.walk(root_, 0);
  return std::move(search.result);
}

bool Router::knows_method(std::string_view method) const {
  constexpr std::string_view kStandard[] = {"GET",    "HEAD",    "POST",  "PUT",
                                            "DELETE", "OPTIONS", "PATCH", "TRACE"};
  return methods_.contains(method) ||
         std::find(std::begin(kStandard), std::end(kStandard), method) != std::end(kStandard);
}

}  // namespace meesh::net
