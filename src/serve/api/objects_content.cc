#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "net/head.h"
#include "serve/api/caller.h"
#include "serve/api/objects_handlers.h"

namespace meesh::serve::api {

namespace json = boost::json;

namespace {

constexpr size_t kBuffer = 256 << 10;
/// What is read of a body that is refused, so that a client that only writes hears why.
constexpr uint64_t kDrained = 1 << 20;

std::string file_name(const std::string& key) {
  const size_t end = key.ends_with('/') ? key.size() - 1 : key.size();
  const size_t slash = end == 0 ? std::string::npos : key.rfind('/', end - 1);
  return key.substr(slash == std::string::npos ? 0 : slash + 1,
                    end - (slash == std::string::npos ? 0 : slash + 1));
}

/// A name for old clients, in which nothing can end the header or the quotes, and the real one.
std::string disposition(const std::string& key) {
  const std::string name = file_name(key);
  std::string plain;
  for (const char c : name) {
    const bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '-' || c == '_' || c == ' ';
    plain += safe ? c : '_';
  }
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain,
                     net::percent_encode(name));
}

/// Nothing of what an object holds ever runs in the console's origin: it is a file to keep, of no
/// type that a browser shows.
void set_safe_headers(net::Headers& headers, const objects::Object& object) {
  headers.set("Content-Type", "application/octet-stream");
  headers.set("Content-Disposition", disposition(object.key));
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  headers.set("Cache-Control", "private, no-store");
  headers.set("Accept-Ranges", "bytes");
  headers.set("ETag", "\"" + object.etag + "\"");
}

net::ByteRange range_of(ObjectsCall& call, const objects::Object& object) {
  const uint64_t size = object.size;
  auto header = call.request.headers.get("Range");
  const auto if_range = call.request.headers.get("If-Range");
  if (if_range && *if_range != "\"" + object.etag + "\"") header.reset();
  net::ByteRange range;
  switch (net::parse_range(header, size, range)) {
    case net::RangeResult::kPartial:
      call.response.status = 206;
      call.response.headers.set("Content-Range",
                                fmt::format("bytes {}-{}/{}", range.first, range.last, size));
      return range;
    case net::RangeResult::kUnsatisfiable:
      call.response.headers.set("Content-Range", fmt::format("bytes */{}", size));
      throw net::HttpError(416, fmt::format("the object has {} bytes", size), Code::kInvalidRange);
    case net::RangeResult::kAll:
      break;
  }
  return {0, size == 0 ? 0 : size - 1};
}

void send(net::Response& response, objects::Reader& reader, uint64_t at, uint64_t end) {
  if (const auto file = reader.file())
    return response.send_file(file->descriptor, file->offset + at, end - at);
  std::string buffer(std::min<uint64_t>(kBuffer, end - at), '\0');
  while (at < end) {
    const size_t got = reader.read(at, buffer.data(), std::min<uint64_t>(buffer.size(), end - at));
    if (got == 0) throw Error(Code::kIoError, "an object is shorter than its size");
    response.write({buffer.data(), got});
    at += got;
  }
}

/// By its name, where the client knows no type.
std::string type_of(std::string_view key) {
  static constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {".csv", "text/csv"},
      {".tsv", "text/tab-separated-values"},
      {".txt", "text/plain"},
      {".log", "text/plain"},
      {".md", "text/markdown"},
      {".json", "application/json"},
      {".jsonl", "application/x-ndjson"},
      {".ndjson", "application/x-ndjson"},
      {".yaml", "application/yaml"},
      {".yml", "application/yaml"},
      {".xml", "application/xml"},
      {".parquet", "application/vnd.apache.parquet"},
      {".avro", "application/vnd.apache.avro"},
      {".ipynb", "application/x-ipynb+json"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".gif", "image/gif"},
      {".webp", "image/webp"},
      {".pdf", "application/pdf"},
      {".zip", "application/zip"},
      {".gz", "application/gzip"}};
  for (const auto& [ending, type] : kTypes)
    if (key.ends_with(ending)) return type;
  return "application/octet-stream";
}

void drain(net::Request& request) {
  if (!request.content_length || *request.content_length > kDrained) return;
  std::string buffer(kBuffer, '\0');
  while (request.read(buffer.data(), buffer.size()) > 0) {
  }
}

net::HttpError taken(const std::string& key) {
  net::HttpError error(412, fmt::format("there is an object '{}' already", key),
                       Code::kAlreadyExists);
  error.with_hint("overwrite=true replaces it");
  return error;
}

/// Fails before the body is read where the outcome is certain; the commit decides.
void check_free(ObjectsCall& call, const std::string& key) {
  try {
    call.store.head(call.bucket, key, known_of(""));
  } catch (const objects::ObjectError& error) {
    if (objects::reason_status(error.reason()) == 404) return;
    throw;
  }
  drain(call.request);
  throw taken(key);
}

void pour(net::Request& request, objects::Writer& writer) {
  std::string buffer(kBuffer, '\0');
  while (const size_t got = request.read(buffer.data(), buffer.size()))
    writer.write({buffer.data(), got});
}

}  // namespace

void download(ObjectsCall& call) {
  const auto key = call.key();
  head_allowed(call, key, call.version());
  objects::ReadOptions wanted;
  wanted.version = call.version();
  const auto reader = call.store.get(call.bucket, key, wanted);
  const auto& object = reader->object();
  const auto range = range_of(call, object);
  set_safe_headers(call.response.headers, object);
  const uint64_t end = object.size == 0 ? 0 : range.last + 1;
  call.response.headers.set("Content-Length", std::to_string(end - range.first));
  try {
    if (end > range.first) send(call.response, *reader, range.first, end);
  } catch (const Error& error) {
    // The answer has begun: the connection is cut, so that the client sees that it is not whole.
    throw std::runtime_error(error.what());
  }
}

void upload(ObjectsCall& call) {
  need(call.request, Role::kEditor);
  const auto key = call.key();
  const bool overwrite = query_flag(call.request, "overwrite");
  call.asker.require("s3:PutObject", call.bucket, key);
  const auto& bucket = call.asker.bucket(call.bucket);
  if (!overwrite) check_free(call, key);
  auto options = write_options(bucket);
  options.size = call.request.content_length;
  objects::Attributes attributes;
  attributes.owner = call.asker.owner();
  attributes.content_type = call.request.headers.get("Content-Type").value_or("");
  if (attributes.content_type.empty() || attributes.content_type == "application/octet-stream")
    attributes.content_type = type_of(key);
  const auto writer = call.store.put(call.bucket, key, std::move(attributes), options);
  pour(call.request, *writer);
  objects::WriteCondition condition;
  if (!overwrite) condition.if_none_match = "*";
  objects::Object made;
  try {
    made = writer->commit(condition);
  } catch (const objects::ObjectError& error) {
    if (error.reason() == objects::Reason::kPreconditionFailed) throw taken(key);
    throw;
  }
  call.asker.wrote("s3:PutObject", call.bucket, key, 201);
  call.response.status = 201;
  made.key = key;
  answer(call.response, object_json(made, false));
}

void preview(ObjectsCall& call) {
  const auto key = call.key();
  const auto object = head_allowed(call, key, call.version());
  objects::ReadOptions wanted;
  wanted.version = call.version();
  const auto reader = call.store.get(call.bucket, key, wanted);
  const auto found = call.options.preview->look(call.bucket, key, *reader, object.latest,
                                                [&] { return call.request.client_gone(); });
  json::array columns, rows;
  for (const auto& column : found.columns)
    columns.push_back({{"name", readable(column.name)}, {"type", column.type}});
  for (const auto& row : found.rows) {
    json::array cells;
    for (const auto& cell : row)
      cells.push_back(cell ? json::value(readable(*cell)) : json::value(nullptr));
    rows.push_back(std::move(cells));
  }
  answer(call.response, json::object{{"format", found.format},
                                     {"columns", std::move(columns)},
                                     {"rows", std::move(rows)},
                                     {"more", found.more},
                                     {"beginning_only", found.beginning_only}});
}

}  // namespace meesh::serve::api
