#include "objects/index/index.h"

#include <gtest/gtest.h>

#include "objects/index/rows.h"
#include "objects/local/test_store.h"

namespace meesh::objects {
namespace {

class IndexTest : public testing::Test {
 protected:
  int64_t count(const char* sql) {
    Index::Reading reading = index_.read();
    sqlite::Query query(reading.db(), sql);
    return query.next() ? query.number(0) : -1;
  }
  void insert(uint64_t id) {
    index_.change([&](sqlite::Connection& db) { db.run("INSERT INTO garbage VALUES (?)", id); });
  }
  int64_t garbage() { return count("SELECT count(*) FROM garbage"); }

  TestFolder folder_;
  Index index_{folder_.path() / "index.db"};
};

TEST_F(IndexTest, OneThatThrowsTakesBackItsOwnPartAlone) {
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 50; ++i) {
        try {
          index_.change([&](sqlite::Connection& db) {
            db.run("INSERT INTO garbage VALUES (?)", t * 1000 + i);
            if (i % 2) throw ObjectError(Reason::kPreconditionFailed, "no");
          });
        } catch (const ObjectError&) {
          ++failed;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 200);
  EXPECT_EQ(garbage(), 200);
  EXPECT_EQ(count("SELECT count(*) FROM garbage WHERE id % 2"), 0);
}

TEST_F(IndexTest, CommittedRunsInOrderAndOnlyAfterSuccess) {
  std::vector<int> ran;
  index_.change([](sqlite::Connection&) {}, [&] { ran.push_back(1); });
  EXPECT_THROW(index_.change([](sqlite::Connection&) { throw std::runtime_error("no"); },
                             [&] { ran.push_back(2); }),
               std::runtime_error);
  index_.change([](sqlite::Connection&) {}, [&] { ran.push_back(3); }, Index::Grouping::kAlone);
  EXPECT_EQ(ran, (std::vector<int>{1, 3}));
}

TEST_F(IndexTest, AFullDiskFailsWhatDoesNotFitAndNothingElse) {
  insert(1);
  index_.change([](sqlite::Connection& db) {
    sqlite::Query pages(db, "PRAGMA page_count");
    pages.next();
    db.execute(fmt::format("PRAGMA max_page_count = {}", pages.number(0) + 5));
  });
  const auto large = [&](uint64_t seq) {
    index_.change([&](sqlite::Connection& db) {
      db.run("INSERT INTO garbage VALUES (?)", seq);
      db.run("INSERT INTO inline VALUES (?, zeroblob(100000))", seq);
    });
  };
  EXPECT_REASON(kStorageFull, large(2));
  EXPECT_EQ(garbage(), 1);
  insert(3);
  // With others in one transaction: everyone gets an answer that is true.
  std::atomic<int64_t> acknowledged = 2;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 10; ++i) {
        try {
          if (t == 0) {
            large(100 + i);
          } else {
            insert(1000 * t + i);
          }
          ++acknowledged;
        } catch (const ObjectError& error) {
          EXPECT_EQ(error.reason(), Reason::kStorageFull);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(garbage(), acknowledged);
}

TEST_F(IndexTest, SeqsGrowAcrossThreads) {
  std::vector<std::vector<uint64_t>> taken(4);
  std::vector<std::thread> threads;
  for (auto& own : taken) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) own.push_back(index_.next_seq());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& own : taken) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), 4000u);
}

TEST_F(IndexTest, ANewerFileIsLeftAlone) {
  index_.change([](sqlite::Connection& db) { db.execute("PRAGMA user_version = 99"); });
  try {
    const Index again(folder_.path() / "index.db");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfigInvalid);
  }
}

TEST(Record, EveryFieldComesBack) {
  Row row;
  row.seq = 0x123456;
  row.object.version = make_id(row.seq);
  row.object.etag = "0123456789abcdef0123456789abcdef-12";
  row.object.modified = Time(std::chrono::milliseconds(1234567890123));
  row.object.checksums = {{ChecksumKind::kCrc32, "AAAAAA=="}, {ChecksumKind::kSha256, "x-3"}};
  row.object.composite = true;
  row.object.encryption = Encryption::kS3;
  row.object.attributes.retention = {LockMode::kCompliance, row.object.modified};
  row.object.attributes.legal_hold = true;
  row.manifest = 77;
  row.pieces = {{1ull << 50, 1000, 1032, {"master", std::string("k\0k", 3)}}, {3, 5, 5, {}}};
  Row back;
  back.seq = row.seq;
  decode_record(encode_record(row), back);
  EXPECT_EQ(back.object.version, row.object.version);
  EXPECT_EQ(back.object.etag, row.object.etag);
  EXPECT_EQ(back.object.modified, row.object.modified);
  EXPECT_EQ(back.object.checksums, row.object.checksums);
  EXPECT_TRUE(back.object.composite);
  EXPECT_EQ(back.object.encryption, Encryption::kS3);
  EXPECT_EQ(back.object.attributes.retention.until, row.object.modified);
  EXPECT_TRUE(back.object.attributes.legal_hold);
  EXPECT_EQ(back.manifest, 77u);
  ASSERT_EQ(back.pieces.size(), 2u);
  EXPECT_EQ(back.pieces[0].payload, 1ull << 50);
  EXPECT_EQ(back.pieces[0].stored, 1032u);
  EXPECT_EQ(back.pieces[0].key.bytes, row.pieces[0].key.bytes);
  EXPECT_EQ(back.pieces[1].stored, 5u);
}

TEST(Record, EtagsOfEveryShape) {
  for (const char* etag :
       {"", "x", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef-1",
        "0123456789abcdef0123456789abcdef-", "0123456789ABCDEF0123456789abcdef",
        "0123456789abcdef0123456789abcdef-01", "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef-2"}) {
    Row row, back;
    row.flags = back.flags = Row::kNull;
    row.object.etag = etag;
    decode_record(encode_record(row), back);
    EXPECT_EQ(back.object.etag, etag);
  }
}

TEST(Record, DamageIsAnError) {
  Row row;
  row.flags = Row::kNull;
  row.object.etag = "0123456789abcdef0123456789abcdef";
  row.object.attributes.metadata = {{"a", "b"}};
  const std::string whole = encode_record(row);
  for (size_t size = 1; size < whole.size(); ++size) {
    Row back;
    back.flags = Row::kNull;
    try {
      decode_record(std::string_view(whole).substr(0, size), back);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIoError);
    }
  }
  Row back;
  EXPECT_THROW(decode_record("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", back), Error);
  EXPECT_THROW(decode_record("\x03\xff", back), Error);
}

TEST(Record, Ids) {
  EXPECT_EQ(seq_of_id(make_id(12345)), 12345u);
  EXPECT_NE(make_id(1), make_id(1));
  for (const char* wrong :
       {"", "null", "0000000000000001000000000000000", "0000000000000001000000000000000G",
        "ffffffffffffffff0000000000000000"}) {
    EXPECT_FALSE(seq_of_id(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace meesh::objects
