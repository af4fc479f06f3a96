// For tests: an S3 server on a free port over a local store in a temporary folder, and signed
// requests to it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <pugixml.hpp>
#include <string>

#include "access/access.h"
#include "base/log.h"
#include "base/text.h"
#include "meta/database.h"
#include "net/aws_signature.h"
#include "net/http.h"
#include "objects/store.h"
#include "serve/s3/s3.h"
#include "serve/s3/values.h"

namespace meesh::serve::s3 {

using Query = std::vector<std::pair<std::string, std::string>>;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  net::Headers headers;
  std::string body;

  std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(""));
  }
  /// The text at "Contents/Key" below the root; of several, all with commas between.
  std::string at(const char* path) const {
    pugi::xml_document document;
    if (!document.load_string(body.c_str(), pugi::parse_default | pugi::parse_ws_pcdata_single)) {
      return "(no XML) " + body;
    }
    std::string out;
    bool first = true;
    for (const auto& node : document.document_element().select_nodes(path)) {
      if (!first) out += ",";
      first = false;
      out += node.node().text().get();
    }
    return out;
  }
  std::string code() const { return at("Code"); }
};

class S3Test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_s3_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    log::configure({log::Level::kOff, log::Format::kJson, nullptr});
    database_ = meta::Database::open({.location = (folder_ / "meesh.db").string()});
    access_ = std::make_unique<access::Access>(access::Options{.database = database_.get(),
                                                               .key = std::string(32, 'k'),
                                                               .audit_folder = folder_ / "audit"});
    access_->set_root(root_.access_key, root_.secret_key);
    store_ = objects::open_local({.folder = folder_ / "objects",
                                  .master_keys = {{"1", std::string(32, 'm')}},
                                  .current_master_key = "1"});
    start({});
  }
  void TearDown() override {
    server_.reset();
    store_.reset();
    access_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
    log::configure({});
  }
  void start(Options options) {
    server_.reset();
    options.store = store_.get();
    options.access = access_.get();
    net::ServerOptions listener;
    listener.port = 0;
    listener.access_log = false;
    server_ = std::make_unique<net::Server>(listener);
    register_s3(*server_, std::move(options));
    server_->start();
    client_ = std::make_unique<net::Client>(fmt::format("http://127.0.0.1:{}", server_->port()));
  }

  std::string host() const { return fmt::format("127.0.0.1:{}", server_->port()); }

  /// Signed by `who`; `path` decoded.
  Answer ask_as(const net::AwsCredentials& who, const std::string& method, const std::string& path,
                const Query& query = {}, const Fields& fields = {}, std::string_view body = "") {
    net::Headers headers = headers_of(fields);
    std::string host_name(headers.get("Host").value_or(host()));
    net::sign_request({.method = method,
                       .host = host_name,
                       .path = path,
                       .query = &query,
                       .payload_hash = net::sha256_hex(body)},
                      who, "us-east-1",
                      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                      headers);
    return send(method, path, query, headers, body);
  }
  Answer ask(const std::string& method, const std::string& path, const Query& query = {},
             const Fields& fields = {}, std::string_view body = "") {
    return ask_as(root_, method, path, query, fields, body);
  }
  Answer ask_anonymously(const std::string& method, const std::string& path,
                         const Query& query = {}, const Fields& fields = {},
                         std::string_view body = "") {
    return send(method, path, query, headers_of(fields), body);
  }
  net::AwsCredentials user(const std::string& name, const std::string& policy) {
    access_->create_user(name, "");
    if (!policy.empty()) {
      access_->put_policy(name + "-policy", policy);
      access_->attach_policy(name, name + "-policy", true);
    }
    auto key = access_->create_key(name);
    return {key.access_key, key.secret_key, ""};
  }
  Answer put(const std::string& path, std::string_view body, const Fields& fields = {}) {
    return ask("PUT", path, {}, fields, body);
  }
  static std::string md5_header(std::string_view body) { return base::to_base64(md5(body)); }

  std::filesystem::path folder_;
  net::AwsCredentials root_{"AKIDROOT", "root-secret-of-tests", ""};
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;

 private:
  static net::Headers headers_of(const Fields& fields) {
    net::Headers headers;
    for (const auto& [name, value] : fields) headers.set(name, value);
    return headers;
  }
  Answer send(const std::string& method, const std::string& path, const Query& query,
              const net::Headers& headers, std::string_view body) {
    std::string target = net::canonical_path(path);
    char separator = '?';
    for (const auto& [name, value] : query) {
      target += separator + net::percent_encode(name) + "=" + net::percent_encode(value);
      separator = '&';
    }
    auto answer = client_->request(method, target, headers, body);
    return {answer.status, answer.headers, answer.body};
  }
};

}  // namespace meesh::serve::s3
