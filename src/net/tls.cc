#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"

namespace meesh::net {
namespace {

std::string openssl_problem() {
  unsigned long code = ERR_get_error();  // NOLINT(runtime/int): OpenSSL's type
  ERR_clear_error();
  if (code == 0) return "unknown TLS problem";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS problem " + std::to_string(code);
}

// A socket BIO that never raises SIGPIPE.
int bio_write(BIO* bio, const char* data, int size) {
  auto fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  ssize_t n = ::send(fd, data, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* data, int size) {
  auto fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  ssize_t n = ::recv(fd, data, static_cast<size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long bio_control(BIO* bio, int command, long, void*) {  // NOLINT(runtime/int): OpenSSL's type
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_bio(int fd) {
  static BIO_METHOD* method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "meesh socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_control);
    return m;
  }();
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

class TlsStream final : public Stream {
 public:
  TlsStream(SSL_CTX* context, int fd) : fd_(fd), ssl_(SSL_new(context)) {
    if (ssl_ == nullptr) {
      ::close(fd_);
      throw std::bad_alloc();
    }
    BIO* bio = make_bio(fd);
    SSL_set_bio(ssl_, bio, bio);
  }
  ~TlsStream() override {
    if (established() && !failed_) SSL_shutdown(ssl_);  // says goodbye, does not wait for one
    ERR_clear_error();
    SSL_free(ssl_);
    ::close(fd_);
  }

  Io read(char* data, size_t size, Deadline deadline, size_t& got) override {
    return run(deadline, [&] { return SSL_read_ex(ssl_, data, size, &got); });
  }

  Io write(std::string_view first, std::string_view second,
           std::chrono::milliseconds stall) override {
    std::string joined;
    if (!first.empty() && first.size() + second.size() <= 16 << 10) {  // one record
      joined.reserve(first.size() + second.size());
      joined.append(first).append(second);
      first = joined;
      second = {};
    }
    for (std::string_view part : {first, second}) {
      while (!part.empty()) {
        size_t sent = 0;
        Io io = run(Clock::now() + stall,
                    [&] { return SSL_write_ex(ssl_, part.data(), part.size(), &sent); });
        if (io != Io::kOk) return io == Io::kEof ? Io::kError : io;
        part.remove_prefix(sent);
      }
    }
    return Io::kOk;
  }

  Io handshake(Deadline deadline) {
    return run(deadline, [&] { return SSL_do_handshake(ssl_); });
  }

  void end_writing() override {
    if (established() && !failed_) SSL_shutdown(ssl_);
    ERR_clear_error();
    ::shutdown(fd_, SHUT_WR);
  }
  void cut() override { ::shutdown(fd_, SHUT_RDWR); }
  bool peer_gone() override {
    pollfd p{fd_, POLLRDHUP, 0};
    return ::poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
  bool established() const override { return SSL_is_init_finished(ssl_) != 0; }
  bool wants_write() const override { return wants_write_; }
  int fd() const override { return fd_; }
  SSL* ssl() { return ssl_; }

 private:
  template <typename Step>
  Io run(Deadline deadline, Step step) {
    for (;;) {
      ERR_clear_error();
      wants_write_ = false;
      int result = step();
      if (result == 1) return Io::kOk;
      int error = SSL_get_error(ssl_, result);
      if (error == SSL_ERROR_ZERO_RETURN) return Io::kEof;
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        failed_ = true;
        return Io::kError;
      }
      wants_write_ = error == SSL_ERROR_WANT_WRITE;
      Io io = wait_for(fd_, wants_write_ ? POLLOUT : POLLIN, deadline);
      if (io != Io::kOk) return io;
    }
  }

  int fd_;
  SSL* ssl_;
  bool failed_ = false;
  bool wants_write_ = false;
};

using ContextPtr = std::shared_ptr<SSL_CTX>;

ContextPtr new_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// What tells that a file is another than before.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  time_t seconds = 0;
  int64_t nanoseconds = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp(const std::string& file) {
  struct stat s{};
  if (::stat(file.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

// HTTP/1.1 if the client offers protocols at all.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

struct TlsServer::Impl {
  TlsOptions options;
  std::mutex mutex;
  ContextPtr context;
  Stamp certificate_stamp, key_stamp;

  ContextPtr load() const {
    auto fresh = new_context(TLS_server_method());
    ERR_clear_error();
    auto fail = [](const std::string& file, const char* what) {
      std::string reason = ::access(file.c_str(), R_OK) != 0
                               ? std::generic_category().message(errno)
                               : openssl_problem();
      ERR_clear_error();
      throw Error(Code::kConfigInvalid, fmt::format("cannot use the {} {}: {}", what, file, reason))
          .with_hint("the certificate chain and its key are two PEM files");
    };
    if (SSL_CTX_use_certificate_chain_file(fresh.get(), options.certificate_file.c_str()) != 1) {
      fail(options.certificate_file, "TLS certificate");
    }
    if (SSL_CTX_use_PrivateKey_file(fresh.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(fresh.get()) != 1) {
      fail(options.key_file, "TLS key");
    }
    // Clients that just close are usual; HTTP's own framing tells a cut body.
    SSL_CTX_set_options(fresh.get(),
                        SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(fresh.get(), choose_protocol, nullptr);
    return fresh;
  }

  ContextPtr current() {
    std::lock_guard lock(mutex);
    Stamp certificate = stamp(options.certificate_file);
    Stamp key = stamp(options.key_file);
    if (context && certificate == certificate_stamp && key == key_stamp) return context;
    bool first = !context;
    try {
      context = load();
      if (!first) {
        log::info("TLS certificate read again", {{"certificate", options.certificate_file}});
      }
    } catch (const Error& e) {
      if (first) throw;
      log::error("the new TLS certificate is unusable, the old one stays", {{"error", e.what()}});
    }
    certificate_stamp = certificate;
    key_stamp = key;
    return context;
  }
};

TlsServer::TlsServer(TlsOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->current();
}
TlsServer::~TlsServer() = default;

std::unique_ptr<Stream> TlsServer::accept(int fd) {
  auto stream = std::make_unique<TlsStream>(impl_->current().get(), fd);
  SSL_set_accept_state(stream->ssl());
  return stream;
}

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, FreeCertificate>;

struct TlsClient::Impl {
  CertificatePtr pinned;
  ContextPtr context;
};

namespace {

CertificatePtr first_certificate(const std::string& file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> input(BIO_new_file(file.c_str(), "r"), BIO_free);
  CertificatePtr first(input ? PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr) : nullptr);
  if (first) return first;
  throw Error(Code::kConfigInvalid,
              fmt::format("cannot read a certificate from {}: {}", file, openssl_problem()));
}

/// That the server has its key, the handshake proves.
int is_pinned(X509_STORE_CTX* verification, void* pinned) {
  const X509* given = X509_STORE_CTX_get0_cert(verification);
  if (given && X509_cmp(given, static_cast<const X509*>(pinned)) == 0) return 1;
  X509_STORE_CTX_set_error(verification, X509_V_ERR_CERT_REJECTED);
  return 0;
}

}  // namespace

TlsClient::TlsClient(const std::string& ca_file, const std::string& server_certificate)
    : impl_(std::make_unique<Impl>()) {
  impl_->context = new_context(TLS_client_method());
  SSL_CTX* context = impl_->context.get();
  if (!server_certificate.empty()) {
    impl_->pinned = first_certificate(server_certificate);
    SSL_CTX_set_cert_verify_callback(context, is_pinned, impl_->pinned.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return;
  }
  int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                               : SSL_CTX_load_verify_file(context, ca_file.c_str());
  if (loaded != 1) {
    throw Error(Code::kConfigInvalid,
                fmt::format("cannot read trusted certificates from {}: {}",
                            ca_file.empty() ? "the system" : ca_file, openssl_problem()));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}
TlsClient::~TlsClient() = default;

std::unique_ptr<Stream> TlsClient::connect(int fd, const std::string& host, Deadline deadline) {
  auto stream = std::make_unique<TlsStream>(impl_->context.get(), fd);
  SSL* ssl = stream->ssl();
  SSL_set_connect_state(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  Io io = stream->handshake(deadline);
  if (io == Io::kOk) return stream;
  if (io == Io::kTimeout) {
    throw Error(Code::kExceededTimeLimit, fmt::format("no TLS handshake with {} in time", host));
  }
  long verified = SSL_get_verify_result(ssl);  // NOLINT(runtime/int): OpenSSL's type
  std::string reason =
      verified != X509_V_OK ? X509_verify_cert_error_string(verified) : openssl_problem();
  throw Error(Code::kUnavailable, fmt::format("TLS with {} failed: {}", host, reason));
}

}  // namespace meesh::net
