#include "serve/trino/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "serve/trino/query_json.h"
#include "serve/trino/type_signature.h"

namespace meesh::serve::trino {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Cannot be guessed: whoever knows it may read the result.
std::string make_slug() {
  std::random_device random;
  return fmt::format("y{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

milliseconds until(Clock::time_point deadline) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

}  // namespace

Statement::Statement(engine::QueryPtr query, ClientContext context, std::string base_uri,
                     std::unique_ptr<SpooledData> spooled)
    : query_(std::move(query)),
      slug_(make_slug()),
      date_times_(context.date_times),
      zone_(std::move(context.zone)),
      spooled_(std::move(spooled)) {
  auto first = std::make_shared<Page>();
  PageRequest request;
  request.base_uri = std::move(base_uri);
  write_head(request, first->body);
  // The first answer says QUEUED whatever has happened since, as clients are used to.
  engine::QueryInfo info = query_->info();
  info.state = engine::QueryState::kQueued;
  info.error.reset();
  write_tail(request, info, true, first->body);
  page_ = std::move(first);
}

PagePtr Statement::page(const PageRequest& request) {
  const std::lock_guard lock(mutex_);
  if (request.token == page_->token) return page_;
  if (request.token < page_->token)
    throw net::HttpError(410, "Page is gone: only the last one sent is kept");
  if (page_->last || request.token != page_->token + 1)
    throw net::HttpError(404, "Query not found");
  page_ = make_page(request);
  return page_;
}

PagePtr Statement::make_page(const PageRequest& request) {
  auto page = std::make_shared<Page>();
  page->token = request.token;
  JsonText& out = page->body;
  const bool has_rows = write_rows(request, out);
  const bool ended = !batch_ && (failure_ || query_->finished());
  engine::QueryInfo info = query_->info();
  if (has_rows) {
    // An error that came after these rows waits for the next page. Without one, a result that fits
    // its page needs no other: the client saves a round trip.
    page->last = ended && !failure_ && !info.error;
    info.error.reset();
  } else {
    if (ended && !failure_) failure_ = info.error;
    learn_columns();
    const bool count = ended && !failure_ && columns_.empty() && info.update_count;
    if (count) {
      columns_ = columns_json({{"rows", sql::Type::of(sql::TypeKind::kBigint)}}, date_times_);
    }
    page->last = ended;
    write_head(request, out);
    if (count) out.raw(fmt::format("\"data\":[[{}]],", *info.update_count));
    info.error = failure_;
    if (failure_) info.state = engine::QueryState::kFailed;
  }
  write_tail(request, info, !page->last, out);
  add_session_changes(query_->changes(), page->headers);
  if (spooled_) {
    page->headers.add("X-Trino-Query-Data-Encoding",
                      std::string(encoding_name(spooled_->encoding())));
  }
  return page;
}

bool Statement::fetch(milliseconds at_most) {
  if (failure_) return false;
  try {
    do {
      batch_ = query_->next(at_most);
    } while (batch_ && batch_->rows == 0);
  } catch (const Error& error) {
    failure_ = error;
    batch_ = nullptr;
  }
  if (!batch_) return false;
  row_ = 0;
  if (!learn_columns() || encoders_.size() != batch_->columns.size()) {
    internal_error("a query hands out rows that do not fit its columns");
  }
  for (size_t i = 0; i < encoders_.size(); ++i) encoders_[i].begin(batch_->columns[i]);
  return true;
}

bool Statement::learn_columns() {
  if (columns_known_) return true;
  if (!query_->wait_for_columns(milliseconds(0))) return false;
  const auto columns = query_->columns();
  columns_known_ = true;
  columns_ = columns_json(columns, date_times_);
  for (const auto& column : columns) encoders_.emplace_back(column.type, date_times_, zone_);
  return true;
}

bool Statement::write_rows(const PageRequest& request, JsonText& out) {
  if (!spooled_) {
    if (append_rows(request, out) == 0) return false;
    out.close(']');
    out.raw(',');
    return true;
  }
  JsonText rows;
  const uint64_t count = append_rows(request, rows);
  if (count == 0) return false;
  rows.close(']');
  write_head(request, out);
  out.key("data");
  spooled_->write(rows.view(), count, request.base_uri, out);
  out.raw(',');
  return true;
}

uint64_t Statement::append_rows(const PageRequest& request, JsonText& out) {
  const uint64_t bytes = spooled_ ? spooled_->next_bytes() : request.bytes;
  const auto start = Clock::now();
  Clock::time_point deadline = start + request.wait;
  uint64_t rows = 0;
  while (rows == 0 || out.size() < bytes) {
    if (!batch_ && !fetch(until(deadline))) break;
    if (rows == 0) {
      deadline = Clock::now() + request.gather;
      if (!spooled_) {
        write_head(request, out);
        out.key("data");
      }
      out.raw('[');
    }
    do {
      append_row(out);
      ++rows;
    } while (++row_ < batch_->rows && out.size() < bytes);
    if (row_ == batch_->rows) batch_ = nullptr;
    // Rows too many to stand in the page are worth waiting for more: each segment is one more way
    // to the server.
    if (spooled_ && out.size() > kInlineBytes) deadline = std::max(deadline, start + request.wait);
  }
  return rows;
}

void Statement::append_row(JsonText& out) {
  const auto& columns = batch_->columns;
  out.raw('[');
  for (size_t i = 0; i < columns.size(); ++i) {
    encoders_[i].write(columns[i], row_, out);
    out.raw(',');
  }
  out.close(']');
  out.raw(',');
}

void Statement::write_head(const PageRequest& request, JsonText& out) const {
  const std::string& id = query_->id();
  out.raw('{');
  out.member("id", id);
  out.member("infoUri", fmt::format("{}/admin/queries/{}", request.base_uri, id));
  if (columns_.empty()) return;
  out.key("columns");
  out.raw(columns_);
  out.raw(',');
}

void Statement::write_tail(const PageRequest& request, const engine::QueryInfo& info, bool more,
                           JsonText& out) const {
  if (more) {
    const bool queued = info.state == engine::QueryState::kQueued;
    out.member("nextUri", fmt::format("{}/v1/statement/{}/{}/{}/{}", request.base_uri,
                                      queued ? "queued" : "executing", query_->id(), slug_,
                                      request.token + 1));
  }
  out.key("stats");
  write_statement_stats(info, out);
  if (info.error) {
    out.raw(",\"error\":");
    write_error(*info.error, out);
  }
  out.raw(",\"warnings\":[],");
  if (!info.update_type.empty()) out.member("updateType", info.update_type);
  if (info.update_count) out.member("updateCount", *info.update_count);
  out.close('}');
}

}  // namespace meesh::serve::trino
