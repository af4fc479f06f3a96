// IAM's policy language (Version 2012-10-17): identity policies and bucket policies.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::access {

enum class Effect { kNone, kAllow, kDeny };

/// What is asked of one policy. `principal`: user name, "" = anonymous.
struct PolicyRequest {
  std::string_view principal, action, resource;
  const std::map<std::string, std::vector<std::string>>* context = nullptr;
};

class Policy {
 public:
  /// Throws INVALID_ARGUMENTS with line:column of what is wrong, and what was expected.
  /// kResource: bucket policies, whose statements must have a Principal.
  enum class Kind { kIdentity, kResource };
  static Policy parse(std::string_view json, Kind kind);

  /// kDeny wins over kAllow.
  Effect evaluate(const PolicyRequest& request) const;
  /// Allows somebody who is not known: what BlockPublicPolicy and GetBucketPolicyStatus ask.
  bool is_public() const;
  /// Resources named lie all in this bucket; S3 refuses other bucket policies.
  bool only_about(std::string_view bucket) const;

 private:
  struct Statement;
  std::shared_ptr<const std::vector<Statement>> statements_;
};

}  // namespace meesh::access
