#include "app/object_service.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <fstream>

#include "base/log.h"
#include "base/text.h"
#include "lake/files.h"
#include "mesh/private_files.h"
#include "objects/encryption.h"
#include "objects/maintenance.h"
#include "serve/s3/s3.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;

fs::path keys_folder(const mesh::Mesh& mesh) { return mesh.data / "keys"; }

std::string random_bytes(size_t size) {
  std::string bytes(size, '\0');
  if (getrandom(bytes.data(), size, 0) != static_cast<ssize_t>(size)) {
    throw Error(Code::kIoError, "the kernel gives no random bytes");
  }
  return bytes;
}

fs::path master_key_file(const mesh::Mesh& mesh) { return keys_folder(mesh) / "master.key"; }

/// "" for a file that holds none.
std::optional<std::string> kept_master_key(const mesh::Mesh& mesh) {
  const auto kept = mesh::read_file(master_key_file(mesh));
  if (!kept) return std::nullopt;
  const auto key = base::from_base64(kept->substr(0, kept->find('\n')));
  return key && key->size() == 32 ? *key : "";
}

/// Objects and secrets sealed with a lost key cannot be read again, so it is durable first.
std::string master_key(const mesh::Mesh& mesh) {
  if (!mesh.storage.master_key.empty()) return mesh.storage.master_key;
  const fs::path file = master_key_file(mesh);
  if (const auto kept = kept_master_key(mesh)) {
    if (!kept->empty()) return *kept;
    throw Error(Code::kConfigInvalid, fmt::format("'{}' is not a key", file.string()))
        .with_hint("put the file back from your backup: what it sealed cannot be read without it");
  }
  const std::string key = random_bytes(32);
  mesh::write_file(file, base::to_base64(key) + "\n");
  return key;
}

/// Those the file names, and the one that meesh made before the file named any.
std::vector<std::string> old_master_keys(const mesh::Mesh& mesh) {
  std::vector<std::string> keys = mesh.storage.old_master_keys;
  if (mesh.storage.master_key.empty()) return keys;
  if (const auto kept = kept_master_key(mesh); kept && !kept->empty()) keys.push_back(*kept);
  return keys;
}

void make_root_keys(const mesh::Mesh& mesh) {
  const fs::path file = keys_folder(mesh) / "s3-root";
  if (!mesh.storage.access_key.empty() || fs::exists(file)) return;
  mesh::write_file(file, fmt::format("{}\n{}\n", "meesh-root", mesh::random_password()));
}

std::string content_type(const fs::path& file) {
  static const std::map<std::string, std::string> kTypes = {
      {".csv", "text/csv"},     {".json", "application/json"},
      {".md", "text/markdown"}, {".parquet", "application/vnd.apache.parquet"},
      {".txt", "text/plain"},   {".ipynb", "application/x-ipynb+json"},
      {".html", "text/html"}};
  const auto found = kTypes.find(file.extension().string());
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

void put_file(objects::Store& store, const std::string& bucket, const std::string& key,
              const fs::path& file) {
  objects::Attributes attributes;
  attributes.content_type = content_type(file);
  const auto writer = store.put(bucket, key, std::move(attributes), {});
  std::ifstream in(file, std::ios::binary);
  std::string buffer(256 << 10, '\0');
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    writer->write({buffer.data(), static_cast<size_t>(in.gcount())});
  }
  if (in.bad()) throw Error(Code::kIoError, fmt::format("cannot read '{}'", file.string()));
  writer->commit({});
}

/// Where processes of this machine reach who listens on `address`.
std::string loopback_for(const std::string& address) {
  if (address == "0.0.0.0") return "127.0.0.1";
  return address == "::" ? "::1" : address;
}

std::unique_ptr<objects::Store> open_store(const mesh::Mesh& mesh) {
  const mesh::Storage& storage = mesh.storage;
  if (storage.kind == mesh::Storage::Kind::kS3) {
    return objects::open_remote({.endpoint = storage.endpoint,
                                 .region = storage.region,
                                 .access_key = storage.access_key,
                                 .secret_key = storage.secret_key,
                                 .session_token = storage.session_token,
                                 .path_style = storage.path_style});
  }
  return objects::open_local(store_options(mesh));
}

}  // namespace

objects::LocalOptions store_options(const mesh::Mesh& mesh) {
  objects::LocalOptions options;
  options.folder = mesh.data / "objects";
  for (const auto& key : old_master_keys(mesh)) {
    options.master_keys[objects::master_key_id(key)] = key;
  }
  const std::string key = master_key(mesh);
  options.current_master_key = objects::master_key_id(key);
  options.master_keys[options.current_master_key] = key;
  return options;
}

RootKeys root_keys(const mesh::Mesh& mesh) {
  if (!mesh.storage.access_key.empty()) return {mesh.storage.access_key, mesh.storage.secret_key};
  const auto kept = mesh::read_file(keys_folder(mesh) / "s3-root");
  if (!kept) {
    throw Error(Code::kNotFound, "the mesh has no administrator's key yet")
        .with_hint("start it once: meesh serve");
  }
  const size_t line = kept->find('\n');
  return {kept->substr(0, line), kept->substr(line + 1, kept->find('\n', line + 1) - line - 1)};
}

meta::DatabaseOptions metadata_options(const mesh::Mesh& mesh) {
  if (mesh.metadata.kind == mesh::Metadata::Kind::kPostgresql) {
    return {meta::Backend::kPostgresql, mesh.metadata.url};
  }
  return {meta::Backend::kSqlite, (mesh.data / "meesh.db").string()};
}

std::unique_ptr<access::Access> open_access(const mesh::Mesh& mesh, meta::Database& database) {
  access::Options options;
  options.database = &database;
  options.key = master_key(mesh);
  options.old_keys = old_master_keys(mesh);
  options.audit_folder = mesh.data / "audit";
  auto access = std::make_unique<access::Access>(std::move(options));
  for (const auto& domain : mesh.domains) {
    std::vector<std::string> names;
    for (const auto& bucket : domain.buckets) names.push_back(bucket.name);
    if (domain.lake) {
      for (const auto& place : domain.lake->places())
        names.push_back(lake::parse_path(place + "/-").bucket);
    }
    access->set_domain(domain.name, names);
  }
  std::map<std::string, access::IssuerKey> issuers;
  for (const auto& [name, issuer] : mesh.storage.trust_issuers) {
    issuers[name] = {issuer.key, issuer.audiences};
  }
  access->trust_issuers(issuers);
  return access;
}

ObjectService::ObjectService(const mesh::Mesh& mesh, meta::Database& database) : mesh_(mesh) {
  mesh::make_folder(keys_folder(mesh), 0700);
  make_root_keys(mesh);
  store_ = open_store(mesh);
  access_ = open_access(mesh, database);
  const RootKeys root = root_keys(mesh);
  access_->set_root(root.access_key, root.secret_key);
  for (const auto& bucket : mesh.storage.buckets) make_bucket(bucket, "root");
  for (const auto& domain : mesh.domains) {
    for (const auto& bucket : domain.buckets) make_bucket(bucket, domain.name);
  }
}

void ObjectService::make_bucket(const mesh::Bucket& wanted, const std::string& owner) {
  objects::Bucket bucket;
  bucket.name = wanted.name;
  bucket.owner = owner;
  bucket.versioning =
      wanted.versioning ? objects::Versioning::kEnabled : objects::Versioning::kNever;
  bucket.quota = wanted.quota;
  try {
    store_->create_bucket(bucket);
  } catch (const objects::ObjectError& error) {
    if (error.reason() == objects::Reason::kBucketAlreadyExists ||
        error.reason() == objects::Reason::kBucketAlreadyOwnedByYou) {
      return;
    }
    throw;
  }
  if (wanted.seed.empty()) return;
  for (const auto& entry : fs::recursive_directory_iterator(wanted.seed)) {
    if (!entry.is_regular_file()) continue;
    put_file(*store_, wanted.name, fs::relative(entry.path(), wanted.seed).string(), entry.path());
  }
}

void ObjectService::authorize(const std::string& user, std::string_view action,
                              const std::string& bucket, const std::string& key) const {
  const auto identity = access_->identity(user);
  if (!identity) return;
  access::Question question;
  question.identity = &*identity;
  question.action = action;
  question.resource = "arn:aws:s3:::" + bucket + (action == "s3:ListBucket" ? "" : "/" + key);
  const auto decision = access_->decide(question);
  if (decision.allowed) return;
  throw Error(Code::kPermissionDenied,
              fmt::format("Access Denied: {} may not {} on s3://{}/{}", user, action, bucket, key));
}

void ObjectService::listen(std::optional<int> port) {
  if (!port) port = mesh_.storage.port;
  if (!port) return;
  net::ServerOptions options;
  options.address = mesh_.listen.address;
  options.port = *port;
  options.workers = 256;
  options.max_body_bytes = uint64_t{5} << 40;
  if (mesh_.tls) {
    options.tls = net::TlsOptions{mesh_.tls->certificate.string(), mesh_.tls->key.string()};
  }
  server_ = std::make_unique<net::Server>(options);
  serve::s3::Options served;
  served.store = store_.get();
  served.access = access_.get();
  served.region = mesh_.storage.region;
  served.webhooks = mesh_.storage.webhooks;
  for (const auto& [name, topic] : mesh_.storage.kafka) {
    served.kafka[name] = {.brokers = topic.brokers,
                          .topic = topic.topic,
                          .tls = topic.tls,
                          .ca_file = topic.ca.string(),
                          .certificate_file = topic.certificate.string(),
                          .key_file = topic.key.string(),
                          .mechanism = topic.mechanism,
                          .user = topic.user,
                          .password = topic.password};
  }
  serve::s3::register_s3(*server_, served);
  server_->start();
  const auto at = [&](const std::string& host) {
    const bool ipv6 = host.find(':') != std::string::npos;
    return fmt::format("{}://{}:{}", mesh_.tls ? "https" : "http",
                       ipv6 ? fmt::format("[{}]", host) : host, server_->port());
  };
  address_ = at(options.address == "127.0.0.1" ? "localhost" : options.address);
  if (mesh_.storage.kind == mesh::Storage::Kind::kS3) return;
  objects::maintenance(*store_).tell_address(at(loopback_for(options.address)));
}

void ObjectService::stop(std::chrono::milliseconds grace) {
  if (server_) server_->stop(grace);
}

}  // namespace meesh::app
