#include "net/head.h"
#include "serve/s3/handlers.h"
#include "serve/s3/object_headers.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

using objects::ObjectError;
using objects::Reason;

constexpr size_t kBuffer = 256 << 10;

/// What of the content is asked for.
struct Slice {
  uint64_t offset = 0, size = 0;
  bool partial = false;
  const objects::Part* part = nullptr;
};

std::string_view read_action(const Call& call) {
  return call.has("versionId") ? "s3:GetObjectVersion" : "s3:GetObject";
}

// Opens, then asks: policies and ACLs may depend on the object. Without permission nothing is told,
// not even that there is no such object.
template <typename Open>
auto open_allowed(Call& call, Open open) {
  objects::ReadOptions options;
  options.version = call.version();
  options.customer_key = read_customer_key(call);
  std::optional<decltype(open(options))> opened;
  std::exception_ptr problem;
  try {
    opened = open(options);
  } catch (const ObjectError&) {
    problem = std::current_exception();
  }
  if (opened) {
    const objects::Object* object = nullptr;
    if constexpr (std::is_same_v<decltype(open(options)), objects::Object>) {
      object = &*opened;
    } else {
      object = &(*opened)->object();
    }
    call.object_acl = object->attributes.acl;
    call.add_existing_tags(object->attributes.tags);
  }
  call.require(read_action(call));
  if (problem) {
    call.bucket_info();
    std::rethrow_exception(problem);
  }
  return std::move(*opened);
}

Slice part_slice(const Call& call, const objects::Object& object, std::string_view text) {
  auto number = parse_number(text);
  if (!number || *number < 1 || *number > 10000) {
    throw S3Error("InvalidArgument", 400,
                  "Part number must be an integer between 1 and 10000, inclusive",
                  {{"ArgumentName", "partNumber"}, {"ArgumentValue", std::string(text)}});
  }
  if (call.request.headers.get("Range")) {
    throw S3Error(Reason::kInvalidRequest,
                  "Cannot specify both Range header and partNumber query parameter");
  }
  Slice slice{0, object.size, true, nullptr};
  if (object.parts.empty() && *number == 1) return slice;
  uint64_t offset = 0;
  for (const objects::Part& part : object.parts) {
    if (static_cast<uint64_t>(part.number) == *number) return {offset, part.size, true, &part};
    offset += part.size;
  }
  throw S3Error("InvalidPartNumber", 416, "The requested partnumber is not satisfiable",
                {{"PartNumberRequested", std::string(text)},
                 {"ActualPartCount", std::to_string(std::max<size_t>(object.parts.size(), 1))}});
}

Slice range_slice(Call& call, const objects::Object& object) {
  auto range = call.request.headers.get("Range");
  auto if_range = call.request.headers.get("If-Range");
  if (if_range && plain_etag(*if_range) != object.etag) {
    auto time = parse_http_time(*if_range);
    if (!time || *time != std::chrono::floor<std::chrono::seconds>(object.modified)) range.reset();
  }
  net::ByteRange bytes;
  switch (net::parse_range(range, object.size, bytes)) {
    case net::RangeResult::kAll:
      return {0, object.size, false, nullptr};
    case net::RangeResult::kPartial:
      return {bytes.first, bytes.last - bytes.first + 1, true, nullptr};
    case net::RangeResult::kUnsatisfiable:
      break;
  }
  call.set("Content-Range", fmt::format("bytes */{}", object.size));
  throw S3Error("InvalidRange", 416, "The requested range is not satisfiable",
                {{"RangeRequested", std::string(range.value_or(""))},
                 {"ActualObjectSize", std::to_string(object.size)}});
}

// response-content-type and its like: for who can sign alone, lest a public object be served as
// something else.
void override_headers(Call& call) {
  constexpr std::pair<const char*, const char*> kOverrides[] = {
      {"response-content-type", "Content-Type"},
      {"response-content-language", "Content-Language"},
      {"response-expires", "Expires"},
      {"response-cache-control", "Cache-Control"},
      {"response-content-disposition", "Content-Disposition"},
      {"response-content-encoding", "Content-Encoding"}};
  for (const auto& [parameter, header] : kOverrides) {
    if (!call.has(parameter)) continue;
    if (call.anonymous()) {
      throw S3Error(Reason::kInvalidRequest,
                    "Request specific response headers cannot be used for anonymous GET requests.");
    }
    std::string value = call.query(parameter);
    if (std::any_of(value.begin(), value.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      throw S3Error("InvalidArgument", 400, "Header value cannot contain control characters",
                    {{"ArgumentName", parameter}});
    }
    call.set(header, value);
  }
}

// Conditions, range and headers; what follows is the content.
Slice begin_answer(Call& call, const objects::Object& object) {
  auto condition = read_read_condition(call);
  try {
    check_read_condition(object, condition);
  } catch (const S3Error&) {
    call.set("ETag", quoted_etag(object.etag));
    call.set("Last-Modified", http_time(object.modified));
    set_version_header(call, object, call.response.headers);
    throw;
  }
  auto part = call.request.query_param("partNumber");
  Slice slice = part ? part_slice(call, object, *part) : range_slice(call, object);
  set_object_headers(call, object);
  override_headers(call);
  if (slice.part != nullptr) call.set("x-amz-mp-parts-count", std::to_string(object.parts.size()));
  bool whole = slice.size == object.size && slice.offset == 0;
  if (net::equals_ignoring_case(call.header("x-amz-checksum-mode"), "ENABLED")) {
    if (slice.part != nullptr) {
      set_checksum_headers(call, slice.part->checksums, object.composite);
    } else if (whole && !call.request.headers.get("Range")) {
      set_checksum_headers(call, object.checksums, object.composite);
    }
  }
  if (slice.partial) {
    call.response.status = 206;
    if (slice.size > 0) {
      call.set("Content-Range", fmt::format("bytes {}-{}/{}", slice.offset,
                                            slice.offset + slice.size - 1, object.size));
    }
  }
  call.set("Content-Length", std::to_string(slice.size));
  return slice;
}

void send(Call& call, objects::Reader& reader, const Slice& slice) {
  call.begun = true;
  if (auto file = reader.file()) {
    call.response.send_file(file->descriptor, file->offset + slice.offset, slice.size);
    return;
  }
  uint64_t at = slice.offset, end = slice.offset + slice.size;
  std::unique_ptr<char[]> buffer(new char[std::min<uint64_t>(kBuffer, slice.size + 1)]);
  bool first = true;
  while (at < end) {
    call.begun = !first;  // an error of the first read can still be told
    size_t got = reader.read(at, buffer.get(), std::min<uint64_t>(kBuffer, end - at));
    call.begun = true;
    first = false;
    if (got == 0) throw Error(Code::kIoError, "an object is shorter than its size");
    call.response.write({buffer.get(), got});
    at += got;
  }
}

}  // namespace

void get_object(Call& call) {
  auto reader = open_allowed(
      call, [&](const auto& options) { return call.store().get(call.bucket, call.key, options); });
  Slice slice = begin_answer(call, reader->object());
  send(call, *reader, slice);
}

void head_object(Call& call) {
  auto object = open_allowed(
      call, [&](const auto& options) { return call.store().head(call.bucket, call.key, options); });
  begin_answer(call, object);
  call.begun = true;
}

}  // namespace meesh::serve::s3
