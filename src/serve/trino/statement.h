// One statement on its way to a client: the pages of its result, one token each. Token 0 is the
// answer to the POST; the client asks for the next one by the URI it was given, may ask for the
// same page again, and never goes back.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "serve/trino/json_text.h"
#include "serve/trino/session_headers.h"
#include "serve/trino/spooled_data.h"
#include "serve/trino/trino.h"
#include "serve/trino/value_encoder.h"

namespace meesh::serve::trino {

/// A page as sent, and sent again: never changed after it was made.
struct Page {
  uint64_t token = 0;
  JsonText body;
  net::Headers headers;
  bool last = false;  // has no nextUri
};
using PagePtr = std::shared_ptr<const Page>;

/// How a request wants its page.
struct PageRequest {
  uint64_t token = 0;
  std::string base_uri;
  std::chrono::milliseconds wait{0};    // for the first row
  std::chrono::milliseconds gather{0};  // after the first row, for more
  uint64_t bytes = 1 << 20;             // a page ends with the row that reaches this size
};

/// Thread-safe; requests for pages of one statement follow one another.
class Statement {
 public:
  /// `spooled`: how the rows go to a client that asked for the spooled protocol, else null.
  Statement(engine::QueryPtr query, ClientContext context, std::string base_uri,
            std::unique_ptr<SpooledData> spooled = nullptr);

  const std::string& slug() const { return slug_; }
  engine::Query& query() const { return *query_; }
  /// The page with the token. Throws net::HttpError 410 for one that is gone, 404 for one that is
  /// not there (yet).
  PagePtr page(const PageRequest& request);

 private:
  PagePtr make_page(const PageRequest& request);
  /// Writes the head and `data` of a page with rows, "," included; false, and nothing is written,
  /// if none came in time.
  bool write_rows(const PageRequest& request, JsonText& out);
  /// Appends rows as an array that is left open, until there are enough, the time is over or
  /// nothing more comes; their number.
  uint64_t append_rows(const PageRequest& request, JsonText& out);
  void append_row(JsonText& out);
  bool fetch(std::chrono::milliseconds at_most);
  bool learn_columns();
  void write_head(const PageRequest& request, JsonText& out) const;
  /// Ends the body; `more` pages follow this one.
  void write_tail(const PageRequest& request, const engine::QueryInfo& info, bool more,
                  JsonText& out) const;

  const engine::QueryPtr query_;
  const std::string slug_;
  const DateTimes date_times_;
  const std::shared_ptr<const TimeZone> zone_;
  const std::unique_ptr<SpooledData> spooled_;  // null: rows stand in the pages

  std::mutex mutex_;  // guards all below; held while a page is waited for
  PagePtr page_;
  std::string columns_;  // as JSON, "" while unknown or without result
  bool columns_known_ = false;
  std::vector<ValueEncoder> encoders_;
  engine::BatchPtr batch_;  // being written
  size_t row_ = 0;          // next one of batch_
  std::optional<Error> failure_;
};

}  // namespace meesh::serve::trino
