// The policy document of a browser's POST form: what may be sent with the form, and until when.
// Format: "POST Policy" in Amazon's S3 API reference.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meesh::serve::s3 {

/// One condition on a field of the form.
struct FormCondition {
  enum class Match { kEqual, kPrefix };
  Match match = Match::kEqual;
  std::string field;  // lower case
  std::string value;
  bool met_by(std::string_view given) const;
  std::string text() const;  // as a policy writes it
};

class FormPolicy {
 public:
  /// Throws S3Error InvalidPolicyDocument saying what is wrong.
  static FormPolicy parse(std::string_view json);

  /// Fields by lower-case name, without the file. Each must be covered by a condition (but the
  /// policy, its signature and x-ignore-…), and each condition be met. Throws S3Error AccessDenied.
  void check(const std::map<std::string, std::string>& fields, const std::string& bucket,
             std::chrono::sys_seconds now) const;
  /// content-length-range: least and most bytes of the file.
  std::optional<std::pair<uint64_t, uint64_t>> size() const { return size_; }

 private:
  std::chrono::sys_time<std::chrono::milliseconds> expiration_{};
  std::vector<FormCondition> conditions_;
  std::optional<std::pair<uint64_t, uint64_t>> size_;
};

}  // namespace meesh::serve::s3
