#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::Reason;

std::set<std::string> wanted_attributes(const Call& call) {
  std::set<std::string> out;
  for (std::string_view line : call.request.headers.all("x-amz-object-attributes")) {
    while (!line.empty()) {
      size_t end = std::min(line.find(','), line.size());
      std::string name(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
      std::erase(name, ' ');
      if (name != "ETag" && name != "Checksum" && name != "ObjectParts" && name != "StorageClass" &&
          name != "ObjectSize") {
        throw S3Error(Reason::kInvalidArgument, "Invalid attribute name specified.");
      }
      out.insert(std::move(name));
    }
  }
  if (out.empty()) {
    throw S3Error(Reason::kInvalidRequest,
                  "The x-amz-object-attributes header specifying the attributes to be retrieved is "
                  "either missing or empty");
  }
  return out;
}

uint64_t header_number(const Call& call, const char* name, uint64_t otherwise) {
  auto text = call.request.headers.get(name);
  if (!text) return otherwise;
  auto number = parse_number(*text);
  if (!number || *number > INT32_MAX) {
    throw S3Error(Reason::kInvalidArgument, fmt::format("{} is not a number", name));
  }
  return *number;
}

void add_checksums(pugi::xml_node node, const objects::Checksums& checksums) {
  for (const auto& [kind, value] : checksums) {
    add(node, fmt::format("Checksum{}", objects::checksum_name(kind)).c_str(), value);
  }
}

void add_parts(const Call& call, pugi::xml_node root, const objects::Object& object) {
  uint64_t limit = std::min<uint64_t>(header_number(call, "x-amz-max-parts", 1000), 1000);
  uint64_t after = header_number(call, "x-amz-part-number-marker", 0);
  pugi::xml_node node = add(root, "ObjectParts");
  // Part by part only where they have checksums, as S3 does.
  bool detailed = !object.checksums.empty();
  std::vector<const objects::Part*> told;
  bool more = false;
  for (const objects::Part& part : object.parts) {
    if (static_cast<uint64_t>(part.number) <= after) continue;
    if (told.size() == limit) {
      more = true;
      break;
    }
    told.push_back(&part);
  }
  add_flag(node, "IsTruncated", detailed && more);
  add(node, "MaxParts", limit);
  if (detailed && !told.empty()) {
    add(node, "NextPartNumberMarker", static_cast<uint64_t>(told.back()->number));
  }
  add(node, "PartNumberMarker", after);
  add(node, "PartsCount", static_cast<uint64_t>(object.parts.size()));
  if (!detailed) return;
  for (const objects::Part* part : told) {
    pugi::xml_node one = add(node, "Part");
    add(one, "PartNumber", static_cast<uint64_t>(part->number));
    add(one, "Size", part->size);
    add_checksums(one, part->checksums);
  }
}

}  // namespace

void get_object_attributes(Call& call) {
  auto wanted = wanted_attributes(call);
  call.require(call.has("versionId") ? "s3:GetObjectVersion" : "s3:GetObject");
  objects::Object object = call.store().head(
      call.bucket, call.key, {.version = call.version(), .customer_key = read_customer_key(call)});
  check_read_condition(object, read_read_condition(call));
  set_version_header(call, object, call.response.headers);
  call.set("Last-Modified", http_time(object.modified));
  XmlAnswer xml("GetObjectAttributesResponse");
  if (wanted.contains("ETag")) add(xml.root(), "ETag", object.etag);
  if (wanted.contains("Checksum") && !object.checksums.empty()) {
    pugi::xml_node node = add(xml.root(), "Checksum");
    add_checksums(node, object.checksums);
    add(node, "ChecksumType", checksum_type(object.composite));
  }
  if (wanted.contains("ObjectParts") && !object.parts.empty()) add_parts(call, xml.root(), object);
  if (wanted.contains("StorageClass")) {
    add(xml.root(), "StorageClass", object.attributes.storage_class);
  }
  if (wanted.contains("ObjectSize")) add(xml.root(), "ObjectSize", object.size);
  call.answer(xml);
}

}  // namespace meesh::serve::s3
