#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "net/test_peer.h"

namespace meesh::net {
namespace {

using testing::HasSubstr;

/// Answers one connection after another with fixed bytes, whatever is asked.
class CannedServer {
 public:
  explicit CannedServer(std::vector<std::string> answers, bool close_after = true)
      : close_after_(close_after), listener_(listen_on("127.0.0.1", 0, port_)) {
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) serve(answer);
    });
  }
  ~CannedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    done_ = true;
    thread_.join();
    ::close(listener_);
  }
  std::string base() const { return fmt::format("http://127.0.0.1:{}", port_); }

 private:
  void serve(const std::string& answer) {
    int fd = -1;
    while (fd < 0 && !done_) {
      if (wait_for(listener_, POLLIN, Clock::now() + 20s) != Io::kOk) return;
      fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
    }
    auto stream = plain_stream(fd);
    std::string request;
    char piece[4096];
    size_t got = 0;
    while (request.find("\r\n\r\n") == std::string::npos &&
           stream->read(piece, sizeof piece, Clock::now() + 20s, got) == Io::kOk) {
      request.append(piece, got);
    }
    stream->write(answer, {}, 20s);
    if (close_after_) return;
    stream->read(piece, sizeof piece, Clock::now() + 20s, got);  // until the client is gone
  }

  bool close_after_;
  int port_ = 0;
  int listener_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

Code code_of(const std::function<void()>& f, std::string* what = nullptr) {
  try {
    f();
  } catch (const Error& e) {
    if (what != nullptr) *what = e.what();
    return e.code();
  }
  ADD_FAILURE() << "nothing thrown";
  return Code::kGenericInternalError;
}

TEST(ClientTest, ReadsEveryFraming) {
  CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nab\r\n1;x\r\nc\r\n0\r\nT: x\r\n\r\n",
                       "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.0 200 OK\r\n\r\nabc",
                       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"});
  for (int i = 0; i < 5; ++i) {
    Client client(server.base());
    auto answer = client.request("GET", "/", {}, "");
    EXPECT_EQ(answer.status, 200) << i;
    EXPECT_EQ(answer.body, "abc") << i;
  }
}

TEST(ClientTest, BodilessAnswers) {
  CannedServer server(
      {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
      false);
  EXPECT_EQ(Client(server.base()).request("GET", "/", {}, "").status, 204);
  EXPECT_EQ(Client(server.base()).request("GET", "/", {}, "").status, 304);
  EXPECT_EQ(Client(server.base()).request("HEAD", "/", {}, "").headers.get("content-length"), "9");
}

TEST(ClientTest, RefusesWhatIsNotHttp) {
  for (const char* answer :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CannedServer server({answer});
    Client client(server.base());
    EXPECT_EQ(code_of([&] { client.request("GET", "/", {}, ""); }), Code::kIoError) << answer;
  }
}

TEST(ClientTest, LimitsTheBody) {
  CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + std::string(30, 'x')});
  Client client(server.base(), ClientOptions{.timeout = 20s, .ca_file = "", .max_body_bytes = 29});
  std::string what;
  EXPECT_EQ(code_of([&] { client.request("GET", "/", {}, ""); }, &what), Code::kIoError);
  EXPECT_THAT(what, HasSubstr("larger than 29 bytes"));
}

TEST(ClientTest, TimesOut) {
  CannedServer silent({""}, false);
  Client client(silent.base(), 50ms);
  EXPECT_EQ(code_of([&] { client.request("GET", "/", {}, ""); }), Code::kExceededTimeLimit);
}

TEST(ClientTest, NobodyThere) {
  int port = 0;
  ::close(listen_on("127.0.0.1", 0, port));
  Client client(fmt::format("http://127.0.0.1:{}", port));
  std::string what;
  EXPECT_EQ(code_of([&] { client.request("GET", "/", {}, ""); }, &what), Code::kUnavailable);
  EXPECT_THAT(what, HasSubstr("Connection refused"));
}

TEST(ClientTest, ClosedWithoutAnswer) {
  CannedServer server({""});
  Client client(server.base());
  EXPECT_EQ(code_of([&] { client.request("POST", "/", {}, "x"); }), Code::kUnavailable);
}

TEST(ClientTest, ReplacesADeadConnection) {
  // Keep-alive is promised and not kept.
  CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
                       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"});
  Client client(server.base());
  EXPECT_EQ(client.request("GET", "/", {}, "").body, "1");
  EXPECT_EQ(client.request("GET", "/", {}, "").body, "2");
}

TEST(ClientTest, GivesPiecesAsTheyCome) {
  CannedServer server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"});
  Client client(server.base());
  std::string all;
  auto answer = client.request("GET", "/", {}, "", [&](std::string_view piece) { all += piece; });
  EXPECT_EQ(all, "abc");
  EXPECT_EQ(answer.body, "");
}

TEST(ClientTest, RefusesMalformedBasesAndHeaders) {
  for (const char* base : {"", "ftp://a", "http://", "http://a:0", "http://a:x", "http://u@a",
                           "http://a:99999", "https://[::1"}) {
    EXPECT_EQ(code_of([&] { Client client{std::string(base)}; }), Code::kConfigInvalid) << base;
  }
  Client client("http://127.0.0.1:1/prefix/");
  Headers evil;
  evil.add("X", "a\r\nY: b");
  EXPECT_EQ(code_of([&] { client.request("GET", "/", evil, ""); }), Code::kGenericInternalError);
  EXPECT_EQ(code_of([&] { client.request("GET", "/a b", {}, ""); }), Code::kGenericInternalError);
}

TEST(ClientTest, UploadsAsTheBodyComes) {
  Server server(test_options());
  std::atomic<int> cut{0};
  server.route("PUT", "/size", [&](Request& q, Response& r) {
    char buffer[5000];
    size_t total = 0;
    try {
      while (size_t got = q.read(buffer, sizeof buffer)) total += got;
    } catch (const HttpError&) {
      ++cut;
      throw;
    }
    r.text(std::to_string(total));
  });
  server.route("PUT", "/refused", [](Request&, Response& r) { r.empty(403); });
  server.start();
  Client client(fmt::format("http://127.0.0.1:{}", server.port()));
  const std::string piece(100000, 'x');
  for (int i = 0; i < 2; ++i) {
    auto upload = client.upload("PUT", "/size", {}, 10 * piece.size());
    for (int k = 0; k < 10; ++k) upload.write(piece);
    EXPECT_EQ(upload.finish().body, "1000000");
  }
  // Refused before it was read: the answer is told, and the client works on.
  auto refused = client.upload("PUT", "/refused", {}, 300 * piece.size());
  for (int k = 0; k < 300; ++k) refused.write(piece);
  EXPECT_EQ(refused.finish().status, 403);
  {
    client.upload("PUT", "/size", {}, 100).write("only a part");
  }
  EXPECT_EQ(client.request("PUT", "/size", {}, "abc").body, "3");
  server.stop(5s);
  EXPECT_EQ(cut, 1);
}

TEST(ClientTest, ManyAtOnce) {
  Server server(test_options());
  server.route("POST", "/echo", [](Request& q, Response& r) { r.text(q.body(1000)); });
  server.start();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      Client client(fmt::format("http://127.0.0.1:{}", server.port()));
      for (int i = 0; i < 50; ++i) {
        std::string text = fmt::format("{}/{}", t, i);
        if (client.request("POST", "/echo", {}, text).body == text) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 16 * 50);
}

}  // namespace
}  // namespace meesh::net
