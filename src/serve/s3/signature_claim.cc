#include "serve/s3/signature_claim.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;
using std::chrono::seconds;

constexpr size_t kMaxSignedHeaders = 256;
constexpr seconds kMaxLifetime = std::chrono::hours(24 * 7);
constexpr char kUseV4[] =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

std::string malformed_name(ClaimKind kind) {
  return kind == ClaimKind::kHeader ? "AuthorizationHeaderMalformed"
                                    : "AuthorizationQueryParametersError";
}

[[noreturn]] void malformed(ClaimKind kind, const std::string& what) {
  throw S3Error(malformed_name(kind), 400,
                (kind == ClaimKind::kHeader ? "The authorization header is malformed; "
                                            : "Error parsing the X-Amz-… query parameters; ") +
                    what);
}

[[noreturn]] void denied(const std::string& message,
                         std::vector<std::pair<std::string, std::string>> elements = {}) {
  throw S3Error("AccessDenied", 403, message, std::move(elements));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (;;) {
    size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool is_field_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           std::string_view("-_.!#$%&'*+^`|~").find(c) != std::string_view::npos;
  });
}

bool is_signature(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void take_credential(std::string_view text, ClaimKind kind, SignatureClaim& claim) {
  auto credential = parse_credential(text);
  if (!credential) {
    malformed(kind,
              "the Credential is mal-formed; expecting "
              "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  claim.access_key = std::move(credential->access_key);
  claim.scope = std::move(credential->scope);
}

void take_signed_headers(std::string_view text, ClaimKind kind, SignatureClaim& claim) {
  claim.signed_headers = split(text, ';');
  std::vector<std::string> sorted = claim.signed_headers;
  std::sort(sorted.begin(), sorted.end());
  bool bad = sorted.size() > kMaxSignedHeaders ||
             std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  for (const std::string& name : sorted) {
    bad = bad || !is_field_name(name);
  }
  if (bad) malformed(kind, "the SignedHeaders are not a list of lower-case names.");
}

void take_signature(std::string_view text, ClaimKind kind, SignatureClaim& claim) {
  if (!is_signature(text)) malformed(kind, "the Signature is not 64 hexadecimal digits.");
  claim.signature = text;
}

void take_time(const std::string& timestamp, ClaimKind kind, SignatureClaim& claim) {
  auto time = net::parse_amz_timestamp(timestamp);
  if (!time) {
    if (kind == ClaimKind::kHeader) {
      denied("AWS authentication requires a valid Date or x-amz-date header");
    }
    malformed(kind, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  claim.timestamp = timestamp;
  claim.time = *time;
  if (claim.scope.date != timestamp.substr(0, 8)) {
    malformed(kind, fmt::format("Invalid credential date \"{}\". This date is not the same as "
                                "X-Amz-Date: \"{}\".",
                                claim.scope.date, timestamp.substr(0, 8)));
  }
}

// "Sun, 06 Nov 1994 08:49:37 GMT" as X-Amz-Date writes it; "" if it is none.
std::string from_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return "";
  auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return "";
  return fmt::format("{}{:02}{}T{}{}{}Z", text.substr(12, 4), month - kMonths.begin() + 1,
                     text.substr(5, 2), text.substr(17, 2), text.substr(20, 2), text.substr(23, 2));
}

// A header that must not come twice.
std::string single(const net::Request& request, std::string_view name) {
  auto values = request.headers.all(name);
  if (values.size() > 1) {
    throw S3Error(Reason::kInvalidRequest, fmt::format("The header {} was given twice.", name));
  }
  return values.empty() ? "" : std::string(trim(values[0]));
}

SignatureClaim read_header(std::string_view value, const net::Request& request) {
  constexpr auto kKind = ClaimKind::kHeader;
  SignatureClaim claim;
  std::map<std::string, std::string> fields;
  for (const std::string& part : split(value.substr(net::kAwsAlgorithm.size()), ',')) {
    std::string_view field = trim(part);
    size_t equals = field.find('=');
    if (equals == std::string_view::npos) malformed(kKind, "a field has no value.");
    if (!fields.emplace(field.substr(0, equals), field.substr(equals + 1)).second) {
      malformed(kKind, "a field comes twice.");
    }
  }
  for (const char* name : {"Credential", "SignedHeaders", "Signature"}) {
    if (!fields.contains(name)) malformed(kKind, fmt::format("it has no {}.", name));
  }
  if (fields.size() != 3) malformed(kKind, "it has a field too many.");
  take_credential(fields["Credential"], kKind, claim);
  take_signed_headers(fields["SignedHeaders"], kKind, claim);
  take_signature(fields["Signature"], kKind, claim);
  std::string date = single(request, "x-amz-date");
  if (date.empty()) {
    date = single(request, "date");
    if (std::string converted = from_http_date(date); !converted.empty()) date = converted;
  }
  take_time(date, kKind, claim);
  claim.token = single(request, "x-amz-security-token");
  return claim;
}

SignatureClaim read_query(const net::Request& request) {
  constexpr auto kKind = ClaimKind::kQuery;
  SignatureClaim claim;
  claim.presigned = true;
  auto parameter = [&](std::string_view wanted, bool required) -> std::string {
    std::optional<std::string> found;
    for (const auto& [name, value] : request.query) {
      if (name != wanted) continue;
      if (found) malformed(kKind, fmt::format("{} was given twice.", wanted));
      found = value;
    }
    if (!found && required) {
      malformed(kKind,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                "X-Amz-Expires parameters.");
    }
    return found.value_or("");
  };
  if (parameter("X-Amz-Algorithm", true) != net::kAwsAlgorithm) {
    malformed(kKind, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  take_credential(parameter("X-Amz-Credential", true), kKind, claim);
  take_signed_headers(parameter("X-Amz-SignedHeaders", true), kKind, claim);
  take_signature(parameter("X-Amz-Signature", true), kKind, claim);
  take_time(parameter("X-Amz-Date", true), kKind, claim);
  std::string expires = parameter("X-Amz-Expires", true);
  int64_t lifetime = 0;
  auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), lifetime);
  if (error != std::errc() || end != expires.data() + expires.size()) {
    malformed(kKind, "X-Amz-Expires should be a number");
  }
  if (lifetime < 0) malformed(kKind, "X-Amz-Expires must be non-negative");
  if (lifetime > kMaxLifetime.count()) {
    malformed(kKind,
              "X-Amz-Expires must be less than a week (in seconds); that is, the given "
              "X-Amz-Expires must be less than 604800 seconds");
  }
  claim.lifetime = seconds(lifetime);
  claim.token = parameter("X-Amz-Security-Token", false);
  return claim;
}

// The query as sent, sorted, without the signature.
std::string literal_query(std::string_view query) {
  std::vector<std::string> parts;
  for (std::string& part : split(query, '&')) {
    if (part.empty() || part.starts_with("X-Amz-Signature=")) continue;
    if (part.find('=') == std::string::npos) part += '=';
    parts.push_back(std::move(part));
  }
  std::sort(parts.begin(), parts.end());
  return base::join(parts, "&");
}

// For the <Error> document: XML holds neither control characters nor text that is not UTF-8.
std::string printable(std::string text) {
  bool utf8 = base::valid_utf8(text);
  for (char& c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || (byte >= 0x80 && !utf8)) c = '?';
  }
  return text;
}

}  // namespace

std::optional<Credential> parse_credential(std::string_view text) {
  std::array<std::string_view, 4> ends;  // date, region, service, aws4_request
  for (size_t i = ends.size(); i-- > 0;) {
    size_t slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    ends[i] = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  bool date = ends[0].size() == 8 && std::all_of(ends[0].begin(), ends[0].end(),
                                                 [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || !date || ends[1].empty() || ends[2].empty() || ends[3] != "aws4_request") {
    return std::nullopt;
  }
  return Credential{std::string(text),
                    {std::string(ends[0]), std::string(ends[1]), std::string(ends[2])}};
}

std::optional<SignatureClaim> read_claim(const net::Request& request) {
  std::string header = single(request, "authorization");
  bool in_query = false, version_2 = false;
  for (const auto& [name, value] : request.query) {
    in_query = in_query || name == "X-Amz-Algorithm" || name == "X-Amz-Signature" ||
               name == "X-Amz-Credential";
    version_2 = version_2 || name == "AWSAccessKeyId";
  }
  if (!header.empty() && (in_query || version_2)) {
    throw S3Error(Reason::kInvalidArgument,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                  "Signature query string parameter or the Authorization header should be "
                  "specified");
  }
  if (in_query) return read_query(request);
  if (version_2) throw S3Error(Reason::kInvalidRequest, kUseV4);
  if (header.empty()) return std::nullopt;
  if (header.starts_with(net::kAwsAlgorithm) &&
      (header.size() == net::kAwsAlgorithm.size() || header[net::kAwsAlgorithm.size()] == ' ')) {
    return read_header(header, request);
  }
  if (header.starts_with("AWS")) throw S3Error(Reason::kInvalidRequest, kUseV4);
  throw S3Error("InvalidArgument", 400, "Unsupported Authorization Type",
                {{"ArgumentName", "Authorization"}});
}

void check_scope(const net::SigningScope& scope, const std::string& region,
                 const std::vector<std::string_view>& services, ClaimKind kind) {
  if (scope.region != region && scope.region != "us-east-1") {
    std::string message = fmt::format(
        "The authorization header is malformed; the region '{}' is wrong; expecting '{}'",
        scope.region, region);
    throw S3Error(malformed_name(kind), 400, message, {{"Region", region}});
  }
  if (std::find(services.begin(), services.end(), scope.service) == services.end()) {
    malformed(kind, fmt::format("incorrect service \"{}\". This endpoint belongs to \"{}\".",
                                scope.service, services[0]));
  }
}

void check_time(const SignatureClaim& claim, net::AwsTime now, seconds max_skew) {
  auto iso = [](net::AwsTime time) {
    std::string t = net::amz_timestamp(time);
    return fmt::format("{}-{}-{}T{}:{}:{}Z", t.substr(0, 4), t.substr(4, 2), t.substr(6, 2),
                       t.substr(9, 2), t.substr(11, 2), t.substr(13, 2));
  };
  if (claim.presigned) {
    if (claim.time > now + max_skew) denied("Request is not valid yet");
    // A lifetime of no seconds is over at once.
    if (claim.lifetime.count() == 0 || now > claim.time + claim.lifetime) {
      denied("Request has expired", {{"X-Amz-Expires", std::to_string(claim.lifetime.count())},
                                     {"Expires", iso(claim.time + claim.lifetime)},
                                     {"ServerTime", iso(now)}});
    }
    return;
  }
  if (claim.time > now + max_skew || now > claim.time + max_skew) {
    throw S3Error("RequestTimeTooSkewed", 403,
                  "The difference between the request time and the current time is too large.",
                  {{"RequestTime", claim.timestamp},
                   {"ServerTime", iso(now)},
                   {"MaxAllowedSkewMilliseconds",
                    std::to_string(
                        std::chrono::duration_cast<std::chrono::milliseconds>(max_skew).count())}});
  }
}

access::Credentials find_credentials(const Authenticator::Lookup& lookup,
                                     const std::string& access_key, const std::string& token,
                                     net::AwsTime now) {
  auto found = lookup(access_key, token);
  if (!found) {
    if (!token.empty()) {
      throw S3Error("InvalidToken", 400, "The provided token is malformed or otherwise invalid.");
    }
    throw S3Error("InvalidAccessKeyId", 403,
                  "The AWS Access Key Id you provided does not exist in our records.",
                  {{"AWSAccessKeyId", printable(access_key)}});
  }
  if (found->expires && *found->expires <= now) {
    throw S3Error("ExpiredToken", 400, "The provided token has expired.");
  }
  return std::move(*found);
}

void check_signed_headers(const SignatureClaim& claim, const net::Request& request) {
  auto is_signed = [&](const std::string& name) {
    return std::find(claim.signed_headers.begin(), claim.signed_headers.end(), name) !=
           claim.signed_headers.end();
  };
  std::set<std::string> missing;
  if (!is_signed("host")) missing.insert("host");
  for (const auto& [name, value] : request.headers.items()) {
    std::string small = lower(name);
    if (small.starts_with("x-amz-") && !is_signed(small)) missing.insert(std::move(small));
  }
  if (missing.empty()) return;
  std::vector<std::string> names(missing.begin(), missing.end());
  denied("There were headers present in the request which were not signed",
         {{"HeadersNotSigned", base::join(names, ", ")}});
}

void check_signature(const SignatureClaim& claim, const net::Request& request,
                     std::string_view payload_hash, const std::string& signing_key) {
  net::CanonicalParts parts;
  parts.method = request.method;
  parts.payload_hash = payload_hash;
  for (const std::string& name : claim.signed_headers) {
    std::vector<std::string> values;
    for (std::string_view value : request.headers.all(name)) {
      values.push_back(net::canonical_value(value));
    }
    parts.headers.emplace_back(name, base::join(values, ","));
  }
  auto decoded = request.query;
  std::erase_if(decoded, [](const auto& item) { return item.first == "X-Amz-Signature"; });
  std::string_view target = request.target;
  size_t mark = std::min(target.find('?'), target.size());
  const std::array<std::string, 2> paths = {net::canonical_path(request.path),
                                            std::string(target.substr(0, mark))};
  const std::array<std::string, 2> queries = {
      net::canonical_query(decoded),
      literal_query(target.substr(std::min(mark + 1, target.size())))};
  std::string canonical, text;  // of the one right encoding
  for (size_t i = 0; i < 4; ++i) {
    size_t path = i % 2, query = i / 2;
    if ((path == 1 && paths[1] == paths[0]) || (query == 1 && queries[1] == queries[0])) continue;
    parts.path = paths[path];
    parts.query = queries[query];
    std::string candidate = net::canonical_request(parts);
    std::string to_sign = net::string_to_sign(claim.timestamp, claim.scope, candidate);
    if (net::equal_in_constant_time(net::sign(signing_key, to_sign), claim.signature)) return;
    if (i == 0) {
      canonical = std::move(candidate);
      text = std::move(to_sign);
    }
  }
  throw S3Error("SignatureDoesNotMatch", 403,
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
                {{"AWSAccessKeyId", printable(claim.access_key)},
                 {"StringToSign", printable(std::move(text))},
                 {"SignatureProvided", claim.signature},
                 {"CanonicalRequest", printable(std::move(canonical))}});
}

}  // namespace meesh::serve::s3
