// What addresses, names and elements are taken for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ingest/locations/records_file.h"
#include "ingest/locations/sftp_session.h"
#include "ingest/locations/unpack.h"
#include "ingest/sources/files.h"

namespace meesh::ingest {
namespace {

using testing::HasSubstr;

TEST(SftpAddress, IsTakenApart) {
  const auto address = parse_sftp("sftp://ann@x@[::1]:2222/~/in/*.csv");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->user, "ann@x");
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 2222);
  EXPECT_EQ(address->path, "/~/in/*.csv");
  EXPECT_EQ(parse_sftp("sftp://host/a")->port, 22);
  for (const char* bad : {"sftp://host", "sftp:///a", "ssh://h/a", "sftp://h:0/a", "sftp://h:x/a",
                          "sftp://u:secret@h/a", "sftp://[::1/a"})
    EXPECT_FALSE(parse_sftp(bad)) << bad;
}

TEST(Paths, HaveTheRunDate) {
  EXPECT_EQ(dated("a/{date}/b-{date:%Y%m}.csv", "2025-01-15"), "a/2025-01-15/b-202501.csv");
  EXPECT_EQ(dated("a/{dates}/{date", "2025-01-15"), "a/{dates}/{date");
}

TEST(Names, TellTheForm) {
  EXPECT_EQ(form_of("https://h/a.CSV.gz?x=.json"), FileForm::kCsv);
  EXPECT_EQ(form_of("a.xlsx"), FileForm::kExcel);
  EXPECT_EQ(form_of("b#1.xml.bz2"), FileForm::kXml);
  EXPECT_EQ(form_of("a.zip"), std::nullopt);
  EXPECT_EQ(unpacked_name("a.json.ZST"), "a.json");
  EXPECT_TRUE(is_archive("x.tar.gz") && is_packed("x.tar.gz") && !is_archive("x.gz"));
}

TEST(Xml, BecomesJson) {
  EXPECT_EQ(xml_records("<r><a n=' 1 '>x<!-- c --></a><a n='2'/></r>", ""),
            "{\"n\":1,\"value\":\"x\"}\n{\"n\":2}\n");
  EXPECT_EQ(xml_records("<r><a><b>1</b><c><![CDATA[<\"]]></c></a><a><b>01</b></a></r>", "/r/a"),
            "{\"b\":\"1\",\"c\":\"<\\\"\"}\n{\"b\":\"01\"}\n");
  EXPECT_EQ(xml_records("<r><a><b>true</b><b>false</b></a></r>", "//a"), "{\"b\":[true,false]}\n");
  EXPECT_EQ(xml_records("<r/>", ""), "");
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "<a>";
  for (int i = 0; i < 200; ++i) deep += "</a>";
  EXPECT_THROW(xml_records(deep, "/a"), Error);
  EXPECT_THROW(xml_records("<a", ""), Error);
  EXPECT_THROW(xml_records("<a/>", "//["), Error);
}

}  // namespace
}  // namespace meesh::ingest
