#include "net/tls.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "net/test_peer.h"

namespace meesh::net {
namespace {

using testing::HasSubstr;

// A self-signed certificate for `name` and 127.0.0.1 and its key, as two files in `folder`.
void write_certificate(const std::filesystem::path& folder, const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  static int serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  std::string names = "DNS:" + name + ",IP:127.0.0.1";
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  ASSERT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  // Written beside and renamed, as certificates are renewed.
  auto write = [&](const char* file, auto put) {
    std::FILE* out = std::fopen((folder / "new").c_str(), "w");
    put(out);
    std::fclose(out);
    std::filesystem::rename(folder / "new", folder / file);
  };
  write("key.pem", [&](std::FILE* out) {
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  write("cert.pem", [&](std::FILE* out) { PEM_write_X509(out, certificate); });
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/meesh_tls_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    write_certificate(folder_, "localhost");
    log::configure({log::Level::kOff, log::Format::kJson, nullptr});
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
    log::configure({});
  }
  void start(ServerOptions options = test_options()) {
    options.tls = TlsOptions{folder_ / "cert.pem", folder_ / "key.pem"};
    server_ = std::make_unique<Server>(options);
    server_->route("GET", "/ok", [](Request& q, Response& r) { r.text(q.tls ? "tls" : "plain"); });
    server_->route("POST", "/echo", [](Request& q, Response& r) { r.text(q.body(64 << 20)); });
    server_->route("GET", "/file", [this](Request&, Response& r) {
      std::FILE* file = std::fopen((folder_ / "cert.pem").c_str(), "r");
      uint64_t size = std::filesystem::file_size(folder_ / "cert.pem");
      r.headers.set("Content-Length", std::to_string(size - 5));
      r.send_file(fileno(file), 5, size - 5);
      std::fclose(file);
    });
    server_->start();
  }
  std::string base(const char* host = "127.0.0.1") {
    return fmt::format("https://{}:{}", host, server_->port());
  }
  ClientOptions trusting() {
    // A copy: the server's own file may be replaced meanwhile.
    auto file = folder_ / fmt::format("trusted{}.pem", ++copies_);
    std::filesystem::copy_file(folder_ / "cert.pem", file);
    return {.timeout = 20s, .ca_file = file};
  }

  std::filesystem::path folder_;
  std::unique_ptr<Server> server_;
  int copies_ = 0;
};

TEST_F(TlsTest, ServesAndVerifies) {
  start();
  for (const char* host : {"127.0.0.1", "localhost"}) {
    Client client(base(host), trusting());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.request("GET", "/ok", {}, "").body, "tls");
  }
  std::string large(3 << 20, 'x');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7);
  Client client(base(), trusting());
  EXPECT_EQ(client.request("POST", "/echo", {}, large).body, large);
}

TEST_F(TlsTest, ClientRefusesUnknownAndMisnamedServers) {
  start();
  auto refused = [&](Client& client) -> std::string {
    try {
      client.request("GET", "/ok", {}, "");
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kUnavailable);
      return e.what();
    }
    return "accepted";
  };
  Client distrusting(base());
  EXPECT_THAT(refused(distrusting), HasSubstr("self-signed certificate"));
  write_certificate(folder_, "example.org");
  Client misnamed(base("localhost"), trusting());
  EXPECT_THAT(refused(misnamed), HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, APinnedServerMayHaveAnyName) {
  write_certificate(folder_, "example.org");
  start();
  ClientOptions pinning = trusting();
  pinning.server_certificate = std::exchange(pinning.ca_file, "");
  for (const char* host : {"127.0.0.1", "localhost"}) {
    EXPECT_EQ(Client(base(host), pinning).request("GET", "/ok", {}, "").body, "tls");
  }
  write_certificate(folder_, "localhost");
  Client another(base("localhost"), pinning);
  try {
    another.request("GET", "/ok", {}, "");
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kUnavailable);
    EXPECT_THAT(e.what(), HasSubstr("rejected"));
  }
  pinning.server_certificate = folder_ / "key.pem";
  EXPECT_THROW(Client(base(), pinning), Error) << "no certificate in it";
}

TEST_F(TlsTest, ReadsRenewedCertificates) {
  start();
  auto old_trust = trusting();
  Client before(base(), old_trust);
  EXPECT_EQ(before.request("GET", "/ok", {}, "").status, 200);
  write_certificate(folder_, "localhost");
  Client after(base(), trusting());
  EXPECT_EQ(after.request("GET", "/ok", {}, "").status, 200);
  EXPECT_EQ(before.request("GET", "/ok", {}, "").status, 200);  // its connection lives on
  Client outdated(base(), old_trust);
  EXPECT_THROW(outdated.request("GET", "/ok", {}, ""), Error);
}

TEST_F(TlsTest, UnusableRenewalKeepsTheOld) {
  start();
  auto trust = trusting();
  std::ofstream(folder_ / "cert.pem") << "rubbish";
  Client client(base(), trust);
  EXPECT_EQ(client.request("GET", "/ok", {}, "").status, 200);
}

TEST_F(TlsTest, MissingFileIsNamed) {
  auto options = test_options();
  options.tls = TlsOptions{folder_ / "none.pem", folder_ / "key.pem"};
  Server server(options);
  try {
    server.start();
    ADD_FAILURE() << "started";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConfigInvalid);
    EXPECT_THAT(e.what(), HasSubstr("none.pem"));
    EXPECT_THAT(e.what(), HasSubstr("No such file"));
  }
}

// Whether a handshake with at most `version` succeeds.
bool shakes_hands(int port, int version) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, version);
  BIO* bio = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(bio, fmt::format("127.0.0.1:{}", port).c_str());
  bool done = BIO_do_handshake(bio) == 1;
  BIO_free_all(bio);
  SSL_CTX_free(context);
  return done;
}

TEST_F(TlsTest, SpeaksVersion12AndNewer) {
  start();
  EXPECT_FALSE(shakes_hands(server_->port(), TLS1_1_VERSION));
  EXPECT_TRUE(shakes_hands(server_->port(), TLS1_2_VERSION));
  EXPECT_TRUE(shakes_hands(server_->port(), TLS1_3_VERSION));
}

TEST_F(TlsTest, PlainHttpAndSilenceEndTheConnection) {
  auto options = test_options();
  options.header_timeout = 60ms;
  start(options);
  RawPeer plain(server_->port());
  plain.send(get("/ok"));
  EXPECT_THAT(plain.rest(), testing::Not(HasSubstr("200")));
  RawPeer silent(server_->port());
  EXPECT_EQ(silent.rest(), "");
}

TEST_F(TlsTest, SendsFiles) {
  start();
  std::ifstream file(folder_ / "cert.pem");
  std::string expected((std::istreambuf_iterator<char>(file)), {});
  Client client(base(), trusting());
  EXPECT_EQ(client.request("GET", "/file", {}, "").body, expected.substr(5));
}

TEST_F(TlsTest, IdleConnectionsAreParked) {
  auto options = test_options();
  options.workers = 2;
  options.linger = 0ms;
  start(options);
  auto trust = trusting();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(base(), trust));
    EXPECT_EQ(clients.back()->request("GET", "/ok", {}, "").body, "tls");
  }
  for (auto& client : clients) EXPECT_EQ(client->request("GET", "/ok", {}, "").body, "tls");
  EXPECT_LE(server_->load().threads, 2U);
  EXPECT_EQ(server_->load().connections, 20U);
}

}  // namespace
}  // namespace meesh::net
