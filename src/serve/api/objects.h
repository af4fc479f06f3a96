// Buckets and their objects for the console: the store that S3 serves, over the mesh's own port and
// with its sign-in.
//
//   GET    /api/v1/buckets                              those the asker may see, with their sizes
//   POST   /api/v1/buckets                              {"name", "versioning", "quota"}
//   GET PUT DELETE  /api/v1/buckets/{bucket}            settings, lifecycle, notifications
//   PUT    /api/v1/buckets/{bucket}/lifecycle           {"xml"}, "" = none
//   GET    /api/v1/buckets/{bucket}/objects ?prefix=&delimiter=&versions=&cursor=&limit= GET
//   /api/v1/buckets/{bucket}/object              ?key=&version=: what is known of it GET
//   /api/v1/buckets/{bucket}/versions            ?key=&cursor= GET PUT
//   /api/v1/buckets/{bucket}/content           ?key=: the bytes, streamed both ways GET
//   /api/v1/buckets/{bucket}/preview             ?key=&version=: first rows of a file POST
//   /api/v1/buckets/{bucket}/{delete,copy,restore,share} PUT    /api/v1/buckets/{bucket}/tags
//   {"key", "version", "tags"}
//
// Keys are parameters and members, never parts of the path: they hold any character but NUL.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "access/access.h"
#include "net/http.h"
#include "objects/store.h"
#include "serve/api/objects_preview.h"

namespace meesh::serve::api {

/// All outlive the server.
struct ObjectsOptions {
  objects::Store* store = nullptr;
  access::Access* access = nullptr;
  FilePreview* preview = nullptr;
  /// Lists tell how much is in a bucket; not where counting means to list all of another S3.
  bool tell_usage = true;
  std::string region, root_access_key;
  /// "http://localhost:9000", "" = there is no S3 endpoint, and so no links to share.
  std::function<std::string()> s3_address;
};

void register_objects(net::Server& server, const ObjectsOptions& options);

}  // namespace meesh::serve::api
