#include "lake/bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"

namespace meesh::lake {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const Type kText = primitive_type(TypeKind::kString);
const Type kBinary = primitive_type(TypeKind::kBinary);
const Type kNumber = primitive_type(TypeKind::kDouble);
const MetricsMode kFull{.kind = MetricsMode::Kind::kFull};

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Truncate, LowerBoundsAreStarts) {
  EXPECT_EQ(truncate_text("abc", 16), "abc");
  EXPECT_EQ(truncate_text("0123456789abcdefg", 16), "0123456789abcdef");
  EXPECT_EQ(truncate_text("äöüß", 2), "äö");
  EXPECT_EQ(truncate_text("\U0001F600\U0001F601x", 2), "\U0001F600\U0001F601");
  EXPECT_EQ(truncate_binary("abc", 2), "ab");
}

TEST(Truncate, UpperBoundsOfTextAreRaised) {
  EXPECT_EQ(truncate_text_up("abc", 3), "abc");
  EXPECT_EQ(truncate_text_up("abcd", 3), "abd");
  EXPECT_EQ(truncate_text_up("ab\x7F"
                             "x",
                             3),
            "ab\u0080");
  EXPECT_EQ(truncate_text_up("ab\u07FFx", 3), "ab\u0800");
  EXPECT_EQ(truncate_text_up("ab\uFFFFx", 3), "ab\U00010000");
  // U+D7FF is followed by the surrogates, which are no text.
  EXPECT_EQ(truncate_text_up("ab\uD7FFx", 3), "ab\uE000");
  EXPECT_EQ(truncate_text_up("ab\U0010FFFFx", 3), "ac");
  EXPECT_EQ(truncate_text_up("\U0010FFFF\U0010FFFF", 1), std::nullopt);
  EXPECT_EQ(truncate_text_up(repeated("\U0010FFFF", 3), 3), repeated("\U0010FFFF", 3));
  EXPECT_EQ(truncate_text_up("a\xFFz", 1), std::nullopt);
}

TEST(Truncate, UpperBoundsOfBinaryAreRaised) {
  EXPECT_EQ(truncate_binary_up("abc", 3), "abc");
  EXPECT_EQ(truncate_binary_up("abcd", 3), "abd");
  EXPECT_EQ(truncate_binary_up("a\xFF\xFFz", 3), "b");
  EXPECT_EQ(truncate_binary_up("\xFF\xFF\xFF", 2), std::nullopt);
}

TEST(Truncate, BoundsEncloseWhateverIsCut) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a",  "z",      "\x7F",   "é",          "\u07FF",
                                           "日", "\uD7FF", "\uFFFF", "\U0001F600", "\U0010FFFF"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (size_t i = random() % 8; i > 0; --i) text += pieces[random() % pieces.size()];
    const int length = 1 + static_cast<int>(random() % 5);
    EXPECT_LE(truncate_text(text, length), text);
    if (const auto upper = truncate_text_up(text, length)) {
      EXPECT_GE(*upper, text);
      EXPECT_EQ(truncate_text(*upper, length), *upper) << "no longer than asked for";
    }
    EXPECT_LE(truncate_binary(text, length), text);
    if (const auto upper = truncate_binary_up(text, length)) EXPECT_GE(*upper, text);
  }
}

TEST(Bounds, ByMode) {
  const std::string text = "0123456789abcdefg";
  EXPECT_EQ(lower_bound_bytes(kText, text, {}), "0123456789abcdef");
  EXPECT_EQ(upper_bound_bytes(kText, text, {}), "0123456789abcdeg");
  EXPECT_EQ(upper_bound_bytes(kBinary, text, {}), "0123456789abcdeg");
  EXPECT_EQ(lower_bound_bytes(kText, text, kFull), text);
  EXPECT_EQ(upper_bound_bytes(kText, text, kFull), text);
  for (const auto kind : {MetricsMode::Kind::kNone, MetricsMode::Kind::kCounts}) {
    EXPECT_EQ(lower_bound_bytes(kText, text, {.kind = kind}), std::nullopt);
    EXPECT_EQ(upper_bound_bytes(kText, text, {.kind = kind}), std::nullopt);
  }
  EXPECT_EQ(lower_bound_bytes(kText, Value(), kFull), std::nullopt);
  EXPECT_EQ(upper_bound_bytes(kText, std::string("\xC0\x80"), kFull), std::nullopt);
  EXPECT_EQ(lower_bound_bytes(primitive_type(TypeKind::kInt), int64_t{-2}, {}),
            std::string("\xFE\xFF\xFF\xFF"));
}

TEST(Bounds, NanIsNone) {
  EXPECT_EQ(lower_bound_bytes(kNumber, kNan, {}), std::nullopt);
  EXPECT_EQ(upper_bound_bytes(kNumber, kNan, {}), std::nullopt);
}

// Statistics do not tell the zeros apart, but -0.0 precedes +0.0.
TEST(Bounds, ZerosGoOutwards) {
  for (const double zero : {-0.0, 0.0}) {
    EXPECT_EQ(lower_bound_bytes(kNumber, zero, {}), to_bytes(kNumber, -0.0));
    EXPECT_EQ(upper_bound_bytes(kNumber, zero, {}), to_bytes(kNumber, 0.0));
  }
  EXPECT_LT(compare_values(-0.0, 0.0), 0);
  EXPECT_GT(compare_values(0.0, -0.0), 0);
  EXPECT_EQ(compare_values(0.0, 0.0), 0);
}

TEST(Bounds, IntoMetrics) {
  FileMetrics metrics;
  ColumnStatistics column{.id = 4, .size = 100, .values = 10, .nulls = 1, .nans = 0};
  column.min = std::string("aaaaaaaaaaaaaaaaaa");
  column.max = repeated("\U0010FFFF", 17);
  add_metrics(metrics, kText, column, {});
  EXPECT_EQ(metrics.find(4)->nulls, 1);
  EXPECT_EQ(metrics.find(4)->lower, "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(metrics.find(4)->upper, std::nullopt);
  add_metrics(metrics, kText, column, {.kind = MetricsMode::Kind::kCounts});
  EXPECT_EQ(metrics.find(4)->values, 10);
  EXPECT_EQ(metrics.find(4)->lower, std::nullopt);
  add_metrics(metrics, kText, column, {.kind = MetricsMode::Kind::kNone});
  EXPECT_EQ(metrics.find(4)->values, -1);
  EXPECT_EQ(metrics.find(4)->size, 100);
}

TEST(MetricsModes, OfProperties) {
  using Kind = MetricsMode::Kind;
  EXPECT_EQ(parse_metrics_mode("truncate(4)"), (MetricsMode{.kind = Kind::kTruncate, .length = 4}));
  for (const char* bad : {"truncate(0)", "truncate()", "truncate(-1)", "truncate(x)", "all", ""}) {
    EXPECT_THROW(parse_metrics_mode(bad), Error) << bad;
  }
  Schema schema;
  for (int id = 1; id <= 3; ++id) {
    schema.fields.push_back({id, "c" + std::to_string(id), kText, false, ""});
  }
  schema.fields.push_back({4, "s", struct_type({{5, "x", kText, false, ""}}), false, ""});
  EXPECT_EQ(metrics_mode({}, schema, 3), MetricsMode{});
  const Properties few{{"write.metadata.metrics.max-inferred-column-defaults", "2"}};
  EXPECT_EQ(metrics_mode(few, schema, 2), MetricsMode{});
  EXPECT_EQ(metrics_mode(few, schema, 3).kind, Kind::kNone);
  EXPECT_EQ(metrics_mode(few, schema, 5).kind, Kind::kNone);
  const Properties some{{"write.metadata.metrics.default", "counts"},
                        {"write.metadata.metrics.column.s.x", "full"}};
  EXPECT_EQ(metrics_mode(some, schema, 1).kind, Kind::kCounts);
  EXPECT_EQ(metrics_mode(some, schema, 5).kind, Kind::kFull);
}

}  // namespace
}  // namespace meesh::lake
