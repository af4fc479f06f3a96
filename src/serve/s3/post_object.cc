// Uploads from browsers: an HTML form with the file as its last field.
#include "net/head.h"
#include "serve/s3/acl.h"
#include "serve/s3/expiration.h"
#include "serve/s3/form_parser.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/upload.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;
using Fields = std::map<std::string, std::string>;

// What becomes a header of answers must not be able to break them.
void check_text(const std::string& name, const std::string& value) {
  bool control = std::any_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (control) {
    throw S3Error("InvalidArgument", 400, "A field's value cannot contain control characters",
                  {{"ArgumentName", name}});
  }
}

// The form's fields stand for the headers of a PUT.
void fields_to_headers(Call& call, const Fields& fields) {
  constexpr std::string_view kPlain[] = {"content-type",     "cache-control", "content-disposition",
                                         "content-encoding", "expires",       "content-language"};
  call.request.headers.remove("Content-Type");
  for (const auto& [name, value] : fields) {
    bool plain = std::find(std::begin(kPlain), std::end(kPlain), name) != std::end(kPlain);
    bool amz = name.starts_with("x-amz-") && net::is_token(name);
    // A form's signature is none of the headers'.
    if (name == "x-amz-signature" || name == "x-amz-credential" || name == "x-amz-algorithm" ||
        name == "x-amz-date" || name == "x-amz-security-token") {
      continue;
    }
    if (!plain && !amz) continue;
    check_text(name, value);
    call.request.headers.set(name, value);
  }
  if (auto it = fields.find("acl"); it != fields.end()) {
    check_text("acl", it->second);
    call.request.headers.set("x-amz-acl", it->second);
  }
  if (auto it = fields.find("tagging"); it != fields.end() && !it->second.empty()) {
    XmlRequest xml(it->second, "Tagging");
    std::string header;
    for (const auto& [key, value] : read_tag_set(xml.root().child("TagSet"), kMaxObjectTags)) {
      header += fmt::format("{}{}={}", header.empty() ? "" : "&", net::percent_encode(key),
                            net::percent_encode(value));
    }
    call.request.headers.set("x-amz-tagging", header);
  }
}

std::string key_of(const Fields& fields, const std::string& file_name) {
  auto it = fields.find("key");
  if (it == fields.end()) {
    throw S3Error("InvalidArgument", 400, "Bucket POST must contain a field named 'key'.",
                  {{"ArgumentName", "key"}});
  }
  constexpr std::string_view kName = "${filename}";
  std::string key = it->second;
  // Browsers have sent whole paths.
  std::string name = file_name.substr(file_name.find_last_of("/\\") + 1);
  if (size_t at = key.find(kName); at != std::string::npos) key.replace(at, kName.size(), name);
  return key;
}

void pour_file(Call& call, FormParser& form,
               const std::optional<std::pair<uint64_t, uint64_t>>& size, objects::Writer& writer) {
  uint64_t total = 0, most = call.service.options.max_upload_bytes;
  if (size) most = std::min(most, size->second);
  for (;;) {
    std::string_view piece = form.file_piece();
    if (piece.empty()) break;
    total += piece.size();
    if (total > most) {
      throw S3Error("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size",
                    {{"MaxSizeAllowed", std::to_string(most)}});
    }
    writer.write(piece);
  }
  if (size && total < size->first) {
    throw S3Error(
        "EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size",
        {{"ProposedSize", std::to_string(total)}, {"MinSizeAllowed", std::to_string(size->first)}});
  }
}

void answer_form(Call& call, const Fields& fields, const objects::Object& made) {
  std::string location = fmt::format("{}://{}/{}/{}", call.request.tls ? "https" : "http",
                                     call.header("Host"), call.bucket, encode_key(call.key));
  call.set("ETag", quoted_etag(made.etag));
  call.set("Location", location);
  set_version_header(call, made, call.response.headers);
  set_expiration_header(call, made, call.response.headers);
  set_encryption_headers(made.encryption, made.customer_key_md5, call.response.headers);
  auto field = [&](const char* name) {
    auto it = fields.find(name);
    return it == fields.end() ? std::string() : it->second;
  };
  std::string redirect = field("success_action_redirect");
  if (redirect.empty()) redirect = field("redirect");
  bool web = redirect.starts_with("http://") || redirect.starts_with("https://");
  if (web && std::none_of(redirect.begin(), redirect.end(),
                          [](char c) { return static_cast<unsigned char>(c) <= 0x20; })) {
    call.set("Location",
             fmt::format("{}{}bucket={}&key={}&etag={}", redirect,
                         redirect.find('?') == std::string::npos ? "?" : "&",
                         net::percent_encode(call.bucket), net::percent_encode(call.key),
                         net::percent_encode(quoted_etag(made.etag))));
    call.answer(303);
    return;
  }
  std::string status = field("success_action_status");
  if (status == "201") {
    XmlAnswer xml("PostResponse", nullptr);
    add(xml.root(), "Location", location);
    add(xml.root(), "Bucket", call.bucket);
    add(xml.root(), "Key", call.key);
    add(xml.root(), "ETag", quoted_etag(made.etag));
    call.answer(xml, 201);
    return;
  }
  call.answer(status == "200" ? 200 : 204);
}

}  // namespace

void post_object(Call& call) {
  std::string type(call.header("Content-Type"));
  if (!type.starts_with("multipart/form-data")) {
    throw S3Error("PreconditionFailed", 412,
                  "At least one of the pre-conditions you specified did not hold",
                  {{"Condition", "Bucket POST must be of the enclosure-type multipart/form-data"}});
  }
  FormParser form(type, [&](char* buffer, size_t size) { return call.request.read(buffer, size); });
  if (!form.read_fields()) {
    throw S3Error("InvalidArgument", 400, "POST requires exactly one file upload per request.",
                  {{"ArgumentName", "file"}, {"ArgumentValue", "0"}});
  }
  Fields fields = form.fields();
  std::optional<std::pair<uint64_t, uint64_t>> size;
  call.key = key_of(fields, form.file_name());
  objects::check_key(call.key);
  // Without a policy it is a stranger's: the bucket decides.
  if (fields.contains("policy")) {
    fields["key"] = call.key;
    auto checked = call.service.authenticator.check_post_policy(fields, call.bucket);
    call.who.credentials = checked.credentials;
    call.who.signature_version = "AWS4-HMAC-SHA256";
    size = checked.size;
  }
  fields_to_headers(call, fields);
  call.require("s3:PutObject");
  objects::Attributes attributes = read_attributes(call);
  objects::WriteOptions options;
  read_encryption(call, options);
  read_digests(call, options);
  keep_a_checksum(options);
  auto writer = call.store().put(call.bucket, call.key, std::move(attributes), options);
  pour_file(call, form, size, *writer);
  objects::Object made = writer->commit({});
  answer_form(call, fields, made);
}

}  // namespace meesh::serve::s3
