// Documents that are kept as text with the bucket and answered as they were given.
#include "objects/lifecycle.h"
#include "serve/s3/acl.h"
#include "serve/s3/handlers.h"
#include "serve/s3/lifecycle.h"
#include "serve/s3/notifications.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

void answer_document(Call& call, const char* name, const char* error, const char* message) {
  std::string text = call.document(name);
  if (text.empty()) throw S3Error(error, 404, message, {{"BucketName", call.bucket}});
  call.set("Content-Type", "application/xml");
  call.begun = true;
  call.response.write(text);
}

void keep(Call& call, const char* name, const std::string& text, int status = 200) {
  call.store().edit_bucket(call.bucket,
                           [&](objects::Bucket& bucket) { bucket.documents[name] = text; });
  call.answer(status);
}

void drop(Call& call, const char* name) {
  call.store().edit_bucket(call.bucket,
                           [&](objects::Bucket& bucket) { bucket.documents.erase(name); });
  call.answer(204);
}

// The one form of default encryption there is.
void check_encryption(const std::string& text) {
  XmlRequest xml(text, "ServerSideEncryptionConfiguration");
  only_children(xml.root(), {"Rule"});
  pugi::xml_node rule = xml.root().child("Rule");
  if (!rule || rule.next_sibling("Rule")) malformed_xml("one <Rule> is needed");
  only_children(
      rule, {"ApplyServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes"});
  if (rule.child("BlockedEncryptionTypes")) {
    throw S3Error(Reason::kNotImplemented, "BlockedEncryptionTypes is not implemented.");
  }
  pugi::xml_node apply = rule.child("ApplyServerSideEncryptionByDefault");
  if (!apply) malformed_xml("<Rule> lacks its <ApplyServerSideEncryptionByDefault>");
  only_children(apply, {"SSEAlgorithm", "KMSMasterKeyID"});
  std::string algorithm = needed_text(apply, "SSEAlgorithm");
  if (algorithm.starts_with("aws:kms")) {
    throw S3Error(Reason::kNotImplemented, "Keys of a KMS are not implemented, AES256 is.");
  }
  if (algorithm != "AES256") malformed_xml("<SSEAlgorithm> is AES256");
  if (apply.child("KMSMasterKeyID")) {
    throw S3Error(Reason::kInvalidArgument,
                  "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms");
  }
}

}  // namespace

void get_lifecycle(Call& call) {
  answer_document(call, "lifecycle", "NoSuchLifecycleConfiguration",
                  "The lifecycle configuration does not exist");
}

void put_lifecycle(Call& call) {
  std::string text = call.body();
  check_lifecycle(text);
  objects::parse_lifecycle(text);  // what runs it must understand it as well
  keep(call, "lifecycle", text);
}

void delete_lifecycle(Call& call) { drop(call, "lifecycle"); }

void get_encryption(Call& call) {
  answer_document(call, "encryption", "ServerSideEncryptionConfigurationNotFoundError",
                  "The server side encryption configuration was not found");
}

void put_encryption(Call& call) {
  std::string text = call.body();
  check_encryption(text);
  keep(call, "encryption", text);
}

void delete_encryption(Call& call) { drop(call, "encryption"); }

void get_cors(Call& call) {
  answer_document(call, "cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist");
}

void put_cors(Call& call) {
  std::string text = call.body();
  parse_cors(text);
  keep(call, "cors", text);
}

void delete_cors(Call& call) { drop(call, "cors"); }

void get_notification(Call& call) {
  std::string text = call.document("notification");
  if (text.empty()) {
    call.answer(XmlAnswer("NotificationConfiguration"));
    return;
  }
  call.set("Content-Type", "application/xml");
  call.begun = true;
  call.response.write(text);
}

void put_notification(Call& call) {
  std::string text = call.body();
  auto rules = parse_notification(text, target_names(call.service.options));
  if (rules.empty()) text.clear();
  call.store().edit_bucket(call.bucket, [&](objects::Bucket& bucket) {
    if (text.empty()) {
      bucket.documents.erase("notification");
    } else {
      bucket.documents["notification"] = text;
    }
  });
  if (call.service.notifications) call.service.notifications->set(call.bucket, text);
  call.answer(200);
}

void get_public_access_block(Call& call) {
  answer_document(call, "publicAccessBlock", "NoSuchPublicAccessBlockConfiguration",
                  "The public access block configuration was not found");
}

void put_public_access_block(Call& call) {
  constexpr const char* kSwitches[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                       "RestrictPublicBuckets"};
  std::string text = call.body();
  XmlRequest given(text, "PublicAccessBlockConfiguration");
  only_children(given.root(), {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                               "RestrictPublicBuckets"});
  // Written anew: blocks_public() reads this form alone.
  XmlAnswer kept("PublicAccessBlockConfiguration");
  for (const char* name : kSwitches) {
    std::string value = child_text(given.root(), name).value_or("false");
    for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (value != "true" && value != "false") {
      malformed_xml(fmt::format("<{}> is true or false", name));
    }
    add(kept.root(), name, value);
  }
  keep(call, "publicAccessBlock", kept.take_text());
}

void delete_public_access_block(Call& call) { drop(call, "publicAccessBlock"); }

void get_ownership_controls(Call& call) {
  answer_document(call, "ownershipControls", "OwnershipControlsNotFoundError",
                  "The bucket ownership controls were not found");
}

void put_ownership_controls(Call& call) {
  std::string text = call.body();
  XmlRequest given(text, "OwnershipControls");
  only_children(given.root(), {"Rule"});
  pugi::xml_node rule = given.root().child("Rule");
  if (!rule || rule.next_sibling("Rule")) malformed_xml("one <Rule> is needed");
  only_children(rule, {"ObjectOwnership"});
  std::string value = needed_text(rule, "ObjectOwnership");
  if (value != "BucketOwnerEnforced" && value != "BucketOwnerPreferred" &&
      value != "ObjectWriter") {
    malformed_xml("<ObjectOwnership> is BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter");
  }
  if (value == "BucketOwnerEnforced" && bucket_acl(call.bucket_info()) != "private") {
    throw S3Error("InvalidBucketAclWithObjectOwnership", 400,
                  "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  }
  XmlAnswer kept("OwnershipControls");
  add(add(kept.root(), "Rule"), "ObjectOwnership", value);
  keep(call, "ownershipControls", kept.take_text());
}

void delete_ownership_controls(Call& call) { drop(call, "ownershipControls"); }

}  // namespace meesh::serve::s3
