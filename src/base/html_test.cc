#include "base/html.h"

#include <gtest/gtest.h>

namespace meesh::base {
namespace {

TEST(Html, NothingOfATextBecomesATagOrEndsAnAttribute) {
  EXPECT_EQ(html_text("<a href=\"x\" title='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  EXPECT_EQ(html_text("Étés & hivers"), "Étés &amp; hivers");
  EXPECT_EQ(html_text(""), "");
}

}  // namespace
}  // namespace meesh::base
