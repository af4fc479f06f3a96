// IAM's policy language (Versions 2012-10-17 and 2008-10-17): identity policies and bucket
// policies.
//
// Understood: Statement (one or several) with Sid, Effect, Principal or NotPrincipal, Action or
// NotAction, Resource or NotResource, Condition with every operator of IAM; * and ?; the variables
// ${aws:username}, ${aws:userid}, ${*} and their like. What is not understood is refused, never
// skipped. Version 2008-10-17, also meant where there is none, has no variables, as in IAM.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::access {

struct PolicyStatement;

/// Longer ones are refused (IAM's own limit for bucket policies).
inline constexpr size_t kMostPolicyBytes = 20 * 1024;

enum class Effect { kNone, kAllow, kDeny };

/// What is asked of one policy. `principal`: user name, "" = anonymous. `context`: condition keys
/// in lower case, but for what stands behind a slash ("s3:existingobjecttag/Team"); aws:username,
/// aws:userid, aws:PrincipalArn follow from the principal whatever it says, aws:CurrentTime and
/// aws:EpochTime come from the clock unless it has them.
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

  /// A policy that says nothing.
  Policy() = default;

  /// kDeny wins over kAllow.
  Effect evaluate(const PolicyRequest& request) const;
  /// Allows somebody who is not known: what BlockPublicPolicy and GetBucketPolicyStatus ask.
  bool is_public() const;
  /// Resources named lie all in this bucket; S3 refuses other bucket policies.
  bool only_about(std::string_view bucket) const;

 private:
  std::shared_ptr<const std::vector<PolicyStatement>> statements_;
};

}  // namespace meesh::access
