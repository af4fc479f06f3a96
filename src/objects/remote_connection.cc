#include "objects/remote_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "objects/remote_answers.h"

namespace meesh::objects {
namespace {

constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr size_t kMaxIdle = 64;
constexpr size_t kChunk = 256 << 10;
constexpr size_t kErrorBytes = 16 << 10;

std::string authority_of(const std::string& endpoint, std::string& scheme) {
  for (const char* known : {"http://", "https://"}) {
    if (!endpoint.starts_with(known)) continue;
    scheme = known;
    std::string rest = endpoint.substr(scheme.size());
    while (rest.ends_with('/')) rest.pop_back();
    if (!rest.empty() && rest.find('/') == std::string::npos) return rest;
  }
  throw Error(Code::kConfigInvalid,
              fmt::format("'{}' is no address of an S3: https://host:port", endpoint));
}

// The Host header leaves out the port that the scheme stands for, as clients do.
std::string host_header(const std::string& scheme, std::string authority) {
  std::string_view usual = scheme == "https://" ? ":443" : ":80";
  if (authority.ends_with(usual)) authority.resize(authority.size() - usual.size());
  return authority;
}

bool asks_to_come_again(int status) {
  return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

bool may_pass(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kExceededTimeLimit;
}

net::AwsTime now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string head_of_chunk(size_t size, const std::string& signature) {
  return fmt::format("{:x};chunk-signature={}\r\n", size, signature);
}

uint64_t framed_size(uint64_t size) {
  const std::string signature(64, '0');
  uint64_t out = size / kChunk * (head_of_chunk(kChunk, signature).size() + kChunk + 2);
  if (auto rest = static_cast<size_t>(size % kChunk); rest > 0) {
    out += head_of_chunk(rest, signature).size() + rest + 2;
  }
  return out + head_of_chunk(0, signature).size() + 2;
}

}  // namespace

RemoteConnection::RemoteConnection(RemoteOptions options, Pause pause)
    : options_(std::move(options)), pause_(std::move(pause)) {
  authority_ = authority_of(options_.endpoint, scheme_);
}

RemoteConnection::~RemoteConnection() = default;

RemoteConnection::Place RemoteConnection::place(const RemoteRequest& request) const {
  bool in_host = !options_.path_style && !request.bucket.empty();
  std::string authority = in_host ? request.bucket + "." + authority_ : authority_;
  std::string path = "/";
  if (!in_host && !request.bucket.empty())
    path += request.bucket + (request.key.empty() ? "" : "/");
  path += request.key;
  return {scheme_ + authority, host_header(scheme_, authority), std::move(path)};
}

std::unique_ptr<net::Client> RemoteConnection::borrow(const std::string& base) {
  {
    const std::lock_guard lock(mutex_);
    auto& clients = idle_[base];
    if (!clients.empty()) {
      auto client = std::move(clients.back());
      clients.pop_back();
      return client;
    }
  }
  return std::make_unique<net::Client>(base);
}

void RemoteConnection::give_back(const std::string& base, std::unique_ptr<net::Client> client) {
  const std::lock_guard lock(mutex_);
  auto& clients = idle_[base];
  if (clients.size() < kMaxIdle) clients.push_back(std::move(client));
}

net::ClientResponse RemoteConnection::attempt(const RemoteRequest& request,
                                              const std::function<void(std::string_view)>* sink) {
  Place where = place(request);
  net::Headers headers = request.headers;
  net::sign_request({.method = request.method,
                     .host = where.host,
                     .path = where.path,
                     .query = &request.query,
                     .payload_hash = net::sha256_hex(request.body)},
                    {options_.access_key, options_.secret_key, options_.session_token},
                    options_.region, now(), headers);
  std::string target = net::canonical_path(where.path);
  if (!request.query.empty()) target += "?" + net::canonical_query(request.query);
  auto client = borrow(where.base);
  auto response = sink != nullptr
                      ? client->request(request.method, target, headers, request.body, *sink)
                      : client->request(request.method, target, headers, request.body);
  give_back(where.base, std::move(client));
  return response;
}

net::ClientResponse RemoteConnection::repeat(
    const RemoteRequest& request, int* attempts,
    const std::function<std::function<void(std::string_view)>()>& sink) {
  std::chrono::milliseconds pause = kFirstPause;
  for (int i = 1;; ++i, pause *= 2) {
    if (attempts != nullptr) *attempts = i;
    std::string what;
    try {
      std::optional<std::function<void(std::string_view)>> into;
      if (sink) into = sink();
      net::ClientResponse response = attempt(request, into ? &*into : nullptr);
      if (!asks_to_come_again(response.status)) return response;
      what = fmt::format("it answers {}", response.status);
    } catch (const ObjectError&) {
      throw;
    } catch (const Error& e) {
      if (!may_pass(e)) throw ObjectError(Reason::kInternalError, e.message());
      what = e.message();
    }
    if (i == kAttempts) {
      throw ObjectError(Reason::kServiceUnavailable,
                        fmt::format("The S3 behind this one is out of order: {}.", what));
    }
    pause_(pause);
  }
}

net::ClientResponse RemoteConnection::try_call(const RemoteRequest& request, int* attempts) {
  return repeat(request, attempts, nullptr);
}

net::ClientResponse RemoteConnection::call(const RemoteRequest& request, int* attempts) {
  net::ClientResponse response = try_call(request, attempts);
  if (response.status >= 300) throw remote_error(response, request.key.empty());
  return response;
}

size_t RemoteConnection::read(const RemoteRequest& request, char* buffer, size_t size) {
  size_t got = 0;
  std::string start;  // an error would be told here
  net::ClientResponse response = repeat(request, nullptr, [&] {
    got = 0;
    start.clear();
    return [&](std::string_view piece) {
      if (start.size() < kErrorBytes) start += piece.substr(0, kErrorBytes - start.size());
      if (got < size) std::memcpy(buffer + got, piece.data(), std::min(piece.size(), size - got));
      got += piece.size();
    };
  });
  if (response.status >= 300) {
    response.body = start;
    throw remote_error(response, false);
  }
  if (got > size) {
    throw ObjectError(Reason::kInternalError, "The S3 behind this one gave more than was asked.");
  }
  return got;
}

std::unique_ptr<RemoteConnection::Streamed> RemoteConnection::stream(const RemoteRequest& request,
                                                                     uint64_t size) {
  Place where = place(request);
  net::Headers headers = request.headers;
  headers.set("Content-Encoding", "aws-chunked");
  headers.set("x-amz-decoded-content-length", std::to_string(size));
  net::AwsTime time = now();
  net::sign_request({.method = request.method,
                     .host = where.host,
                     .path = where.path,
                     .query = &request.query,
                     .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                    {options_.access_key, options_.secret_key, options_.session_token},
                    options_.region, time, headers);
  std::string target = net::canonical_path(where.path);
  if (!request.query.empty()) target += "?" + net::canonical_query(request.query);
  auto client = borrow(where.base);
  try {
    auto upload = client->upload(request.method, target, headers, framed_size(size));
    std::unique_ptr<Streamed> out(new Streamed(*this, std::move(client), std::move(upload)));
    std::string authorization(headers.get("Authorization").value_or(""));
    out->base_ = where.base;
    out->timestamp_ = net::amz_timestamp(time);
    out->scope_ = {out->timestamp_.substr(0, 8), options_.region, "s3"};
    out->key_ = net::cached_signing_key(options_.secret_key, out->scope_);
    out->previous_ = authorization.substr(authorization.rfind('=') + 1);
    return out;
  } catch (const Error& e) {
    throw ObjectError(Reason::kServiceUnavailable, e.message());
  }
}

RemoteConnection::Streamed::Streamed(RemoteConnection& connection,
                                     std::unique_ptr<net::Client> client,
                                     net::Client::Upload upload)
    : connection_(connection), client_(std::move(client)), upload_(std::move(upload)) {}

RemoteConnection::Streamed::~Streamed() = default;

void RemoteConnection::Streamed::send_chunk(std::string_view bytes) {
  previous_ = net::chunk_signature(key_, timestamp_, scope_, previous_, net::sha256_hex(bytes));
  try {
    upload_->write(head_of_chunk(bytes.size(), previous_));
    upload_->write(bytes);
    upload_->write("\r\n");
  } catch (const Error& e) {
    throw ObjectError(Reason::kServiceUnavailable, e.message());
  }
}

void RemoteConnection::Streamed::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (pending_.empty() && bytes.size() >= kChunk) {
      send_chunk(bytes.substr(0, kChunk));
      bytes.remove_prefix(kChunk);
      continue;
    }
    size_t take = std::min(bytes.size(), kChunk - pending_.size());
    pending_ += bytes.substr(0, take);
    bytes.remove_prefix(take);
    if (pending_.size() == kChunk) {
      send_chunk(pending_);
      pending_.clear();
    }
  }
}

net::ClientResponse RemoteConnection::Streamed::finish() {
  if (!pending_.empty()) send_chunk(pending_);
  send_chunk("");
  net::ClientResponse response;
  try {
    response = upload_->finish();
  } catch (const Error& e) {
    throw ObjectError(Reason::kServiceUnavailable, e.message());
  }
  upload_.reset();
  connection_.give_back(base_, std::move(client_));
  if (response.status >= 300) throw remote_error(response, false);
  return response;
}

}  // namespace meesh::objects
