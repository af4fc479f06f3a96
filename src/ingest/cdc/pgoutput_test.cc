#include "ingest/cdc/pgoutput.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::ingest::pgoutput {
namespace {

using std::string_literals::operator""s;

std::string number(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string text(const std::string& value) { return "t" + number(value.size(), 4) + value; }

TEST(Pgoutput, FramesAndTheirAnswer) {
  const auto data = read_frame("w" + number(5, 8) + number(9, 8) + number(7, 8) + "payload");
  EXPECT_EQ(data.start, 5);
  EXPECT_EQ(data.end, 9);
  EXPECT_EQ(data.payload, "payload");
  const auto alive = read_frame("k" + number(11, 8) + number(7, 8) + "\1"s);
  EXPECT_EQ(alive.end, 11);
  EXPECT_TRUE(alive.reply);
  EXPECT_EQ(standby_status(11, 7, false),
            "r" + number(11, 8) + number(11, 8) + number(11, 8) + number(7, 8) + "\0"s);
}

TEST(Pgoutput, Transactions) {
  Message message;
  read_message("B" + number(0x16B3748, 8) + number(42, 8) + number(777, 4), message);
  EXPECT_EQ(message.commit_lsn, 0x16B3748);
  EXPECT_EQ(message.committed, 42);
  EXPECT_EQ(message.xid, 777);
  read_message("C\0"s + number(0x16B3748, 8) + number(0x16B3790, 8) + number(42, 8), message);
  EXPECT_EQ(message.end_lsn, 0x16B3790);
}

TEST(Pgoutput, RelationsAndRows) {
  Message message;
  const std::string relation = "R" + number(16385, 4) + "public\0t\0"s + "d" + number(2, 2) +
                               "\1id\0"s + number(23, 4) + number(0xffffffff, 4) + "\0note\0"s +
                               number(25, 4) + number(0xffffffff, 4);
  read_message(relation, message);
  ASSERT_EQ(message.columns.size(), 2);
  EXPECT_EQ(message.name, "t");
  EXPECT_TRUE(message.columns[0].key);
  EXPECT_EQ(message.columns[1].name, "note");
  EXPECT_EQ(message.columns[1].modifier, -1);

  const std::string update = "U" + number(16385, 4) + "K" + number(2, 2) + text("1") + "nN" +
                             number(2, 2) + text("2") + "u";
  read_message(update, message);
  EXPECT_EQ(message.before_kind, 'K');
  EXPECT_EQ(message.before.at(0).text, "1");
  EXPECT_EQ(message.before.at(1).kind, Cell::Kind::kNull);
  EXPECT_EQ(message.row.at(0).text, "2");
  EXPECT_EQ(message.row.at(1).kind, Cell::Kind::kUnchanged);

  read_message("I" + number(16385, 4) + "N" + number(1, 2) + text(""), message);
  EXPECT_EQ(message.before_kind, 0);
  EXPECT_EQ(message.row.at(0).kind, Cell::Kind::kText);

  read_message("T" + number(2, 4) + "\0"s + number(5, 4) + number(6, 4), message);
  EXPECT_THAT(message.relations, testing::ElementsAre(5, 6));
}

TEST(Pgoutput, WhatIsCutShortOrPromisesTooMuchIsRefused) {
  Message message;
  const std::string insert = "I" + number(16385, 4) + "N" + number(1, 2) + text("value");
  for (size_t size = 0; size < insert.size(); ++size)
    EXPECT_THROW(read_message(insert.substr(0, size), message), Error) << size;
  EXPECT_THROW(read_message("I" + number(1, 4) + "N" + number(0x7fff, 2), message), Error);
  EXPECT_THROW(read_message("T" + number(0x7fffffff, 4) + "\0"s, message), Error);
  EXPECT_THROW(read_message("D" + number(1, 4) + "N" + number(0, 2), message), Error);
  EXPECT_THROW(read_frame(""), Error);
}

}  // namespace
}  // namespace meesh::ingest::pgoutput
