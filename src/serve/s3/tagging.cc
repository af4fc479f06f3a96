#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

objects::Tags read_tags(Call& call, size_t limit) {
  std::string body = call.body();
  XmlRequest xml(body, "Tagging");
  only_children(xml.root(), {"TagSet"});
  pugi::xml_node set = xml.root().child("TagSet");
  if (!set) malformed_xml("<Tagging> lacks its <TagSet>");
  only_children(set, {"Tag"});
  return read_tag_set(set, limit);
}

// Changes tags and tells the version. At another store, an object under a customer's key may be
// tagged, but not looked at without it.
void set_tags(Call& call, const objects::Tags& tags) {
  call.store().set_tags(call.bucket, call.key, call.version(), tags);
  try {
    auto object = call.store().head(call.bucket, call.key,
                                    {.version = call.version(), .without_content = true});
    set_version_header(call, object, call.response.headers);
  } catch (const objects::ObjectError&) {
    if (call.has("versionId")) call.set("x-amz-version-id", call.version());
  }
}

}  // namespace

void get_object_tagging(Call& call) {
  objects::Object object = call.store().head(call.bucket, call.key,
                                             {.version = call.version(), .without_content = true});
  set_version_header(call, object, call.response.headers);
  XmlAnswer xml("Tagging");
  add_tag_set(xml.root(), object.attributes.tags);
  call.answer(xml);
}

void put_object_tagging(Call& call) {
  objects::Tags tags = read_tags(call, kMaxObjectTags);
  set_tags(call, tags);
  call.answer(200);
}

void delete_object_tagging(Call& call) {
  set_tags(call, {});
  call.answer(204);
}

// A bucket's tags are kept as the document that GET answers.
void get_bucket_tagging(Call& call) {
  std::string text = call.document("tagging");
  if (text.empty()) throw S3Error("NoSuchTagSet", 404, "The TagSet does not exist");
  call.set("Content-Type", "application/xml");
  call.begun = true;
  call.response.write(text);
}

void put_bucket_tagging(Call& call) {
  objects::Tags tags = read_tags(call, kMaxBucketTags);
  XmlAnswer xml("Tagging");
  add_tag_set(xml.root(), tags);
  call.store().edit_bucket(
      call.bucket, [&](objects::Bucket& bucket) { bucket.documents["tagging"] = xml.take_text(); });
  call.answer(204);
}

void delete_bucket_tagging(Call& call) {
  call.store().edit_bucket(call.bucket,
                           [](objects::Bucket& bucket) { bucket.documents.erase("tagging"); });
  call.answer(204);
}

}  // namespace meesh::serve::s3
