// The spooled protocol: what a page says, where the rows are, and when they are gone.
#include <gtest/gtest.h>
#include <lz4.h>
#include <unistd.h>
#include <zstd.h>

#include <boost/json.hpp>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "serve/trino/fakes_test.h"
#include "serve/trino/protocol.h"

namespace meesh::serve::trino {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using sql::Type;
using sql::TypeKind;
using std::chrono::milliseconds;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "meesh-spooled-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path segments() const { return path_ / "spooled"; }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(segments()), fs::directory_iterator{}));
  }

 private:
  fs::path path_;
};

std::string content(const OpenSegment& segment) {
  std::string bytes(segment.size(), '\0');
  EXPECT_EQ(::pread(segment.fd(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  return bytes;
}

TEST(DataEncodingTest, TheFirstKnownOneIsTaken) {
  EXPECT_EQ(choose_encoding("json+zstd,json+lz4, json"), DataEncoding::kJsonZstd);
  EXPECT_EQ(choose_encoding("arrow+zstd , json+lz4"), DataEncoding::kJsonLz4);
  EXPECT_EQ(choose_encoding("json"), DataEncoding::kJson);
  EXPECT_EQ(choose_encoding("arrow"), std::nullopt);
  EXPECT_EQ(choose_encoding(""), std::nullopt);
}

TEST(DataEncodingTest, OnlyWhatBecomesSmallerIsPacked) {
  const std::string few(1000, 'a'), many(100000, 'a');
  EXPECT_EQ(pack(DataEncoding::kJson, many), std::nullopt);
  EXPECT_EQ(pack(DataEncoding::kJsonZstd, few), std::nullopt);
  for (const auto encoding : {DataEncoding::kJsonLz4, DataEncoding::kJsonZstd}) {
    const auto packed = pack(encoding, many);
    ASSERT_TRUE(packed);
    std::string back(many.size(), '\0');
    if (encoding == DataEncoding::kJsonLz4) {
      EXPECT_EQ(LZ4_decompress_safe(packed->data(), back.data(), static_cast<int>(packed->size()),
                                    static_cast<int>(back.size())),
                static_cast<int>(many.size()));
    } else {
      EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), packed->data(), packed->size()),
                many.size());
    }
    EXPECT_EQ(back, many);
  }
  std::string noise;
  for (uint32_t x = 1; noise.size() < 20000; x = x * 1664525 + 1013904223)
    noise += static_cast<char>(x >> 24);
  EXPECT_EQ(pack(DataEncoding::kJsonLz4, noise), std::nullopt);
}

TEST(SegmentStoreTest, KeepsASegmentUntilItIsAcknowledged) {
  const Folder folder;
  SegmentStore store({folder.segments()});
  const auto id = store.put("rows", "alice", "q1");
  ASSERT_TRUE(id);
  EXPECT_EQ(folder.files(), 1u);
  {
    const auto open = store.open(*id, "alice");
    ASSERT_TRUE(open);
    EXPECT_FALSE(store.remove(*id, "bob"));
    EXPECT_TRUE(store.remove(*id, "alice"));
    EXPECT_EQ(content(*open), "rows") << "whoever reads it reads on";
  }
  EXPECT_FALSE(store.open(*id, "alice"));
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(SegmentStoreTest, OthersSegmentsAreNotThere) {
  const Folder folder;
  SegmentStore store({folder.segments()});
  const auto id = store.put("rows", "alice", "q1").value();
  EXPECT_FALSE(store.open(id, "bob"));
  EXPECT_TRUE(store.open(id, "")) << "clients fetch segments without saying who they are";
  EXPECT_FALSE(store.open("../spooled/" + id, ""));
  EXPECT_FALSE(store.open("", ""));
}

TEST(SegmentStoreTest, TakesNoMoreThanItsBound) {
  const Folder folder;
  SegmentStore store({folder.segments(), 10});
  const auto id = store.put("12345678", "", "q1").value();
  EXPECT_FALSE(store.put("123", "", "q1"));
  EXPECT_TRUE(store.remove(id, ""));
  EXPECT_TRUE(store.put("123", "", "q1"));
}

TEST(SegmentStoreTest, SegmentsGoWithTheirStatementAndWithTime) {
  const Folder folder;
  SegmentStore store({folder.segments(), 1 << 20, milliseconds(50)});
  const auto of_one = store.put("a", "", "q1").value(), of_other = store.put("b", "", "q2").value();
  store.remove_of("q1");
  EXPECT_FALSE(store.open(of_one, ""));
  for (int i = 0; i < 2000 && store.bytes() > 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_FALSE(store.open(of_other, ""));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(SegmentStoreTest, TheStartRemovesWhatACrashLeft) {
  const Folder folder;
  std::string name;
  {
    SegmentStore store({folder.segments()});
    name = store.put("rows", "", "q1").value();
  }
  std::ofstream(folder.segments() / name) << "rows";
  std::ofstream(folder.segments() / "of-somebody-else") << "x";
  const SegmentStore store({folder.segments()});
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_TRUE(fs::exists(folder.segments() / "of-somebody-else"));
}

class SpooledProtocolTest : public testing::Test {
 protected:
  Options options() const {
    Options options;
    options.max_wait = milliseconds(2000);
    options.segments = SegmentOptions{folder.segments()};
    return options;
  }
  json::object ask(void (Protocol::*endpoint)(net::Request&, net::Response&),
                   FakeRequest& request) {
    FakeResponse response;
    (protocol.*endpoint)(request, response);
    last = response.headers;
    return json::parse(response.sent).as_object();
  }
  /// The first page with rows of a statement that gives so many numbers.
  json::object first_page(size_t rows, const std::string& encodings) {
    engine.on_submit = [rows](FakeQuery& query) {
      query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
      query.add(numbers(0, rows));
      query.end();
    };
    FakeRequest post("SELECT n FROM t");
    post.headers.add("X-Trino-Query-Data-Encoding", encodings);
    return next(ask(&Protocol::post_statement, post));
  }
  json::object next(const json::object& page) {
    const std::string uri(page.at("nextUri").as_string());
    FakeRequest request;
    const size_t token = uri.rfind('/'), slug = uri.rfind('/', token - 1),
                 id = uri.rfind('/', slug - 1);
    request.path_params = {{"id", uri.substr(id + 1, slug - id - 1)},
                           {"slug", uri.substr(slug + 1, token - slug - 1)},
                           {"token", uri.substr(token + 1)}};
    return ask(&Protocol::get_page, request);
  }
  static const json::object& segment(const json::object& page) {
    return page.at("data").as_object().at("segments").as_array().at(0).as_object();
  }

  const Folder folder;
  FakeEngine engine;
  Protocol protocol{engine, options()};
  net::Headers last;
};

TEST_F(SpooledProtocolTest, FewRowsStandInThePage) {
  const auto page = first_page(3, "json+zstd");
  EXPECT_EQ(last.get("X-Trino-Query-Data-Encoding"), "json+zstd");
  EXPECT_EQ(page.at("data").at("encoding").as_string(), "json+zstd");
  EXPECT_EQ(segment(page).at("type").as_string(), "inline");
  EXPECT_EQ(base::from_base64(segment(page).at("data").as_string()), "[[0],[1],[2]]");
  EXPECT_EQ(json::serialize(segment(page).at("metadata")),
            R"({"rowOffset":0,"rowsCount":3,"segmentSize":13})");
  EXPECT_FALSE(page.contains("nextUri"));
}

TEST_F(SpooledProtocolTest, ManyRowsWaitToBeFetched) {
  const auto page = first_page(200000, "json");
  const auto& said = segment(page);
  EXPECT_EQ(said.at("type").as_string(), "spooled");
  const auto& metadata = said.at("metadata").as_object();
  EXPECT_FALSE(metadata.contains("uncompressedSize"));
  EXPECT_TRUE(said.at("headers").as_object().empty());
  const std::string uri(said.at("uri").as_string());
  const std::string id = uri.substr(uri.rfind('/') + 1);
  EXPECT_EQ(uri, "http://localhost:8080/v1/spooled/download/" + id);
  EXPECT_EQ(said.at("ackUri").as_string(), "http://localhost:8080/v1/spooled/ack/" + id);

  FakeRequest request;
  request.path_params = {{"token", id}};
  FakeResponse rows;
  protocol.get_segment(request, rows);
  EXPECT_EQ(rows.sent.size(), metadata.at("segmentSize").to_number<size_t>());
  const auto parsed = json::parse(rows.sent).as_array();
  const auto count = metadata.at("rowsCount").to_number<size_t>();
  ASSERT_EQ(parsed.size(), count);
  EXPECT_EQ(parsed.back().at(0).to_number<size_t>(), count - 1);

  if (page.contains("nextUri")) {
    const auto second = next(page);
    EXPECT_EQ(segment(second).at("metadata").at("rowOffset").to_number<size_t>(), count);
  }
  FakeResponse gone;
  protocol.acknowledge_segment(request, gone);
  EXPECT_EQ(gone.status, 200);
  EXPECT_THROW(protocol.get_segment(request, gone), net::HttpError);
}

TEST_F(SpooledProtocolTest, OtherEncodingsAndNoneLeaveTheRowsAsTheyAre) {
  EXPECT_EQ(json::serialize(first_page(2, "arrow").at("data")), "[[0],[1]]");
  EXPECT_EQ(last.get("X-Trino-Query-Data-Encoding"), std::nullopt);
}

TEST_F(SpooledProtocolTest, ASegmentOfAKnownUserIsThatUsersAlone) {
  engine.on_submit = [](FakeQuery& query) {
    query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
    query.add(numbers(0, 200000));
    query.end();
  };
  FakeRequest post("SELECT n FROM t");
  post.user = "alice";
  post.headers.add("X-Trino-Query-Data-Encoding", "json");
  const auto page = next(ask(&Protocol::post_statement, post));
  const std::string uri(segment(page).at("uri").as_string());
  FakeRequest request;
  request.path_params = {{"token", uri.substr(uri.rfind('/') + 1)}};
  FakeResponse response;
  request.user = "bob";
  EXPECT_THROW(protocol.get_segment(request, response), net::HttpError);
  request.user = "alice";
  protocol.get_segment(request, response);
  EXPECT_FALSE(response.sent.empty());
}

}  // namespace
}  // namespace meesh::serve::trino
