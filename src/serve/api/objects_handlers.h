// What the handlers of buckets and objects share.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "objects/caller.h"
#include "serve/api/json_api.h"
#include "serve/api/objects.h"
#include "serve/api/objects_rights.h"

namespace meesh::serve::api {

/// One request with what it is asked of.
struct ObjectsCall {
  ObjectsCall(const ObjectsOptions& options, net::Request& request, net::Response& response)
      : options(options),
        store(*options.store),
        request(request),
        response(response),
        asker(store, *options.access, request),
        bucket(request.param("bucket")) {}

  const ObjectsOptions& options;
  objects::Store& store;
  net::Request& request;
  net::Response& response;
  ObjectsAsker asker;
  const std::string bucket;  // "" where none is named

  /// Of the query; throws for what is no key.
  std::string key() const;
  std::string version() const { return query_text(request, "version"); }
  /// For the events of what this call changes.
  objects::Caller caller() const { return {request.user, request.remote_address, request.id}; }
};

// objects_json.cc
/// Times are ms since 1970.
int64_t ms_of(objects::Time time);
/// Text of clients as JSON may hold it: bytes that are no UTF-8 are taken for Latin-1.
std::string readable(const std::string& text);
boost::json::object object_json(const objects::Object& object, bool all);
boost::json::object bucket_json(const objects::Bucket& bucket);
boost::json::object lifecycle_json(const std::string& xml);

/// Whether new objects of the bucket are encrypted unless they say otherwise, and what is kept of
/// each: as a PUT of the S3 endpoint does.
objects::WriteOptions write_options(const objects::Bucket& bucket);

/// To look at a version, "" = the latest, and leave its content aside.
objects::ReadOptions known_of(const std::string& version);

// objects.cc
void list_buckets(ObjectsCall& call);
void create_bucket(ObjectsCall& call);
void tell_bucket(ObjectsCall& call);
void change_bucket(ObjectsCall& call);
void delete_bucket(ObjectsCall& call);
void put_lifecycle(ObjectsCall& call);

// objects_listing.cc
void list_objects(ObjectsCall& call);
void tell_object(ObjectsCall& call);
void list_versions(ObjectsCall& call);
/// What is known of a version the asker may read, "" = the latest; its content is left aside.
objects::Object head_allowed(ObjectsCall& call, const std::string& key, const std::string& version);

// objects_content.cc
void download(ObjectsCall& call);
void upload(ObjectsCall& call);
void preview(ObjectsCall& call);

// objects_changes.cc
void delete_objects(ObjectsCall& call);
void copy_object(ObjectsCall& call);
void restore_version(ObjectsCall& call);
void put_tags(ObjectsCall& call);
void share(ObjectsCall& call);

}  // namespace meesh::serve::api
