// Load on an S3 server, cheap for the machine that makes it: one thread and one kept-alive socket a
// client, one body for all PUTs, answers thrown away in the kernel, UNSIGNED-PAYLOAD signatures.
//
//   S3_ACCESS_KEY=… S3_SECRET_KEY=… objects_load --port 9000 --bucket b --operation put
//       --size 4096 --count 8000 --clients 32 [--prefix p/] [--delimiter /]
//
// Operations: put (prefix + number), get (those, in a scattered order), delete, mixed (of them 45 %
// GET, 30 % HEAD, 15 % PUT, 10 % PUT and DELETE of a key of its own), list (every page, --count
// times), fill (empty objects <prefix>d<n / 1000>/f<n % 1000>). Prints one line of JSON: requests,
// bytes, seconds, latencies in milliseconds, keys told by list. Exit code 1 with a message on the
// first answer that is not 2xx.
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 9000, clients = 1;
  std::string bucket, operation, prefix, delimiter, access_key, secret_key;
  uint64_t size = 4096, count = 1000;
};

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> out;
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &length);
  return {reinterpret_cast<const char*>(out.data()), length};
}

std::string hex(std::string_view raw) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char c : raw) text += {kDigits[c >> 4], kDigits[c & 15]};
  return text;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, 32> out;
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), out.data(), &length, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<const char*>(out.data()), length});
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || std::strchr("-._~", c)) {
      out += static_cast<char>(c);
    } else {
      out += {'%', kDigits[c >> 4], kDigits[c & 15]};
    }
  }
  return out;
}

/// Signs requests of one key on one day; the derived key is kept.
class Signer {
 public:
  explicit Signer(const Options& options)
      : access_key_(options.access_key),
        secret_key_(options.secret_key),
        host_("127.0.0.1:" + std::to_string(options.port)) {}

  /// The head of a request, to its empty line.
  std::string head(const char* method, const std::string& path, const std::string& query,
                   uint64_t length) {
    const std::time_t now = std::time(nullptr);
    if (now != second_) renew(now);
    const std::string canonical = std::string(method) + "\n" + path + "\n" + query +
                                  "\nhost:" + host_ +
                                  "\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:" + stamp_ +
                                  "\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD";
    const std::string signature = hex(
        hmac(key_, "AWS4-HMAC-SHA256\n" + stamp_ + "\n" + scope_ + "\n" + sha256_hex(canonical)));
    return std::string(method) + " " + path + (query.empty() ? "" : "?" + query) +
           " HTTP/1.1\r\nHost: " + host_ + "\r\nContent-Length: " + std::to_string(length) +
           "\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nx-amz-date: " + stamp_ +
           "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + access_key_ + "/" + scope_ +
           ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + signature +
           "\r\n\r\n";
  }

 private:
  void renew(std::time_t now) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[17];
    std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
    second_ = now;
    stamp_ = text;
    const std::string day = stamp_.substr(0, 8);
    scope_ = day + "/us-east-1/s3/aws4_request";
    key_ = hmac(hmac(hmac(hmac("AWS4" + secret_key_, day), "us-east-1"), "s3"), "aws4_request");
  }

  const std::string access_key_, secret_key_, host_;
  std::time_t second_ = 0;
  std::string stamp_, scope_, key_;
};

/// One kept-alive connection.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect: " + std::string(std::strerror(errno)));
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends and reads the whole answer; its body into `body` if given, else away. Bytes of the body.
  uint64_t exchange(const std::string& head, std::string_view content, bool has_body,
                    std::string* body) {
    send(head, content);
    const std::string answer = read_head();
    if (answer.compare(9, 1, "2") != 0) {
      std::string rest(4096, '\0');
      const ssize_t got = ::recv(socket_, rest.data(), rest.size(), MSG_DONTWAIT);
      rest.resize(got > 0 ? static_cast<size_t>(got) : 0);
      throw std::runtime_error(answer + held_ + rest);
    }
    if (!has_body) return 0;
    std::string small = answer;
    std::transform(small.begin(), small.end(), small.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (small.find("transfer-encoding: chunked") != std::string::npos) return read_chunks(body);
    const size_t at = small.find("content-length:");
    if (at == std::string::npos) throw std::runtime_error("no length: " + answer);
    const uint64_t length = std::strtoull(small.c_str() + at + 15, nullptr, 10);
    read_body(length, body);
    return length;
  }

 private:
  void send(std::string_view head, std::string_view content) {
    while (!head.empty() || !content.empty()) {
      iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                        {const_cast<char*>(content.data()), content.size()}};
      const ssize_t sent = ::writev(socket_, parts, 2);
      if (sent < 0) throw std::runtime_error("send: " + std::string(std::strerror(errno)));
      const size_t of_head = std::min(head.size(), static_cast<size_t>(sent));
      head.remove_prefix(of_head);
      content.remove_prefix(static_cast<size_t>(sent) - of_head);
    }
  }

  void fill() {
    char buffer[65536];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    held_.append(buffer, static_cast<size_t>(got));
  }

  std::string take_line(std::string_view end) {
    size_t at;
    while ((at = held_.find(end)) == std::string::npos) fill();
    std::string line = held_.substr(0, at + end.size());
    held_.erase(0, at + end.size());
    return line;
  }

  std::string read_head() { return take_line("\r\n\r\n"); }

  void read_body(uint64_t length, std::string* body) {
    const uint64_t here = std::min<uint64_t>(length, held_.size());
    if (body) body->append(held_, 0, here);
    held_.erase(0, here);
    length -= here;
    if (body) {
      while (held_.size() < length) fill();
      body->append(held_, 0, length);
      held_.erase(0, length);
      return;
    }
    while (length > 0) {  // TCP drops what MSG_TRUNC reads
      const ssize_t got = ::recv(socket_, nullptr, std::min<uint64_t>(length, 4 << 20), MSG_TRUNC);
      if (got <= 0) throw std::runtime_error("the server closed the connection");
      length -= static_cast<uint64_t>(got);
    }
  }

  uint64_t read_chunks(std::string* body) {
    uint64_t total = 0;
    while (true) {
      const uint64_t size = std::strtoull(take_line("\r\n").c_str(), nullptr, 16);
      if (size == 0) {
        while (take_line("\r\n") != "\r\n") {
        }
        return total;
      }
      read_body(size, body);
      take_line("\r\n");
      total += size;
    }
  }

  const int socket_;
  std::string held_;
};

struct Result {
  uint64_t bytes = 0, keys = 0;
  std::vector<float> milliseconds;
};

class Client {
 public:
  Client(const Options& options, const std::string& content, std::atomic<uint64_t>& next)
      : options_(options),
        content_(content),
        next_(next),
        signer_(options),
        connection_(options.port) {}

  Result run() {
    result_.milliseconds.reserve(options_.count / static_cast<uint64_t>(options_.clients) + 16);
    for (uint64_t n; (n = next_.fetch_add(1)) < options_.count;) step(n);
    return std::move(result_);
  }

 private:
  std::string path(const std::string& key) const { return "/" + options_.bucket + "/" + key; }
  std::string key(uint64_t n) const { return options_.prefix + std::to_string(n); }

  void request(const char* method, const std::string& target, const std::string& query,
               std::string_view content, std::string* body = nullptr) {
    const auto start = Clock::now();
    const bool has_body = std::strcmp(method, "HEAD") != 0 && std::strcmp(method, "DELETE") != 0;
    const uint64_t got = connection_.exchange(signer_.head(method, target, query, content.size()),
                                              content, has_body, body);
    result_.bytes += got + content.size();
    result_.milliseconds.push_back(
        std::chrono::duration<float, std::milli>(Clock::now() - start).count());
  }

  void step(uint64_t n) {
    const std::string& operation = options_.operation;
    if (operation == "list") {
      list();
    } else if (operation == "put") {
      request("PUT", path(key(n)), "", content_);
    } else if (operation == "get") {
      request("GET", path(key(n * 7919 % options_.count)), "", {});
    } else if (operation == "delete") {
      request("DELETE", path(key(n)), "", {});
    } else if (operation == "fill") {
      char name[64];
      std::snprintf(name, sizeof name, "d%06llu/f%03llu", static_cast<unsigned long long>(n / 1000),
                    static_cast<unsigned long long>(n % 1000));
      request("PUT", path(options_.prefix + name), "", {});
    } else {
      mixed(n);
    }
  }

  void mixed(uint64_t n) {
    const uint64_t kind = n * 37 % 100;
    const std::string target = path(key(n * 7919 % options_.count));
    if (kind < 45) return request("GET", target, "", {});
    if (kind < 75) return request("HEAD", target, "", {});
    if (kind < 90) return request("PUT", target, "", content_);
    const std::string own = path(options_.prefix + "own-" + std::to_string(n));
    request("PUT", own, "", content_);
    request("DELETE", own, "", {});
  }

  void list() {
    std::string token;
    do {
      std::string query;
      if (!token.empty()) query = "continuation-token=" + percent_encode(token) + "&";
      if (!options_.delimiter.empty()) {
        query += "delimiter=" + percent_encode(options_.delimiter) + "&";
      }
      query += "list-type=2&max-keys=1000";
      if (!options_.prefix.empty()) query += "&prefix=" + percent_encode(options_.prefix);
      std::string body;
      request("GET", "/" + options_.bucket, query, {}, &body);
      for (size_t at = 0; (at = body.find("<Key>", at)) != std::string::npos; at += 5) {
        ++result_.keys;
      }
      for (size_t at = 0; (at = body.find("<CommonPrefixes>", at)) != std::string::npos; at += 16) {
        ++result_.keys;
      }
      token.clear();
      const size_t at = body.find("<NextContinuationToken>");
      if (at != std::string::npos) token = body.substr(at + 23, body.find('<', at + 23) - at - 23);
    } while (!token.empty());
  }

  const Options& options_;
  const std::string& content_;
  std::atomic<uint64_t>& next_;
  Signer signer_;
  Connection connection_;
  Result result_;
};

Options parse(int argc, char** argv) {
  Options options;
  static const option kLong[] = {
      {"port", 1, nullptr, 'p'},   {"bucket", 1, nullptr, 'b'},    {"operation", 1, nullptr, 'o'},
      {"size", 1, nullptr, 's'},   {"count", 1, nullptr, 'n'},     {"clients", 1, nullptr, 'c'},
      {"prefix", 1, nullptr, 'x'}, {"delimiter", 1, nullptr, 'd'}, {nullptr, 0, nullptr, 0}};
  for (int each; (each = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    switch (each) {
      case 'p':
        options.port = std::atoi(optarg);
        break;
      case 'b':
        options.bucket = optarg;
        break;
      case 'o':
        options.operation = optarg;
        break;
      case 's':
        options.size = std::strtoull(optarg, nullptr, 10);
        break;
      case 'n':
        options.count = std::strtoull(optarg, nullptr, 10);
        break;
      case 'c':
        options.clients = std::atoi(optarg);
        break;
      case 'x':
        options.prefix = optarg;
        break;
      case 'd':
        options.delimiter = optarg;
        break;
      default:
        throw std::runtime_error("unknown option; see the top of load.cc");
    }
  }
  const char *access = std::getenv("S3_ACCESS_KEY"), *secret = std::getenv("S3_SECRET_KEY");
  static constexpr std::string_view kKnown[] = {"put", "get", "delete", "mixed", "list", "fill"};
  if (!access || !secret || options.bucket.empty() || options.clients < 1 ||
      std::find(std::begin(kKnown), std::end(kKnown), options.operation) == std::end(kKnown)) {
    throw std::runtime_error("keys, bucket or operation missing; see the top of load.cc");
  }
  options.access_key = access;
  options.secret_key = secret;
  return options;
}

void print(Result& all, double seconds) {
  auto& times = all.milliseconds;
  std::sort(times.begin(), times.end());
  auto quantile = [&](double q) {
    return times.empty() ? 0.0F
                         : times[static_cast<size_t>(q * static_cast<double>(times.size() - 1))];
  };
  std::printf(
      "{\"requests\": %zu, \"bytes\": %llu, \"keys\": %llu, \"seconds\": %.6f, "
      "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
      times.size(), static_cast<unsigned long long>(all.bytes),
      static_cast<unsigned long long>(all.keys), seconds, quantile(0.5), quantile(0.99),
      quantile(1));
}

int run(const Options& options) {
  std::string content(options.operation == "put" || options.operation == "mixed" ? options.size : 0,
                      '\0');
  std::mt19937_64 random(1);
  for (size_t at = 0; at + 8 <= content.size(); at += 8) {
    const uint64_t value = random();
    std::memcpy(content.data() + at, &value, 8);
  }
  std::atomic<uint64_t> next = 0;
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < options.clients; ++n) {
    clients.push_back(std::make_unique<Client>(options, content, next));
  }
  Result all;
  std::string failure;
  std::mutex mutex;
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (auto& client : clients) {
    threads.emplace_back([&] {
      try {
        const Result mine = client->run();
        const std::lock_guard lock(mutex);
        all.bytes += mine.bytes;
        all.keys += mine.keys;
        all.milliseconds.insert(all.milliseconds.end(), mine.milliseconds.begin(),
                                mine.milliseconds.end());
      } catch (const std::exception& error) {
        next = options.count;
        const std::lock_guard lock(mutex);
        failure = error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!failure.empty()) {
    std::fprintf(stderr, "%s\n", failure.c_str());
    return 1;
  }
  print(all, seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "objects_load: %s\n", error.what());
    return 2;
  }
}
