#include <gmock/gmock.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/test_peer.h"

namespace meesh::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void ok(Request&, Response& r) { r.text("ok"); }
void echo(Request& q, Response& r) { r.text(q.body(1 << 20)); }

class ServerTest : public testing::Test {
 protected:
  Server& start(ServerOptions options = test_options()) {
    server_ = std::make_unique<Server>(std::move(options));
    server_->route("GET", "/ok", ok);
    server_->route("POST", "/echo", echo);
    server_->route("POST", "/ignore", ok);
    server_->route("GET", "/item/{id}/part/{n}", [](Request& q, Response& r) {
      r.text(fmt::format("{}:{}", q.param("id"), q.param("n")));
    });
    server_->route("GET", "/item/{id}/part/first",
                   [](Request&, Response& r) { r.text("literal"); });
    server_->route("GET", "/files/{path...}",
                   [](Request& q, Response& r) { r.text(q.param("path")); });
    server_->route("GET", "/shared/{token}",
                   [](Request& q, Response& r) { r.text(q.param("token")); });
    server_->route("DELETE", "/item/{id}", [](Request&, Response& r) { r.empty(204); });
    server_->route("GET", "/stream", [](Request& q, Response& r) {
      r.headers.set("Content-Type", "application/octet-stream");
      for (int i = 0; i < std::stoi(std::string(q.query_param("n").value_or("3"))); ++i) {
        r.write("piece ");
        r.flush();
      }
    });
    server_->start();
    return *server_;
  }
  RawPeer peer() { return RawPeer(server_->port()); }
  std::string ask(std::string_view bytes) {
    RawPeer p = peer();
    p.send(bytes);
    return p.answer();
  }

  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawPeer p = peer();
  for (int i = 0; i < 3; ++i) {
    p.send(get("/ok"));
    std::string answer = p.answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 2\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Request-Id: "));
    EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
    EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nok"));
  }
  p.send(get("/ok", "Connection: close\r\n"));
  EXPECT_THAT(p.rest(), HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, ServesPipelinedRequestsInOrder) {
  start();
  RawPeer p = peer();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{:03}", i);
  }
  p.send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(p.answer(), testing::EndsWith(fmt::format("\r\n\r\n{:03}", i)));
  }
}

TEST_F(ServerTest, PipelinedBehindAnUnreadBody) {
  start();
  RawPeer p = peer();
  p.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n" + std::string(40, 'x') +
         get("/files/next"));
  EXPECT_THAT(p.answer(), testing::EndsWith("ok"));
  EXPECT_THAT(p.answer(), testing::EndsWith("next"));
}

TEST_F(ServerTest, RequestInPieces) {
  start();
  RawPeer p = peer();
  for (char c : get("/files/slow")) p.send({&c, 1});
  EXPECT_THAT(p.answer(), testing::EndsWith("slow"));
}

TEST_F(ServerTest, RoutesByPatternAndMethod) {
  start();
  EXPECT_THAT(ask(get("/item/7/part/x")), testing::EndsWith("7:x"));
  EXPECT_THAT(ask(get("/item/7/part/first")), testing::EndsWith("literal"));
  EXPECT_THAT(ask(get("/item/a%2Fb/part/%20")), testing::EndsWith("a/b: "));
  EXPECT_THAT(ask(get("/files/a/b%20c/")), testing::EndsWith("a/b c/"));
  EXPECT_THAT(ask(get("/nowhere")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask(get("/item/7")),
              testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: DELETE\r\n")));
  EXPECT_THAT(ask("DELETE /item/7 HTTP/1.1\r\nHost: a\r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 204 "), Not(HasSubstr("Content-Length"))));
  EXPECT_THAT(ask("BREW /ok HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 501 "));
  EXPECT_THAT(ask(get("http://example.org/ok?x=1")), testing::EndsWith("ok"));
}

TEST_F(ServerTest, HeadHasNoBody) {
  start();
  RawPeer p = peer();
  p.send("HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n" + get("/ok"));
  EXPECT_THAT(p.answer(true),
              testing::AllOf(HasSubstr("Content-Length: 2\r\n"), testing::EndsWith("\r\n\r\n")));
  EXPECT_THAT(p.answer(), testing::EndsWith("ok"));
}

TEST_F(ServerTest, OldHttp) {
  start();
  RawPeer p = peer();
  p.send("GET /ok HTTP/1.0\r\n\r\n");
  EXPECT_THAT(p.rest(), testing::AllOf(HasSubstr("Connection: close"), testing::EndsWith("ok")));
  RawPeer kept = peer();
  kept.send("GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.answer(), HasSubstr("Connection: keep-alive"));
  kept.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.rest(), testing::AllOf(Not(HasSubstr("chunked")), HasSubstr("Connection: close"),
                                          testing::EndsWith("\r\n\r\npiece piece piece ")));
}

TEST_F(ServerTest, StreamsInChunks) {
  start();
  RawPeer p = peer();
  p.send(get("/stream", "Connection: close\r\n"));
  EXPECT_THAT(p.rest(), testing::AllOf(HasSubstr("Transfer-Encoding: chunked"),
                                       testing::EndsWith("\r\n\r\n6\r\npiece \r\n6\r\npiece \r\n"
                                                         "6\r\npiece \r\n0\r\n\r\n")));
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  start();
  RawPeer p = peer();
  p.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n0a;name=\"v\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n" +
      get("/ok"));
  EXPECT_THAT(p.answer(), testing::EndsWith("\r\n\r\nabc0123456789"));
  EXPECT_THAT(p.answer(), testing::EndsWith("ok"));
}

TEST_F(ServerTest, ContinueOnlyWhenTheBodyIsRead) {
  start();
  RawPeer p = peer();
  p.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(p.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  p.send("hi");
  EXPECT_THAT(p.answer(), testing::EndsWith("\r\n\r\nhi"));
  p.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(p.rest(), testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Connection: close")));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n"),
              StartsWith("HTTP/1.1 417 "));
}

TEST_F(ServerTest, LimitsTheHead) {
  auto options = test_options();
  options.max_header_bytes = 1000;
  start(options);
  EXPECT_THAT(ask(get("/" + std::string(2000, 'a'))), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(ask(get("/ok", "X: " + std::string(2000, 'a') + "\r\n")),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, LimitsTheBody) {
  auto options = test_options();
  options.max_body_bytes = 10;
  server_ = std::make_unique<Server>(options);
  server_->route("POST", "/small", echo);
  server_->route("POST", "/large", echo, {.max_body_bytes = 100});
  server_->start();
  auto post = [](const char* path, size_t n) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", path, n,
                       std::string(n, 'x'));
  };
  EXPECT_THAT(ask(post("/small", 10)), StartsWith("HTTP/1.1 200 "));
  RawPeer p = peer();
  p.send(post("/small", 11));
  EXPECT_THAT(p.rest(), testing::AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("allowed 10 bytes")));
  EXPECT_THAT(ask(post("/large", 11)), StartsWith("HTTP/1.1 200 "));
  RawPeer chunked = peer();
  chunked.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\nabcdef\r\n6\r\n");
  EXPECT_THAT(chunked.rest(), StartsWith("HTTP/1.1 413 "));
  RawPeer waits = peer();  // not asked to send what is refused
  waits.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(waits.rest(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, LargeRefusedUploadStillGetsItsAnswer) {
  start();
  RawPeer p = peer();
  p.send(fmt::format("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", 3 << 20,
                     std::string(3 << 20, 'x')));
  EXPECT_THAT(p.rest(), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ServerTest, SlowHeadTimesOut) {
  auto options = test_options();
  options.header_timeout = 60ms;
  start(options);
  RawPeer p = peer();
  p.send("GET /ok HT");
  EXPECT_THAT(p.rest(), testing::AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("close")));
}

TEST_F(ServerTest, SlowBodyTimesOut) {
  auto options = test_options();
  options.body_timeout = 60ms;
  start(options);
  RawPeer p = peer();
  p.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_THAT(p.rest(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, IdleConnectionIsClosed) {
  auto options = test_options();
  options.idle_timeout = 300ms;
  start(options);
  RawPeer fresh = peer();
  EXPECT_EQ(fresh.rest(), "");
  RawPeer used = peer();
  used.send(get("/ok"));
  EXPECT_THAT(used.answer(), testing::EndsWith("ok"));
  EXPECT_EQ(used.rest(), "");
}

TEST_F(ServerTest, BodyCutShort) {
  start();
  RawPeer p = peer();
  p.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  p.end_writing();
  EXPECT_THAT(p.rest(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, ManyIdleConnectionsNeedFewThreads) {
  auto options = test_options();
  options.workers = 4;
  Server& server = start(options);
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 500; ++i) {
    peers.push_back(std::make_unique<RawPeer>(server.port()));
    if (i % 2 == 0) {
      peers.back()->send(get("/ok"));
      EXPECT_THAT(peers.back()->answer(), testing::EndsWith("ok"));
    }
  }
  for (auto& p : peers) p->send(get("/files/x"));
  for (auto& p : peers) EXPECT_THAT(p->answer(), testing::EndsWith("\r\n\r\nx"));
  auto load = server.load();
  EXPECT_EQ(load.connections, 500U);
  EXPECT_LE(load.threads, 4U);
  EXPECT_EQ(load.requests, 750U);
}

TEST_F(ServerTest, SlowHeadsHoldNoWorker) {
  auto options = test_options();
  options.workers = 2;
  options.linger = 1ms;
  start(options);
  std::vector<std::unique_ptr<RawPeer>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawPeer>(server_->port()));
    slow.back()->send("GET /ok HTTP/1.1\r\n");
  }
  EXPECT_THAT(ask(get("/ok")), testing::EndsWith("ok"));
  for (auto& p : slow) p->send("Host: a\r\n\r\n");
  for (auto& p : slow) EXPECT_THAT(p->answer(), testing::EndsWith("ok"));
}

TEST_F(ServerTest, ALingeringWorkerLetsGoForOthers) {
  auto options = test_options();
  options.workers = 1;
  options.linger = 1h;
  start(options);
  RawPeer first = peer(), second = peer();
  for (int i = 0; i < 5; ++i) {
    first.send(get("/ok"));
    EXPECT_THAT(first.answer(), testing::EndsWith("ok"));
    second.send(get("/ok"));
    EXPECT_THAT(second.answer(), testing::EndsWith("ok"));
  }
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimit) {
  auto options = test_options();
  options.max_connections = 1;
  start(options);
  RawPeer p = peer();
  p.send(get("/ok"));
  EXPECT_THAT(p.answer(), testing::EndsWith("ok"));
  RawPeer q = peer();
  EXPECT_THAT(q.rest(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerTest, RequestIdsGoThrough) {
  start();
  EXPECT_THAT(ask(get("/ok", "X-Request-Id: abc-1\r\n")), HasSubstr("X-Request-Id: abc-1\r\n"));
  EXPECT_THAT(ask(get("/ok", "X-Request-Id: a<script>\r\n")), Not(HasSubstr("script")));
}

TEST_F(ServerTest, AccessLogTellsNoSecrets) {
  std::mutex mutex;
  std::vector<std::string> lines;
  log::configure({log::Level::kInfo, log::Format::kJson, [&](std::string_view line) {
                    std::lock_guard lock(mutex);
                    lines.emplace_back(line);
                  }});
  auto options = test_options();
  options.access_log = true;
  start(options);
  RawPeer p = peer();
  p.send(get("/files/a?key=hunter2",
             "Authorization: Bearer hunter2\r\nX-Request-Id: id7\r\nConnection: close\r\n"));
  EXPECT_THAT(p.rest(), testing::EndsWith("\r\n\r\na"));
  RawPeer shared = peer();
  shared.send(get("/shared/hunter2", "Connection: close\r\n"));
  EXPECT_THAT(shared.rest(), testing::EndsWith("\r\n\r\nhunter2"));
  server_->stop(20s);
  log::configure({log::Level::kWarn, log::Format::kJson, nullptr});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[1], HasSubstr(R"("path":"/shared/…")"));
  EXPECT_THAT(lines[1], Not(HasSubstr("hunter2")));
  EXPECT_THAT(lines[0],
              HasSubstr(R"("method":"GET","path":"/files/a","status":200,"bytes":1,"ms":)"));
  EXPECT_THAT(lines[0], HasSubstr(R"("id":"id7")"));
  EXPECT_THAT(lines[0], Not(HasSubstr("hunter2")));
}

TEST_F(ServerTest, HandlerErrorsBecomeAnswers) {
  server_ = std::make_unique<Server>(test_options());
  server_->route("GET", "/user", [](Request&, Response& r) {
    r.write("half");
    throw Error(Code::kTableNotFound, "Table 'a.b.c' does not exist");
  });
  server_->route("GET", "/bug", [](Request&, Response&) { throw std::runtime_error("oops"); });
  server_->route("GET", "/header",
                 [](Request&, Response& r) { r.headers.set("X-Evil", "a\r\nSet-Cookie: b"); });
  server_->route("GET", "/late", [](Request&, Response& r) {
    r.write("begun");
    r.flush();
    throw std::runtime_error("oops");
  });
  server_->route("GET", "/short", [](Request&, Response& r) {
    r.headers.set("Content-Length", "100");
    r.write("only this");
  });
  server_->start();
  RawPeer p = peer();
  p.send(get("/user"));
  EXPECT_THAT(p.answer(), testing::AllOf(StartsWith("HTTP/1.1 404 "), Not(HasSubstr("half")),
                                         HasSubstr("Table 'a.b.c' does not exist")));
  p.send(get("/bug"));
  EXPECT_THAT(p.answer(), StartsWith("HTTP/1.1 500 "));
  p.send(get("/header"));
  EXPECT_THAT(p.answer(),
              testing::AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("Set-Cookie"))));
  p.send(get("/late"));
  EXPECT_THAT(p.rest(), testing::AllOf(HasSubstr("begun"), Not(HasSubstr("\r\n0\r\n"))));
  RawPeer cut = peer();
  cut.send(get("/short"));
  EXPECT_THAT(cut.rest(),
              testing::AllOf(HasSubstr("Content-Length: 100\r\n"), testing::EndsWith("only this")));
}

TEST_F(ServerTest, ClientGoneIsSeen) {
  server_ = std::make_unique<Server>(test_options());
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, may_check = false, gone = false, was_there = false, done = false;
  server_->route("GET", "/wait", [&](Request& q, Response& r) {
    std::unique_lock lock(mutex);
    was_there = !q.client_gone();
    entered = true;
    changed.notify_all();
    changed.wait_for(lock, 20s, [&] { return may_check; });
    for (int i = 0; i < 2000 && !q.client_gone(); ++i) std::this_thread::sleep_for(10ms);
    gone = q.client_gone();
    try {
      std::string piece(1 << 20, 'x');
      for (int i = 0; i < 100; ++i) r.write(piece);
    } catch (const Error& e) {
      done = e.code() == Code::kIoError;
    }
    changed.notify_all();
  });
  server_->start();
  {
    RawPeer p = peer();
    p.send(get("/wait"));
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return entered; }));
  }
  std::unique_lock lock(mutex);
  may_check = true;
  changed.notify_all();
  ASSERT_TRUE(changed.wait_for(lock, 30s, [&] { return done; }));
  EXPECT_TRUE(was_there);
  EXPECT_TRUE(gone);
}

TEST_F(ServerTest, StopLetsRunningRequestsEnd) {
  server_ = std::make_unique<Server>(test_options());
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, go = false;
  server_->route("GET", "/wait", [&](Request&, Response& r) {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait_for(lock, 20s, [&] { return go; });
    r.text("ended well");
  });
  server_->start();
  RawPeer idle = peer();
  RawPeer busy = peer();
  busy.send(get("/wait"));
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return entered; }));
  }
  std::thread stopper([&] { server_->stop(20s); });
  EXPECT_EQ(idle.rest(), "");  // closed, so the stop is under way
  {
    std::lock_guard lock(mutex);
    go = true;
  }
  changed.notify_all();
  EXPECT_THAT(busy.rest(),
              testing::AllOf(HasSubstr("Connection: close"), testing::EndsWith("ended well")));
  stopper.join();
  EXPECT_THROW(RawPeer(server_->port()), Error);
  EXPECT_EQ(server_->load().connections, 0U);
}

TEST_F(ServerTest, StopCutsThoseThatOutliveTheGrace) {
  server_ = std::make_unique<Server>(test_options());
  std::atomic<bool> entered{false};
  server_->route("GET", "/forever", [&](Request& q, Response&) {
    entered = true;
    while (!q.client_gone()) std::this_thread::sleep_for(1ms);
  });
  server_->start();
  RawPeer p = peer();
  p.send(get("/forever"));
  while (!entered) std::this_thread::yield();
  server_->stop(1ms);
  EXPECT_THAT(p.rest(), Not(HasSubstr("200 OK")));
}

TEST_F(ServerTest, PortInUseSaysWhatToDo) {
  Server& first = start();
  auto options = test_options();
  options.port = first.port();
  Server second(options);
  try {
    second.start();
    ADD_FAILURE() << "two servers on one port";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kPortInUse);
    EXPECT_THAT(e.what(), HasSubstr(fmt::format("port {}", first.port())));
    EXPECT_THAT(e.what(), HasSubstr("--port"));
  }
}

TEST_F(ServerTest, AGuardLooksBeforeHandlers) {
  std::string seen = "nobody asked";
  auto guarded = test_options();
  guarded.before = [&](Request& q, Response& r) {
    q.user = q.headers.get("X-Name").value_or("");
    if (q.path == "/shut") r.empty(403);
    if (q.path == "/unknown") throw HttpError(401, "who are you?");
    return q.path != "/shut";
  };
  server_ = std::make_unique<Server>(guarded);
  for (const char* path : {"/open", "/shut", "/unknown"})
    server_->route("GET", path, [&](Request& q, Response& r) {
      seen = q.path + " by " + q.user;
      r.text("ok");
    });
  server_->start();
  EXPECT_THAT(ask(get("/open", "X-Name: ada\r\n")), HasSubstr("200 OK"));
  EXPECT_EQ(seen, "/open by ada");
  EXPECT_THAT(ask(get("/shut")), HasSubstr("403 Forbidden"));
  EXPECT_THAT(ask(get("/unknown")), HasSubstr("401 Unauthorized"));
  EXPECT_THAT(ask(get("/nowhere")), HasSubstr("404 Not Found"));
  EXPECT_EQ(seen, "/open by ada");
}

TEST_F(ServerTest, LargeBodiesBothWays) {
  auto options = test_options();
  options.compress = false;
  server_ = std::make_unique<Server>(options);
  server_->route("POST", "/copy", [](Request& q, Response& r) {
    char piece[100000];
    while (size_t n = q.read(piece, sizeof piece)) r.write({piece, n});
  });
  server_->start();
  std::string body(20 << 20, ' ');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 + i / 4096);
  Client client(fmt::format("http://127.0.0.1:{}", server_->port()));
  // The server's answer starts while the request is still being sent: more than the sockets hold
  // would block both, so the body goes in first by a handler that reads all.
  auto answer = client.request("POST", "/copy", {}, std::string_view(body).substr(0, 100000));
  EXPECT_EQ(answer.body, body.substr(0, 100000));
  Server whole(options);
  whole.route("POST", "/copy", [](Request& q, Response& r) { r.text(q.body(30 << 20)); });
  whole.start();
  Client second(fmt::format("http://127.0.0.1:{}", whole.port()));
  EXPECT_EQ(second.request("POST", "/copy", {}, body).body, body);
}

// SIGPIPE would end the process.
TEST_F(ServerTest, OutlivesClientsThatLeaveInTheMidstOfAFile) {
  std::FILE* file = std::tmpfile();
  ASSERT_EQ(::ftruncate(fileno(file), 64 << 20), 0);
  server_ = std::make_unique<Server>(test_options());
  server_->route("GET", "/file", [&](Request&, Response& r) {
    r.headers.set("Content-Length", std::to_string(64 << 20));
    r.send_file(fileno(file), 0, 64 << 20);
  });
  server_->start();
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        RawPeer peer(server_->port());
        peer.send(get("/file"));
        EXPECT_TRUE(peer.fill(200000));
      }
    });
  }
  for (auto& client : clients) client.join();
  server_->stop(10s);
  std::fclose(file);
}

TEST_F(ServerTest, SendsPiecesOfAFile) {
  std::string content(3 << 20, ' ');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 4096);
  std::FILE* file = std::tmpfile();
  ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
  std::fflush(file);
  auto piece = [&](Request& q, Response& r) {
    if (q.query_param("length")) r.headers.set("Content-Length", "1000010");
    r.write("head ");
    r.send_file(fileno(file), 12345, 1000000);
    r.write(" tail");
  };
  server_ = std::make_unique<Server>(test_options());
  server_->route("GET", "/piece", piece);
  server_->route("HEAD", "/piece", piece);
  server_->route("GET", "/short", [&](Request&, Response& r) {
    r.headers.set("Content-Length", "1000");
    r.send_file(fileno(file), content.size() - 10, 1000);
  });
  server_->start();
  Client client(fmt::format("http://127.0.0.1:{}", server_->port()));
  std::string expected = "head " + content.substr(12345, 1000000) + " tail";
  EXPECT_EQ(client.request("GET", "/piece?length", {}, "").body, expected);
  EXPECT_EQ(client.request("GET", "/piece", {}, "").body, expected);
  auto head = client.request("HEAD", "/piece?length", {}, "");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.headers.get("Content-Length"), "1000010");
  EXPECT_THROW(client.request("GET", "/short", {}, ""), Error);
  std::fclose(file);
}

}  // namespace
}  // namespace meesh::net
