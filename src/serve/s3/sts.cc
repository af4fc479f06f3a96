// The part of the Security Token Service that S3 clients use: POST "/" with a form, version
// 2011-06-15. Its answers and errors have a form of their own.
#include "net/http.h"
#include "serve/s3/handlers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using Form = std::map<std::string, std::string>;

constexpr const char* kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr size_t kMaxForm = 64 << 10;

void answer_sts_error(Call& call, int status, const std::string& code, const std::string& message) {
  XmlAnswer xml("ErrorResponse", kNamespace);
  pugi::xml_node error = add(xml.root(), "Error");
  add(error, "Type", std::string_view(status < 500 ? "Sender" : "Receiver"));
  add(error, "Code", code);
  add(error, "Message", message);
  add(xml.root(), "RequestId", call.request.id);
  call.answer(xml, status);
}

Form read_form(Call& call) {
  auto pairs = net::parse_query(call.body(kMaxForm));
  if (!pairs) throw S3Error("MalformedInput", 400, "The body is not a form.");
  Form form;
  for (auto& [name, value] : *pairs) form[name] = value;
  for (const auto& [name, value] : call.request.query) form.emplace(name, value);
  return form;
}

std::string field(const Form& form, const char* name) {
  auto it = form.find(name);
  return it == form.end() ? "" : it->second;
}

std::chrono::seconds duration(const Form& form) {
  std::string text = field(form, "DurationSeconds");
  if (text.empty()) return std::chrono::seconds(3600);
  auto seconds = parse_number(text);
  if (!seconds || *seconds < 900 || *seconds > 43200) {
    throw S3Error("ValidationError", 400, "DurationSeconds must be between 900 and 43200.");
  }
  return std::chrono::seconds(*seconds);
}

void add_credentials(pugi::xml_node result, const access::Credentials& credentials) {
  pugi::xml_node node = add(result, "Credentials");
  add(node, "AccessKeyId", credentials.access_key);
  add(node, "SecretAccessKey", credentials.secret_key);
  add(node, "SessionToken", credentials.session_token);
  if (credentials.expires) add(node, "Expiration", iso_time(*credentials.expires));
}

void add_role(pugi::xml_node result, const std::string& user, const Form& form) {
  std::string session = field(form, "RoleSessionName");
  pugi::xml_node node = add(result, "AssumedRoleUser");
  add(node, "Arn", fmt::format("arn:aws:sts::000000000000:assumed-role/{}/{}", user, session));
  add(node, "AssumedRoleId", fmt::format("{}:{}", user, session));
}

void finish(Call& call, XmlAnswer& xml) {
  add(add(xml.root(), "ResponseMetadata"), "RequestId", call.request.id);
  call.answer(xml);
}

void assume_role(Call& call, const Form& form) {
  if (call.anonymous()) throw S3Error(objects::Reason::kAccessDenied, "Access Denied.");
  auto made = call.service.options.access->assume(call.who.credentials, duration(form),
                                                  field(form, "Policy"));
  XmlAnswer xml("AssumeRoleResponse", kNamespace);
  pugi::xml_node result = add(xml.root(), "AssumeRoleResult");
  add_credentials(result, made);
  add_role(result, call.who.credentials.identity.user, form);
  finish(call, xml);
}

void assume_web_identity(Call& call, const Form& form) {
  std::string token = field(form, "WebIdentityToken");
  if (token.empty()) throw S3Error("ValidationError", 400, "WebIdentityToken is missing.");
  access::Credentials made;
  try {
    made = call.service.options.access->assume_web_identity(token, duration(form),
                                                            field(form, "Policy"));
  } catch (const Error& e) {
    if (e.code() != Code::kPermissionDenied) throw;
    throw S3Error("InvalidIdentityToken", 400, e.message());
  }
  XmlAnswer xml("AssumeRoleWithWebIdentityResponse", kNamespace);
  pugi::xml_node result = add(xml.root(), "AssumeRoleWithWebIdentityResult");
  add_credentials(result, made);
  add(result, "SubjectFromWebIdentityToken", made.identity.user);
  add_role(result, made.identity.user, form);
  finish(call, xml);
}

void caller_identity(Call& call) {
  if (call.anonymous()) throw S3Error(objects::Reason::kAccessDenied, "Access Denied.");
  const std::string& user = call.who.credentials.identity.user;
  XmlAnswer xml("GetCallerIdentityResponse", kNamespace);
  pugi::xml_node result = add(xml.root(), "GetCallerIdentityResult");
  add(result, "Arn", fmt::format("arn:aws:iam::000000000000:user/{}", user));
  add(result, "UserId", user);
  add(result, "Account", std::string_view("000000000000"));
  finish(call, xml);
}

}  // namespace

void sts(Call& call) {
  std::string action = "POST /";
  try {
    Form form = read_form(call);
    action = field(form, "Action");
    if (field(form, "Version") != "2011-06-15") {
      throw S3Error("MissingParameter", 400, "Version must be 2011-06-15.");
    }
    if (action == "AssumeRole") {
      assume_role(call, form);
    } else if (action == "AssumeRoleWithWebIdentity") {
      assume_web_identity(call, form);
    } else if (action == "GetCallerIdentity") {
      caller_identity(call);
      return;
    } else {
      throw S3Error("InvalidAction", 400,
                    fmt::format("Could not find operation {} for version 2011-06-15", action));
    }
    call.audit("sts:" + action, "arn:aws:sts:::*", true, 200, "");
  } catch (const std::exception& e) {
    if (call.begun) throw;
    const auto* ours = dynamic_cast<const Error*>(&e);
    if (ours != nullptr && ours->code() == Code::kInvalidArguments) {
      answer_sts_error(call, 400, "ValidationError", ours->message());
      return;
    }
    S3Error error = to_s3_error(e, call.request);
    call.audit("sts:" + action, "arn:aws:sts:::*", false, error.status(), error.message());
    answer_sts_error(call, error.status(), error.name(), error.message());
  }
}

}  // namespace meesh::serve::s3
