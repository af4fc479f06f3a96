// What the asker of one request may do with buckets and objects: IAM policies of a user of the
// object store, the buckets' own policies and ACLs, as the S3 endpoint decides it. Everybody
// of an open mesh, the administrator of the configuration and the mesh's own programs may do what
// their role allows: handlers ask need() besides.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/access.h"
#include "net/http.h"
#include "objects/store.h"

namespace meesh::serve::api {

/// For one request, on its thread or on one that works for it; not thread-safe.
class ObjectsAsker {
 public:
  ObjectsAsker(objects::Store& store, access::Access& access, const net::Request& request);

  /// `key` "" = about the bucket itself. `about`: the version that is read, whose tags and ACL the
  /// policies may ask for.
  bool may(std::string_view action, const std::string& bucket, const std::string& key = {},
           const objects::Object* about = nullptr);
  /// Throws PERMISSION_DENIED and writes that into the audit trail.
  void require(std::string_view action, const std::string& bucket, const std::string& key = {},
               const objects::Object* about = nullptr);
  /// s3:ListBucket of what begins with `prefix`.
  bool may_list(const std::string& bucket, const std::string& prefix);
  void require_list(const std::string& bucket, const std::string& prefix);
  /// A change that was made, for the audit trail.
  void wrote(std::string_view action, const std::string& bucket, const std::string& key,
             int status);

  /// Of the bucket asked about: read once. Throws NoSuchBucket.
  const objects::Bucket& bucket(const std::string& name);
  /// Who owns what the asker makes.
  std::string owner() const;
  /// Nothing for those whose role alone decides.
  const std::optional<access::Identity>& identity() const { return identity_; }

 private:
  using Context = std::map<std::string, std::vector<std::string>>;
  struct Known {
    objects::Bucket bucket;
    std::optional<access::Policy> policy;
  };
  const Known* known(const std::string& bucket);
  access::Decision decide(std::string_view action, const std::string& bucket,
                          const std::string& key, const objects::Object* about, Context context);
  void deny(std::string_view action, const std::string& bucket, const std::string& key,
            const std::string& reason);

  objects::Store& store_;
  access::Access& access_;
  const std::string user_, address_, request_id_;
  const std::optional<access::Identity> identity_;
  Context context_;
  std::map<std::string, std::unique_ptr<Known>> buckets_;  // null: there is none
};

}  // namespace meesh::serve::api
