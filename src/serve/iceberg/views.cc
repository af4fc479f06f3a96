#include <fmt/format.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "lake/view_metadata.h"
#include "serve/iceberg/call.h"
#include "serve/iceberg/credentials.h"

namespace meesh::serve::iceberg {
namespace {

void answer_view(Call& call, const lake::View& view) {
  call.answer(boost::json::object{
      {"metadata-location", view.metadata_location},
      {"metadata", boost::json::parse(lake::view_metadata_json(*view.metadata))},
      {"config", boost::json::object()}});
}

/// Runs a change for once(); repeated, it tells the view as it is.
lake::View once_view(Call& call, const lake::Identifier& name,
                     const std::function<lake::View(const lake::AlsoCommit&)>& change) {
  std::optional<lake::View> view;
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    view = change(also);
    return nullptr;
  });
  return view ? std::move(*view) : call.catalog->load_view(name);
}

/// Places that a commit makes the view's own need rights of their own.
void need_new_places(const Call& call, const lake::ViewMetadata& before,
                     const lake::ViewMetadata& after) {
  if (after.location != before.location) call.need("s3:PutObject", after.location);
  const char* key = "write.metadata.path";
  const auto old = before.properties.find(key), now = after.properties.find(key);
  if (now == after.properties.end()) return;
  if (old == before.properties.end() || old->second != now->second) {
    call.need("s3:PutObject", now->second);
  }
}

/// The right at the view's own place, or, where there is none, in its namespace.
void need_for_view(const Call& call, std::string_view action, const lake::Identifier& name) {
  try {
    if (const auto there = call.catalog->find_view(name)) {
      return call.need(action, there->metadata->location);
    }
  } catch (const Error& error) {
    if (error.code() == Code::kPermissionDenied) throw;
  }
  call.need_in(action, name.space);
}

}  // namespace

void list_views(Call& call) {
  call.need_in("s3:GetObject", call.space());
  boost::json::object body;
  boost::json::array names;
  for (const auto& name : page(call, call.catalog->views(call.space()), body)) {
    names.push_back(to_json(lake::Identifier{call.space(), name}));
  }
  body["identifiers"] = std::move(names);
  call.answer(body);
}

void create_view(Call& call) {
  lake::Identifier name{call.space(), ""};
  std::string location;
  std::vector<lake::ViewUpdate> updates;
  call.read_body([&](const lake::JsonNode& root) {
    name.name = root.text("name");
    location = root.find_text("location").value_or("");
    updates.push_back(lake::AssignUuid{base::random_uuid()});
    updates.push_back(lake::AddSchema{lake::read_schema(root.member("schema"))});
    auto version =
        lake::parse_view_version(boost::json::serialize(root.member("view-version").value()));
    version.schema_id = lake::kLastAdded;
    updates.push_back(lake::AddViewVersion{std::move(version)});
    updates.push_back(lake::SetCurrentViewVersion{lake::kLastAdded});
    updates.push_back(lake::SetProperties{root.find_properties("properties")});
  });
  call.need_in("s3:PutObject", name.space);
  if (location.empty()) location = call.catalog->default_location(name);
  while (location.ends_with('/')) location.pop_back();
  updates.insert(updates.begin() + 1, lake::SetLocation{location});
  const auto metadata = lake::apply(updates, nullptr, base::now_ms());
  need_new_places(call, {}, metadata);
  answer_view(call, once_view(call, name, [&](const lake::AlsoCommit& also) {
                return call.catalog->create_view(name, metadata, also);
              }));
}

void register_view(Call& call) {
  lake::Identifier name{call.space(), ""};
  std::string location;
  call.read_body([&](const lake::JsonNode& root) {
    name.name = root.text("name");
    location = root.text("metadata-location");
  });
  call.need_in("s3:PutObject", name.space);
  need_new_places(call, {}, lake::parse_view_metadata(call.catalog->files().read(location)));
  answer_view(call, once_view(call, name, [&](const lake::AlsoCommit& also) {
                return call.catalog->register_view(name, location, also);
              }));
}

void load_view(Call& call) {
  const lake::View view = call.catalog->load_view(call.name());
  call.need("s3:GetObject", view.metadata->location);
  if (call.request.method == "HEAD") return call.response.empty(204);
  answer_view(call, view);
}

void replace_view(Call& call) {
  lake::ViewCommit commit;
  call.read_body([&](const lake::JsonNode& root) {
    commit = lake::parse_view_commit(boost::json::serialize(root.value()));
  });
  const lake::View there = call.catalog->load_view(call.name());
  call.need("s3:PutObject", there.metadata->location);
  const auto make = [&](const lake::ViewMetadata& base) {
    lake::check(commit.requirements, &base);
    auto made = lake::apply(commit.updates, &base, base::now_ms());
    need_new_places(call, base, made);
    return made;
  };
  answer_view(call, once_view(call, call.name(), [&](const lake::AlsoCommit& also) {
                return call.catalog->commit_view(call.name(), make, also);
              }));
}

void drop_view(Call& call) {
  need_for_view(call, "s3:DeleteObject", call.name());
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    call.catalog->drop_view(call.name(), also);
    return nullptr;
  });
  call.response.empty(204);
}

void rename_view(Call& call) {
  lake::Identifier from, to;
  call.read_body([&](const lake::JsonNode& root) {
    from = read_identifier(root.member("source"));
    to = read_identifier(root.member("destination"));
  });
  need_for_view(call, "s3:PutObject", from);
  call.need_in("s3:PutObject", to.space);
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    call.catalog->rename_view(from, to, also);
    return nullptr;
  });
  call.response.empty(204);
}

}  // namespace meesh::serve::iceberg
