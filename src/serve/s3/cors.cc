#include "serve/s3/cors.h"

#include "net/head.h"
#include "serve/s3/call.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

constexpr size_t kMaxRules = 100;

// One '*' at most, as S3 allows it.
bool fits(std::string_view pattern, std::string_view text, bool ignore_case) {
  auto same = [&](std::string_view a, std::string_view b) {
    return ignore_case ? net::equals_ignoring_case(a, b) : a == b;
  };
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return same(pattern, text);
  std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && same(text.substr(0, head.size()), head) &&
         same(text.substr(text.size() - tail.size()), tail);
}

std::vector<std::string> texts(pugi::xml_node rule, const char* name) {
  std::vector<std::string> out;
  for (pugi::xml_node child : rule.children(name)) out.emplace_back(child.text().get());
  return out;
}

void check_stars(const std::vector<std::string>& patterns, const char* name) {
  for (const std::string& pattern : patterns) {
    if (std::count(pattern.begin(), pattern.end(), '*') > 1) {
      throw S3Error(objects::Reason::kInvalidRequest,
                    fmt::format("{} \"{}\" can not have more than one wildcard.", name, pattern));
    }
  }
}

CorsRule parse_rule(pugi::xml_node node) {
  only_children(node, {"ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader",
                       "MaxAgeSeconds"});
  CorsRule rule;
  rule.id = child_text(node, "ID").value_or("");
  rule.origins = texts(node, "AllowedOrigin");
  rule.methods = texts(node, "AllowedMethod");
  rule.headers = texts(node, "AllowedHeader");
  rule.exposed = texts(node, "ExposeHeader");
  if (auto age = child_number(node, "MaxAgeSeconds")) {
    if (*age < 0 || *age > INT32_MAX) malformed_xml("<MaxAgeSeconds> is out of range");
    rule.max_age = static_cast<int>(*age);
  }
  if (rule.id.size() > 255) malformed_xml("<ID> is longer than 255 characters");
  if (rule.origins.empty() || rule.methods.empty()) {
    malformed_xml("<CORSRule> needs an <AllowedOrigin> and an <AllowedMethod>");
  }
  for (const std::string& method : rule.methods) {
    if (method != "GET" && method != "PUT" && method != "HEAD" && method != "POST" &&
        method != "DELETE") {
      throw S3Error(
          objects::Reason::kInvalidRequest,
          "Found unsupported HTTP method in CORS config. Unsupported method is " + method);
    }
  }
  check_stars(rule.origins, "AllowedOrigin");
  check_stars(rule.headers, "AllowedHeader");
  for (const std::string& header : rule.exposed) {
    if (!net::is_token(header)) malformed_xml("<ExposeHeader> is not the name of a header");
  }
  return rule;
}

bool allows_headers(const CorsRule& rule, std::string_view asked) {
  while (!asked.empty()) {
    size_t end = std::min(asked.find(','), asked.size());
    std::string_view name = asked.substr(0, end);
    asked.remove_prefix(std::min(end + 1, asked.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    bool fit = name.empty() || std::any_of(rule.headers.begin(), rule.headers.end(),
                                           [&](const auto& h) { return fits(h, name, true); });
    if (!fit) return false;
  }
  return true;
}

std::string join(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

std::shared_ptr<const CorsRules> rules_of(Call& call) {
  std::string text = call.document("cors");
  if (text.empty()) return nullptr;
  return call.service.cors.get(text, [](const std::string& xml) { return parse_cors(xml); });
}

}  // namespace

CorsRules parse_cors(std::string_view xml) {
  XmlRequest document(xml, "CORSConfiguration");
  only_children(document.root(), {"CORSRule"});
  CorsRules rules;
  for (pugi::xml_node node : document.root().children("CORSRule")) {
    rules.push_back(parse_rule(node));
  }
  if (rules.empty() || rules.size() > kMaxRules) {
    malformed_xml("a CORSConfiguration has 1 to 100 rules");
  }
  return rules;
}

const CorsRule* find_cors_rule(const CorsRules& rules, std::string_view origin,
                               std::string_view method, std::string_view headers) {
  for (const CorsRule& rule : rules) {
    bool origin_fits = std::any_of(rule.origins.begin(), rule.origins.end(),
                                   [&](const auto& p) { return fits(p, origin, false); });
    bool method_fits =
        std::find(rule.methods.begin(), rule.methods.end(), method) != rule.methods.end();
    if (origin_fits && method_fits && allows_headers(rule, headers)) return &rule;
  }
  return nullptr;
}

void set_cors_headers(const CorsRule& rule, std::string_view origin, net::Headers& headers) {
  bool any = std::find(rule.origins.begin(), rule.origins.end(), "*") != rule.origins.end();
  headers.set("Access-Control-Allow-Origin", any ? "*" : std::string(origin));
  if (!any) headers.set("Access-Control-Allow-Credentials", "true");
  headers.set("Access-Control-Allow-Methods", join(rule.methods));
  if (!rule.exposed.empty()) headers.set("Access-Control-Expose-Headers", join(rule.exposed));
  if (rule.max_age >= 0) headers.set("Access-Control-Max-Age", std::to_string(rule.max_age));
  headers.set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

void answer_preflight(Call& call) {
  std::string origin(call.header("Origin"));
  std::string method(call.header("Access-Control-Request-Method"));
  if (origin.empty() || method.empty()) {
    throw S3Error("BadRequest", 400,
                  "Insufficient information. Origin request header needed and "
                  "Access-Control-Request-Method too.");
  }
  auto refuse = [&](const char* why) {
    throw S3Error("AccessForbidden", 403, fmt::format("CORSResponse: {}", why),
                  {{"Method", method}, {"ResourceType", call.key.empty() ? "BUCKET" : "OBJECT"}});
  };
  if (call.bucket.empty()) refuse("CORS is not enabled for this bucket.");
  std::shared_ptr<const CorsRules> rules;
  try {
    rules = rules_of(call);
  } catch (const objects::ObjectError&) {
    rules = nullptr;  // whether the bucket exists is not told to strangers
  }
  if (!rules) refuse("CORS is not enabled for this bucket.");
  std::string_view asked = call.header("Access-Control-Request-Headers");
  const CorsRule* rule = find_cors_rule(*rules, origin, method, asked);
  if (rule == nullptr) {
    refuse(
        "This CORS request is not allowed. This is usually because the evalution of Origin, "
        "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
        "whitelisted by the resource's CORS spec.");
  }
  set_cors_headers(*rule, origin, call.response.headers);
  if (!asked.empty()) call.set("Access-Control-Allow-Headers", std::string(asked));
  call.answer(200);
}

void add_cors_headers(Call& call) {
  std::string_view origin = call.header("Origin");
  if (origin.empty() || call.bucket.empty()) return;
  std::shared_ptr<const CorsRules> rules;
  try {
    rules = rules_of(call);
  } catch (const Error&) {
    return;  // the operation itself tells about the bucket
  }
  if (!rules) return;
  if (const CorsRule* rule = find_cors_rule(*rules, origin, call.request.method, "")) {
    set_cors_headers(*rule, origin, call.response.headers);
  }
}

}  // namespace meesh::serve::s3
