// The policy language from any bytes: parsing, evaluation, and matching against its definition.
//
// Input: what it is (one byte), then a policy; or, for an odd third bit, a pattern and a text
// parted by the first zero byte.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/condition_values.h"
#include "access/policy.h"
#include "access/policy_pattern.h"
#include "base/error.h"
#include "base/text.h"

namespace {

using namespace meesh::access;  // NOLINT(build/namespaces)

/// Wildcards by their definition, for ASCII.
bool reference(std::string_view pattern, std::string_view text) {
  std::vector<char> row(text.size() + 1);
  row[0] = 1;
  for (const char p : pattern) {
    std::vector<char> next(text.size() + 1);
    next[0] = p == '*' && row[0];
    for (size_t i = 1; i <= text.size(); ++i) {
      next[i] = p == '*' ? row[i] || next[i - 1] : row[i - 1] && (p == '?' || p == text[i - 1]);
    }
    row = std::move(next);
  }
  return row.back() != 0;
}

void match(std::string_view input) {
  const size_t zero = std::min(input.find('\0'), input.size());
  const std::string_view pattern = input.substr(0, zero);
  const std::string_view text = input.substr(std::min(zero + 1, input.size()));
  const PolicyRequest request{.principal = text};
  const bool found = Pattern::compile(pattern, {.variables = false}).matches(text, Facts(request));
  bool ascii = true;
  for (const char c : input) ascii &= static_cast<signed char>(c) >= 0;
  if (ascii && found != reference(pattern, text)) std::abort();
  if (const auto bytes = meesh::base::from_base64url(text);
      bytes && meesh::base::to_base64url(*bytes) != text)
    std::abort();
  parse_date(text);
  parse_number(text);
  if (const auto range = AddressRange::parse(text); range && !range->contains(*range)) std::abort();
}

void ask(std::string_view json, Policy::Kind kind) {
  Policy policy;
  try {
    policy = Policy::parse(json, kind);
  } catch (const meesh::Error& error) {
    if (error.code() != meesh::Code::kInvalidArguments || error.message().empty()) std::abort();
    return;
  }
  policy.is_public();
  policy.only_about("lake");
  const std::map<std::string, std::vector<std::string>> context = {
      {"aws:sourceip", {"10.1.2.3"}},
      {"aws:securetransport", {"true"}},
      {"aws:currenttime", {"2026-05-01T10:00:00Z"}},
      {"aws:useragent", {"aws-cli/2 é\xff"}},
      {"s3:prefix", {"raw/2026/", ""}},
      {"s3:max-keys", {"1000"}},
      {"aws:tagkeys", {"team", "cost"}}};
  for (const std::string_view principal : {"", "ann", "root", "web:1@x"}) {
    for (const std::string_view action : {"s3:GetObject", "s3:ListBucket", "admin:X"}) {
      for (const std::string_view resource :
           {"arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/é/a?b*c", "arn:aws:s3:::*"}) {
        const PolicyRequest request{principal, action, resource, &context};
        const Effect effect = policy.evaluate(request);
        if (effect != policy.evaluate(request) && json.find("Time") == std::string_view::npos) {
          std::abort();
        }
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 4) != 0) {
    match(input);
  } else {
    ask(input, (data[0] & 1) != 0 ? Policy::Kind::kResource : Policy::Kind::kIdentity);
  }
  return 0;
}
