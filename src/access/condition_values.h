// The types of values that conditions compare: numbers, dates, addresses, ARNs, bytes.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "access/policy_pattern.h"

namespace meesh::access {

/// A decimal number, nothing around it; not inf or nan.
std::optional<double> parse_number(std::string_view text);

/// W3C's profile of ISO 8601 ("2026", "2026-05", "2026-05-01", "2026-05-01T10:00:00.5Z", "…+02:00")
/// or seconds since 1970 (more than four digits). Without an offset: UTC.
std::optional<std::chrono::sys_time<std::chrono::milliseconds>> parse_date(std::string_view text);

/// "true" or "false" in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// A range of addresses. IPv4 addresses written as IPv6 (::ffff:10.0.0.1) are IPv4.
struct AddressRange {
  std::array<unsigned char, 16> address{};  // IPv4: the last four, behind ::ffff:
  int bits = 0;                             // of the sixteen bytes that count

  /// "10.0.0.0/8", "2001:db8::/32", "10.1.2.3".
  static std::optional<AddressRange> parse(std::string_view text);
  bool contains(const AddressRange& other) const;
  /// Wider than S3 takes for a restriction: IPv4 wider than /8, IPv6 wider than /32.
  bool wide() const;
};

/// An ARN's pattern: each of its six parts is matched apart, so that a * ends at a colon.
class ArnPattern {
 public:
  /// "*" or arn:partition:service:region:account:resource. Throws Error without position.
  static ArnPattern compile(std::string_view text, bool variables);
  bool matches(std::string_view arn, const Facts& facts) const;
  bool fixed() const;

 private:
  std::vector<Pattern> parts_;  // six, or one for "*"
};

}  // namespace meesh::access
