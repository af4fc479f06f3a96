#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "serve/iceberg/call.h"

namespace meesh::serve::iceberg {
namespace {

boost::json::object to_json(const lake::Namespace& name, const lake::Properties& properties) {
  return {{"namespace", iceberg::to_json(name)}, {"properties", lake::to_json(properties)}};
}

lake::Namespace parent_of(const Call& call) {
  lake::Namespace levels;
  const std::string text(call.request.query_param("parent").value_or(""));
  if (text.empty()) return levels;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\x1f', at), text.size());
    levels.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return levels;
}

/// Whoever says where tables go has to have the right to write there. False if nothing is said.
bool need_at_location(const Call& call, const lake::Properties& properties) {
  const auto location = properties.find("location");
  if (location == properties.end() || location->second.empty()) return false;
  call.catalog->files().check_folder(location->second);
  call.need("s3:PutObject", location->second);
  return true;
}

}  // namespace

void list_namespaces(Call& call) {
  call.need_in("s3:GetObject", {});
  boost::json::object body;
  boost::json::array names;
  for (const auto& name : page(call, call.catalog->namespaces(parent_of(call)), body)) {
    names.push_back(iceberg::to_json(name));
  }
  body["namespaces"] = std::move(names);
  call.answer(body);
}

void create_namespace(Call& call) {
  lake::Namespace name;
  lake::Properties properties;
  call.read_body([&](const lake::JsonNode& root) {
    name = read_namespace(root.member("namespace"));
    properties = root.find_properties("properties");
  });
  if (!need_at_location(call, properties)) call.need_in("s3:PutObject", name);
  call.answer(once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    call.catalog->create_namespace(name, properties, also);
    return to_json(name, call.catalog->properties(name));
  }));
}

void load_namespace(Call& call) {
  const auto name = call.space();
  call.need_in("s3:GetObject", name);
  const auto properties = call.catalog->properties(name);
  if (call.request.method == "HEAD") return call.response.empty(204);
  call.answer(to_json(name, properties));
}

void drop_namespace(Call& call) {
  call.need_in("s3:DeleteObject", call.space());
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    call.catalog->drop_namespace(call.space(), also);
    return nullptr;
  });
  call.response.empty(204);
}

void update_properties(Call& call) {
  std::vector<std::string> removals;
  lake::Properties updates;
  call.read_body([&](const lake::JsonNode& root) {
    for (const auto& item : root.find_items("removals")) removals.push_back(item.as_text());
    updates = root.find_properties("updates");
  });
  for (const auto& key : removals) {
    if (updates.contains(key)) {
      throw net::HttpError(422, fmt::format("Invalid namespace update: cannot set and remove the "
                                            "key '{}' at once",
                                            key));
    }
  }
  call.need_in("s3:PutObject", call.space());
  need_at_location(call, updates);
  call.answer(once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    boost::json::array updated, removed, missing;
    const auto edit = [&](lake::Properties& properties) {
      updated.clear(), removed.clear(), missing.clear();
      for (const auto& key : removals) {
        (properties.erase(key) > 0 ? removed : missing).push_back(boost::json::value(key));
      }
      for (const auto& [key, value] : updates) {
        properties[key] = value;
        updated.push_back(boost::json::value(key));
      }
    };
    call.catalog->set_properties(call.space(), edit, also);
    return boost::json::object{{"updated", updated}, {"removed", removed}, {"missing", missing}};
  }));
}

}  // namespace meesh::serve::iceberg
