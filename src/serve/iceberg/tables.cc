#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/log.h"
#include "lake/updates_json.h"
#include "serve/iceberg/call.h"
#include "serve/iceberg/credentials.h"

namespace meesh::serve::iceberg {
namespace {

/// Only the snapshots that a branch or tag names; clients fetch the others when they need them.
lake::TableMetadata with_named_snapshots(lake::TableMetadata metadata) {
  std::set<int64_t> named;
  for (const auto& [name, ref] : metadata.refs) named.insert(ref.snapshot_id);
  std::erase_if(metadata.snapshots,
                [&](const lake::Snapshot& snapshot) { return !named.contains(snapshot.id); });
  return metadata;
}

boost::json::object load_result(const Call& call, const lake::Table& table,
                                const boost::json::object& metadata) {
  boost::json::object result;
  if (!table.metadata_location.empty()) result["metadata-location"] = table.metadata_location;
  result["metadata"] = metadata;
  result["config"] = endpoint_config(call.service);
  if (!wants_credentials(call) || call.service.s3_endpoint.empty()) return result;
  try {
    const auto places = table_places(call, *table.metadata);
    const auto config = vended_config(call, table.name, places);
    result["storage-credentials"] = storage_credentials(config, places);
    result["config"] = config;
  } catch (const Error& error) {  // the table is there all the same
    log::warn("no keys can be vended for a table",
              {{"table", table.name.display()}, {"error", error.what()}});
  }
  return result;
}

boost::json::object load_result(const Call& call, const lake::Table& table) {
  return load_result(call, table, lake::to_json(*table.metadata));
}

/// The table whose metadata lay at `location` when the answer was kept.
lake::Table table_at(const Call& call, const lake::Identifier& name, const std::string& location) {
  lake::Table table = call.catalog->load(name);
  if (location.empty() || location == table.metadata_location) return table;
  table.metadata_location = location;
  table.metadata = std::make_shared<const lake::TableMetadata>(
      lake::parse_metadata(call.catalog->files().read(location)));
  return table;
}

/// Runs a change for once() and gives the table it made.
lake::Table once_table(Call& call, const lake::Identifier& name,
                       const std::function<lake::Table(const lake::AlsoCommit&)>& change) {
  std::optional<lake::Table> table;
  const auto kept = once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    table = change(also);
    return boost::json::value(table->metadata_location);
  });
  if (table) return std::move(*table);
  return table_at(call, name, kept.is_string() ? std::string(kept.as_string()) : "");
}

struct NewTable {
  std::string name, location;
  lake::Schema schema;
  lake::PartitionSpec spec;
  lake::SortOrder order;
  lake::Properties properties;
  bool stage = false;
};

NewTable read_new_table(const Call& call) {
  NewTable asked;
  call.read_body([&](const lake::JsonNode& root) {
    asked.name = root.text("name");
    asked.location = root.find_text("location").value_or("");
    asked.schema = lake::read_schema(root.member("schema"));
    if (const auto spec = root.find("partition-spec")) {
      asked.spec = lake::read_partition_spec(*spec, false);
    }
    if (const auto order = root.find("write-order")) asked.order = lake::read_sort_order(*order);
    asked.properties = root.find_properties("properties");
    asked.stage = root.has("stage-create") && root.boolean("stage-create");
  });
  while (asked.location.ends_with('/')) asked.location.pop_back();
  return asked;
}

/// A part of a commit as the client sends it.
struct Asked {
  lake::Identifier name;
  lake::Commit commit;

  bool creates() const {
    const auto is_create = [](const lake::Requirement& one) {
      return one.kind == lake::RequirementKind::kCreate;
    };
    return std::any_of(commit.requirements.begin(), commit.requirements.end(), is_create);
  }
};

/// Places that a commit makes the table's own need rights of their own.
void need_new_places(const Call& call, const lake::TableMetadata& before,
                     const lake::TableMetadata& after) {
  if (after.location != before.location) call.need("s3:PutObject", after.location);
  for (const char* key : {"write.metadata.path", "write.data.path", "write.object-storage.path"}) {
    const auto old = before.properties.find(key), now = after.properties.find(key);
    if (now == after.properties.end()) continue;
    if (old == before.properties.end() || old->second != now->second) {
      call.need("s3:PutObject", now->second);
    }
  }
}

lake::TableChange to_change(const Call& call, const Asked& asked) {
  return {asked.name, [&call, &asked](const lake::Table& base) {
            lake::check(asked.commit.requirements, base.metadata.get());
            auto made = lake::apply(asked.commit.updates, base.metadata.get(), base::now_ms(),
                                    base.metadata_location);
            need_new_places(call, *base.metadata, made);
            return made;
          }};
}

lake::Table create_from_updates(Call& call, const Asked& asked, const lake::AlsoCommit& also) {
  lake::check(asked.commit.requirements, nullptr);
  const auto metadata = lake::apply(asked.commit.updates, nullptr, base::now_ms());
  need_new_places(call, {}, metadata);
  return call.catalog->create(asked.name, metadata, also);
}

/// The right to drop or change what the call names: at its own place, or, where there is nothing or
/// nothing that can be read, in its namespace.
void need_for(const Call& call, std::string_view action, const lake::Identifier& name) {
  try {
    if (const auto there = call.catalog->find(name)) {
      return call.need(action, there->metadata->location);
    }
  } catch (const Error& error) {
    if (error.code() == Code::kPermissionDenied) throw;
  }
  call.need_in(action, name.space);
}

}  // namespace

void list_tables(Call& call) {
  call.need_in("s3:GetObject", call.space());
  boost::json::object body;
  boost::json::array names;
  for (const auto& name : page(call, call.catalog->tables(call.space()), body)) {
    names.push_back(to_json(lake::Identifier{call.space(), name}));
  }
  body["identifiers"] = std::move(names);
  call.answer(body);
}

void create_table(Call& call) {
  NewTable asked = read_new_table(call);
  const lake::Identifier name{call.space(), asked.name};
  call.need_in("s3:PutObject", name.space);
  if (asked.location.empty()) asked.location = call.catalog->default_location(name);
  const auto metadata = lake::new_table_metadata(asked.schema, asked.spec, asked.order,
                                                 asked.location, asked.properties, base::now_ms());
  need_new_places(call, {}, metadata);
  if (asked.stage) {
    call.catalog->check_new(name);
    call.catalog->files().check(asked.location + "/metadata");
    call.answer(
        load_result(call, {name, "", std::make_shared<const lake::TableMetadata>(metadata)}));
    return;
  }
  call.answer(load_result(call, once_table(call, name, [&](const lake::AlsoCommit& also) {
                            return call.catalog->create(name, metadata, also);
                          })));
}

void register_table(Call& call) {
  std::string name, location;
  bool overwrite = false;
  call.read_body([&](const lake::JsonNode& root) {
    name = root.text("name");
    location = root.text("metadata-location");
    overwrite = root.has("overwrite") && root.boolean("overwrite");
  });
  const lake::Identifier full{call.space(), name};
  call.need_in("s3:PutObject", full.space);
  need_new_places(call, {}, lake::parse_metadata(call.catalog->files().read(location)));
  call.answer(load_result(call, once_table(call, full, [&](const lake::AlsoCommit& also) {
                            return call.catalog->register_table(full, location, overwrite, also);
                          })));
}

void load_table(Call& call) {
  const lake::Table table = call.catalog->load(call.name());
  call.need("s3:GetObject", table.metadata->location);
  if (call.request.method == "HEAD") return call.response.empty(204);
  const bool named_only = call.request.query_param("snapshots").value_or("all") == "refs";
  const std::string& location = table.metadata_location;
  const std::string tag =
      fmt::format("\"{}{}\"", location.substr(location.rfind('/') + 1), named_only ? "-refs" : "");
  // Keys that were vended run out, so an answer with keys is always a new one.
  if (!wants_credentials(call)) {
    call.response.headers.set("ETag", tag);
    if (call.request.headers.get("If-None-Match") == tag) return call.response.empty(304);
  }
  call.answer(load_result(
      call, table,
      lake::to_json(named_only ? with_named_snapshots(*table.metadata) : *table.metadata)));
}

void load_credentials(Call& call) {
  const lake::Table table = call.catalog->load(call.name());
  call.need("s3:GetObject", table.metadata->location);
  const auto places = table_places(call, *table.metadata);
  call.answer(
      boost::json::object{{"storage-credentials",
                           storage_credentials(vended_config(call, table.name, places), places)}});
}

void commit_table(Call& call) {
  Asked asked;
  call.read_body(
      [&](const lake::JsonNode& root) { asked = {call.name(), lake::read_commit(root)}; });
  const auto there = call.catalog->find(asked.name);
  if (there) {
    call.need("s3:PutObject", there->metadata->location);
  } else {
    call.need_in("s3:PutObject", asked.name.space);
  }
  const auto table = once_table(call, asked.name, [&](const lake::AlsoCommit& also) {
    if (!there && asked.creates()) return create_from_updates(call, asked, also);
    return call.catalog->commit({to_change(call, asked)}, also).front();
  });
  call.answer(boost::json::object{{"metadata-location", table.metadata_location},
                                  {"metadata", lake::to_json(*table.metadata)}});
}

void commit_transaction(Call& call) {
  std::vector<Asked> asked;
  call.read_body([&](const lake::JsonNode& root) {
    for (const auto& item : root.items("table-changes")) {
      asked.push_back({read_identifier(item.member("identifier")), lake::read_commit(item)});
    }
  });
  std::vector<lake::TableChange> changes;
  std::set<lake::Identifier> seen;
  for (const Asked& one : asked) {
    if (!seen.insert(one.name).second) {
      throw Error(Code::kBadRequest,
                  fmt::format("{} is changed twice in one transaction", one.name.display()));
    }
    if (one.creates()) {
      throw Error(Code::kNotSupported,
                  "Tables cannot be created in a transaction of several tables")
          .with_hint("create them first, on their own");
    }
    call.need("s3:PutObject", call.catalog->load(one.name).metadata->location);
    changes.push_back(to_change(call, one));
  }
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    if (!changes.empty()) call.catalog->commit(changes, also);
    return nullptr;
  });
  call.response.empty(204);
}

void drop_table(Call& call) {
  need_for(call, "s3:DeleteObject", call.name());
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    const lake::Table dropped = call.catalog->drop(call.name(), also);
    if (call.query_flag("purgeRequested") && dropped.metadata) {
      try {
        call.service.purge(*call.catalog, dropped);
      } catch (const std::exception& error) {  // the table is gone; its files are only in the way
        log::warn("files of a dropped table stay",
                  {{"table", dropped.name.display()}, {"error", error.what()}});
      }
    }
    return nullptr;
  });
  call.response.empty(204);
}

void rename_table(Call& call) {
  lake::Identifier from, to;
  call.read_body([&](const lake::JsonNode& root) {
    from = read_identifier(root.member("source"));
    to = read_identifier(root.member("destination"));
  });
  need_for(call, "s3:PutObject", from);
  call.need_in("s3:PutObject", to.space);
  once(call, [&](const lake::AlsoCommit& also) -> boost::json::value {
    call.catalog->rename(from, to, also);
    return nullptr;
  });
  call.response.empty(204);
}

void report_metrics(Call& call) {
  call.need("s3:GetObject", call.catalog->load(call.name()).metadata->location);
  call.read_body([](const lake::JsonNode&) {});  // it is a report; nobody reads it yet
  call.response.empty(204);
}

}  // namespace meesh::serve::iceberg
