#include "serve/api/metrics_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace meesh::serve::api {
namespace {

TEST(MetricsText, FamiliesHaveTheirHeadOnce) {
  MetricsText text;
  text.family("lag", "gauge", "Messages that wait");
  text.sample({{"stream", "a"}}, 3);
  text.sample({{"stream", "b"}, {"topic", "t"}}, 0.25);
  text.family("up", "gauge", "Whether it runs");
  text.sample(1);
  EXPECT_EQ(text.text(),
            "# HELP lag Messages that wait\n# TYPE lag gauge\n"
            "lag{stream=\"a\"} 3\nlag{stream=\"b\",topic=\"t\"} 0.25\n"
            "# HELP up Whether it runs\n# TYPE up gauge\nup 1\n");
}

TEST(MetricsText, AFamilyWithoutSamplesIsNotWritten) {
  MetricsText text;
  text.family("nothing", "gauge", "Of it there is none");
  text.family("up", "gauge", "Whether it runs");
  text.sample(1);
  EXPECT_EQ(text.text(), "# HELP up Whether it runs\n# TYPE up gauge\nup 1\n");
}

TEST(MetricsText, LabelsAndHelpAreEscapedAsTheFormatSays) {
  MetricsText text;
  text.family("m", "gauge", "a \"b\" \\ c\nd");
  text.sample({{"l", "a \"b\" \\ c\nd é"}}, 1);
  EXPECT_EQ(text.text(),
            "# HELP m a \"b\" \\\\ c\\nd\n# TYPE m gauge\n"
            "m{l=\"a \\\"b\\\" \\\\ c\\nd é\"} 1\n");
}

TEST(MetricsText, NumbersKeepTheirDigits) {
  MetricsText text;
  text.family("m", "gauge", "h");
  text.sample(1763805600.125);
  text.sample(9007199254740991.0);
  text.sample(std::numeric_limits<double>::quiet_NaN());
  text.sample(-std::numeric_limits<double>::infinity());
  text.sample(std::numeric_limits<double>::infinity());
  EXPECT_EQ(text.text().substr(text.text().find("\nm ") + 1),
            "m 1763805600.125\nm 9007199254740991\nm NaN\nm -Inf\nm +Inf\n");
}

}  // namespace
}  // namespace meesh::serve::api
