// What parts make: S3's rules for CompleteMultipartUpload.
#include <fmt/format.h>

#include "base/text.h"
#include "objects/local/multipart.h"

namespace meesh::objects {
namespace {

constexpr uint64_t kSmallestPart = 5 << 20;

std::string raw_of(const std::string& base64) {
  auto raw = base::from_base64(base64);
  if (!raw) throw ObjectError(Reason::kInternalError, "A stored checksum is damaged.");
  return std::move(*raw);
}

std::string raw_of_hex(const std::string& hex) {
  auto raw = base::from_hex(hex);
  if (!raw) throw ObjectError(Reason::kInternalError, "A stored ETag is damaged.");
  return std::move(*raw);
}

void check_order(const std::vector<CompletedPart>& parts) {
  if (parts.empty()) {
    throw ObjectError(Reason::kMalformedXML,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].number <= parts[i - 1].number) {
      throw ObjectError(Reason::kInvalidPartOrder,
                        "The list of parts was not in ascending order. The parts list must be "
                        "specified in order by part number.");
    }
  }
}

const PartRow& find_part(const std::map<int, PartRow>& found, const CompletedPart& asked) {
  const auto invalid = [] {
    return ObjectError(Reason::kInvalidPart,
                       "One or more of the specified parts could not be found. The part may not "
                       "have been uploaded, or the specified entity tag may not match the part's "
                       "entity tag.");
  };
  const auto there = found.find(asked.number);
  if (there == found.end() || there->second.part.etag != asked.etag) throw invalid();
  for (const auto& [kind, value] : asked.checksums) {
    const auto& known = there->second.part.checksums;
    if (const auto own = known.find(kind); own != known.end() && own->second != value) {
      throw invalid();
    }
  }
  return there->second;
}

std::string composite(ChecksumKind kind, const std::vector<Part>& parts) {
  const auto checksum = Checksum::start(kind);
  for (const Part& part : parts) checksum->update(raw_of(part.checksums.at(kind)));
  return fmt::format("{}-{}", base::to_base64(checksum->raw()), parts.size());
}

std::string full_object(ChecksumKind kind, const std::vector<Part>& parts) {
  std::string whole = raw_of(parts.front().checksums.at(kind));
  for (size_t i = 1; i < parts.size(); ++i) {
    whole = combine_crc(kind, whole, raw_of(parts[i].checksums.at(kind)), parts[i].size);
  }
  return base::to_base64(whole);
}

bool all_have(const std::vector<Part>& parts, ChecksumKind kind) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const Part& part) { return part.checksums.contains(kind); });
}

/// The upload's own checksum; values told by the client are held against what the parts give.
void add_checksums(const Upload& upload, const Checksums& expected, Object& object) {
  const auto& parts = object.parts;
  if (upload.checksum && all_have(parts, *upload.checksum)) {
    object.composite = upload.composite;
    object.checksums[*upload.checksum] = upload.composite ? composite(*upload.checksum, parts)
                                                          : full_object(*upload.checksum, parts);
  }
  for (const auto& [kind, value] : expected) {
    if (value.empty()) continue;
    std::string known;
    if (object.checksums.contains(kind) &&
        object.composite == (value.find('-') != std::string::npos)) {
      known = object.checksums.at(kind);
    } else if (has_full_object_form(kind) && all_have(parts, kind)) {
      known = full_object(kind, parts);
    } else if (value.find('-') != std::string::npos && all_have(parts, kind)) {
      known = composite(kind, parts);
    } else {
      throw ObjectError(Reason::kInvalidRequest,
                        fmt::format("The upload was created without a {} checksum of the whole "
                                    "object, so that the one given cannot be verified.",
                                    checksum_name(kind)));
    }
    if (known != value) {
      throw ObjectError(Reason::kBadDigest,
                        fmt::format("The {} you specified did not match the calculated checksum.",
                                    checksum_name(kind)));
    }
  }
}

}  // namespace

Row assemble(const Upload& upload, const std::map<int, PartRow>& found,
             const std::vector<CompletedPart>& parts, const Checksums& expected) {
  check_order(parts);
  Row row;
  row.flags = Row::kLayout;
  Object& object = row.object;
  object.key = upload.key;
  object.attributes = upload.attributes;
  object.encryption = upload.encryption;
  Md5 md5;
  for (const CompletedPart& asked : parts) {
    const PartRow& part = find_part(found, asked);
    md5.update(raw_of_hex(part.part.etag));
    object.size += part.part.size;
    object.parts.push_back(part.part);
    row.pieces.push_back(part.piece);
  }
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (object.parts[i].size < kSmallestPart) {
      throw ObjectError(Reason::kEntityTooSmall,
                        "Your proposed upload is smaller than the minimum allowed object size.");
    }
  }
  object.etag = fmt::format("{}-{}", base::to_hex(md5.raw()), parts.size());
  add_checksums(upload, expected, object);
  return row;
}

}  // namespace meesh::objects
