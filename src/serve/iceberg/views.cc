#include <fmt/format.h>

#include <chrono>

#include "base/uuid.h"
#include "lake/view_metadata.h"
#include "serve/iceberg/call.h"
#include "serve/iceberg/credentials.h"

namespace meesh::serve::iceberg {
namespace {

int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void answer_view(Call& call, const lake::View& view) {
  call.answer(boost::json::object{
      {"metadata-location", view.metadata_location},
      {"metadata", boost::json::parse(lake::view_metadata_json(*view.metadata))},
      {"config", boost::json::object()}});
}

/// Runs a change for once(); repeated, it tells the view as it is.
lake::View once_view(Call& call, const lake::Identifier& name,
                     const std::function<lake::View()>& change) {
  std::optional<lake::View> view;
  once(call, [&](const lake::AlsoCommit&) -> boost::json::value {
    view = change();
    return nullptr;
  });
  return view ? std::move(*view) : call.catalog->load_view(name);
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
  if (location.empty()) location = call.catalog->default_location(name);
  while (location.ends_with('/')) location.pop_back();
  call.need("s3:PutObject", location);
  updates.insert(updates.begin() + 1, lake::SetLocation{location});
  const auto metadata = lake::apply(updates, nullptr, now_ms());
  answer_view(call,
              once_view(call, name, [&] { return call.catalog->create_view(name, metadata); }));
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
  call.need("s3:PutObject", call.catalog->load_view(call.name()).metadata->location);
  answer_view(call, once_view(call, call.name(), [&] {
                return call.catalog->commit_view(call.name(), [&](const lake::ViewMetadata& base) {
                  lake::check(commit.requirements, &base);
                  return lake::apply(commit.updates, &base, now_ms());
                });
              }));
}

void drop_view(Call& call) {
  const auto there = call.catalog->find_view(call.name());
  call.need("s3:DeleteObject",
            there ? there->metadata->location : call.catalog->warehouse().location);
  once(call, [&](const lake::AlsoCommit&) -> boost::json::value {
    call.catalog->drop_view(call.name());
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
  const auto there = call.catalog->find_view(from);
  if (there) call.need("s3:PutObject", there->metadata->location);
  call.need_in("s3:PutObject", to.space);
  once(call, [&](const lake::AlsoCommit&) -> boost::json::value {
    call.catalog->rename_view(from, to);
    return nullptr;
  });
  call.response.empty(204);
}

}  // namespace meesh::serve::iceberg
