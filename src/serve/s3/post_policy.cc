#include "serve/s3/post_policy.h"

#include <array>
#include <boost/json.hpp>
#include <set>

#include "base/text.h"
#include "net/aws_signature.h"
#include "objects/checksum.h"
#include "serve/s3/authentication.h"
#include "serve/s3/error.h"
#include "serve/s3/signature_claim.h"
#include "serve/s3/version_2.h"

namespace meesh::serve::s3 {
namespace {

namespace json = boost::json;
using objects::Reason;
using Milliseconds = std::chrono::sys_time<std::chrono::milliseconds>;

constexpr size_t kMaxPolicy = 256 << 10;

[[noreturn]] void malformed(const std::string& what) {
  throw S3Error("InvalidPolicyDocument", 400, "Invalid Policy: " + what);
}

[[noreturn]] void denied(const std::string& what) {
  throw S3Error(Reason::kAccessDenied, "Invalid according to Policy: " + what);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

// "2015-12-30T12:00:00.000Z", the fraction may be missing.
std::optional<Milliseconds> parse_iso_time(std::string_view t) {
  if (t.size() < 20 || t[4] != '-' || t[7] != '-' || t[13] != ':' || t[16] != ':' ||
      !t.ends_with('Z')) {
    return std::nullopt;
  }
  std::string compact;
  for (auto [at, size] : {std::pair{0, 4}, {5, 2}, {8, 5}, {14, 2}, {17, 2}}) {
    compact += t.substr(static_cast<size_t>(at), static_cast<size_t>(size));
  }
  auto time = net::parse_amz_timestamp(compact + "Z");
  std::string_view fraction = t.substr(19, t.size() - 20);
  if (!time || (!fraction.empty() && (fraction[0] != '.' || fraction.size() < 2))) {
    return std::nullopt;
  }
  int64_t milliseconds = 0;
  for (size_t i = 1, unit = 100; i < fraction.size(); ++i, unit /= 10) {
    if (fraction[i] < '0' || fraction[i] > '9') return std::nullopt;
    milliseconds += (fraction[i] - '0') * static_cast<int64_t>(unit);
  }
  return Milliseconds(*time) + std::chrono::milliseconds(milliseconds);
}

// A string, or a number as the policy writes it.
std::string scalar(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64() || value.is_uint64()) return json::serialize(value);
  malformed("Invalid Simple-Condition: Simple-Conditions must have a string as value.");
}

uint64_t bound(const json::value& value) {
  json::error_code error;
  uint64_t out = 0;
  if (value.is_number()) {
    out = value.to_number<uint64_t>(error);
  } else if (value.is_string()) {
    std::string_view text = value.get_string();
    bool digits =
        !text.empty() && text.size() < 20 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) malformed("content-length-range takes two numbers.");
    out = std::stoull(std::string(text));
  } else {
    malformed("content-length-range takes two numbers.");
  }
  if (error) malformed("content-length-range takes two numbers that are not negative.");
  return out;
}

// One item of the list; a content-length-range goes to `size` and gives nothing.
std::optional<FormCondition> parse_condition(const json::value& item,
                                             std::optional<std::pair<uint64_t, uint64_t>>& size) {
  using Match = FormCondition::Match;
  if (const json::object* simple = item.if_object()) {
    if (simple->size() != 1) {
      malformed("Invalid Simple-Condition: Simple-Conditions must have exactly one property.");
    }
    const auto& [name, value] = *simple->begin();
    return FormCondition{Match::kEqual, lower(name), scalar(value)};
  }
  const json::array* list = item.if_array();
  if (list == nullptr || list->size() != 3 || !list->front().is_string()) {
    malformed("Invalid Condition: it must be an object or a list of three.");
  }
  std::string verb = lower(list->front().get_string());
  if (verb == "content-length-range") {
    std::pair range = {bound(list->at(1)), bound(list->at(2))};
    if (range.first > range.second) malformed("content-length-range is empty.");
    size = range;
    return std::nullopt;
  }
  if (verb != "eq" && verb != "starts-with") malformed("Unknown condition '" + verb + "'.");
  std::string field = list->at(1).is_string() ? lower(list->at(1).get_string()) : "";
  if (field.size() < 2 || field[0] != '$') malformed("A condition's field begins with '$'.");
  return FormCondition{verb == "eq" ? Match::kEqual : Match::kPrefix, field.substr(1),
                       scalar(list->at(2))};
}

bool needs_no_condition(const std::string& field) {
  static const std::set<std::string, std::less<>> kExempt = {"policy", "x-amz-signature", "file",
                                                             "awsaccesskeyid", "signature"};
  return kExempt.contains(field) || field.starts_with("x-ignore-");
}

// Browsers may break long values into lines.
std::optional<std::string> decode(std::string_view field) {
  std::string text;
  for (char c : field) {
    if (c != '\r' && c != '\n' && c != ' ') text += c;
  }
  return base::from_base64(text);
}

using Fields = std::map<std::string, std::string>;

const std::string& required(const Fields& fields, const char* name) {
  auto found = fields.find(name);
  if (found == fields.end()) {
    throw S3Error(Reason::kInvalidArgument,
                  fmt::format("Bucket POST must contain a field named '{}'. If it is specified, "
                              "please check the order of the fields.",
                              name));
  }
  return found->second;
}

Credential form_credential(const Fields& fields) {
  if (fields.contains("awsaccesskeyid")) {
    throw S3Error(Reason::kInvalidRequest,
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  }
  if (required(fields, "x-amz-algorithm") != net::kAwsAlgorithm) {
    throw S3Error(Reason::kInvalidArgument, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  auto credential = parse_credential(required(fields, "x-amz-credential"));
  const std::string& date = required(fields, "x-amz-date");
  if (!credential || !net::parse_amz_timestamp(date) ||
      credential->scope.date != date.substr(0, 8)) {
    throw S3Error(Reason::kInvalidArgument,
                  "X-Amz-Credential and X-Amz-Date must be of one day and of the forms "
                  "\"<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request\" and \"YYYYMMDDTHHMMSSZ\".");
  }
  return std::move(*credential);
}

}  // namespace

bool FormCondition::met_by(std::string_view given) const {
  if (match == Match::kEqual) return given == value;
  if (field != "content-type") return given.starts_with(value);
  // A list of types: each must begin so.
  for (;;) {
    size_t end = given.find(',');
    if (!net::canonical_value(given.substr(0, end)).starts_with(value)) return false;
    if (end == std::string_view::npos) return true;
    given.remove_prefix(end + 1);
  }
}

std::string FormCondition::text() const {
  return json::serialize(
      json::array{match == Match::kEqual ? "eq" : "starts-with", "$" + field, value});
}

FormPolicy FormPolicy::parse(std::string_view text) {
  if (text.size() > kMaxPolicy) malformed("it is too long.");
  json::error_code error;
  json::value document = json::parse(text, error);
  if (error) malformed("Invalid JSON: " + error.message());
  if (!document.is_object()) malformed("it is no JSON object.");
  const json::object& top = document.get_object();
  FormPolicy policy;
  const json::value* expiration = top.if_contains("expiration");
  if (expiration == nullptr) malformed("Policy missing expiration.");
  auto time = expiration->is_string() ? parse_iso_time(expiration->get_string()) : std::nullopt;
  if (!time) malformed("Invalid 'expiration' value.");
  policy.expiration_ = *time;
  const json::value* conditions = top.if_contains("conditions");
  if (conditions == nullptr) malformed("Policy missing conditions.");
  if (!conditions->is_array() || conditions->get_array().empty()) {
    malformed("Invalid 'conditions' value: must be a List.");
  }
  if (top.size() != 2) malformed("Unexpected field beside expiration and conditions.");
  for (const json::value& item : conditions->get_array()) {
    if (auto condition = parse_condition(item, policy.size_)) {
      policy.conditions_.push_back(std::move(*condition));
    }
  }
  return policy;
}

void FormPolicy::check(const std::map<std::string, std::string>& fields, const std::string& bucket,
                       std::chrono::sys_seconds now) const {
  if (expiration_ <= now) denied("Policy expired.");
  std::map<std::string, std::string> asked = fields;
  asked["bucket"] = bucket;
  for (const FormCondition& condition : conditions_) {
    auto found = asked.find(condition.field);
    // A field that is not there counts as empty, which a prefix of nothing allows.
    if (!condition.met_by(found == asked.end() ? "" : std::string_view(found->second))) {
      denied("Policy Condition failed: " + condition.text());
    }
  }
  for (const auto& [name, value] : asked) {
    bool covered = needs_no_condition(name) ||
                   std::any_of(conditions_.begin(), conditions_.end(),
                               [&](const FormCondition& c) { return c.field == name; });
    if (!covered) denied("Extra input fields: " + name);
  }
}

Authenticator::PostPolicy Authenticator::check_post_policy(
    const std::map<std::string, std::string>& fields, const std::string& bucket) const {
  PostPolicy out;
  if (!fields.contains("policy") && !fields.contains("x-amz-signature") &&
      !fields.contains("x-amz-credential") && !fields.contains("awsaccesskeyid")) {
    return out;
  }
  const std::string& policy = required(fields, "policy");
  auto field = fields.find("x-amz-security-token");
  const std::string token = field != fields.end() ? field->second : "";
  if (fields.contains("awsaccesskeyid") && !fields.contains("x-amz-credential")) {
    out.credentials = find_credentials(lookup_, fields.at("awsaccesskeyid"), token, now());
    check_version_2_form(policy, required(fields, "signature"), out.credentials.secret_key);
  } else {
    Credential credential = form_credential(fields);
    check_scope(credential.scope, options_.region, {"s3"}, ClaimKind::kQuery);
    out.credentials = find_credentials(lookup_, credential.access_key, token, now());
    std::string right =
        net::sign(net::cached_signing_key(out.credentials.secret_key, credential.scope), policy);
    if (!net::equal_in_constant_time(right, required(fields, "x-amz-signature"))) {
      throw S3Error("SignatureDoesNotMatch", 403,
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your key and signing method.");
    }
  }
  auto document = decode(policy);
  if (!document) malformed("it is no base64.");
  FormPolicy parsed = FormPolicy::parse(*document);
  parsed.check(fields, bucket, now());
  out.size = parsed.size();
  return out;
}

}  // namespace meesh::serve::s3
