// What is known about a request when a policy is asked: the values of condition keys.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/policy.h"

namespace meesh::access {

/// The request's context, and the keys that follow from the request itself: aws:username,
/// aws:userid, aws:principalarn (these three are never taken from the context), aws:principaltype,
/// aws:currenttime and aws:epochtime (these are if given). One thread's, shorter-lived than the
/// request.
class Facts {
 public:
  explicit Facts(const PolicyRequest& request) : request_(request) {}
  /// Values of a key (lower case up to a slash); null if absent.
  const std::vector<std::string>* find(const std::string& key) const;

 private:
  const PolicyRequest& request_;
  mutable std::map<std::string, std::vector<std::string>> derived_;
};

/// ASCII letters alone.
std::string to_lower(std::string_view text);

}  // namespace meesh::access
