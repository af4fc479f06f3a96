#include "ingest/rest/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/text.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/json_values.h"
#include "ingest/rest/json_view.h"
#include "ingest/rest/link_header.h"

namespace meesh::ingest {

using How = Pagination::Kind;

namespace {

constexpr std::string_view kPlaceholder = "{parent.";

std::optional<int64_t> count_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

bool says_no(const std::string& text) {
  return text.empty() || text == "false" || text == "0" || text == "null" || text == "[]" ||
         text == "{}";
}

/// Puts a value where the name leads: "page.number" is a member of a member.
void put(boost::json::object& body, std::string_view name, boost::json::value value) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) {
    body[name] = std::move(value);
    return;
  }
  auto& inner = body[name.substr(0, dot)];
  if (!inner.is_object()) inner = boost::json::object();
  put(inner.as_object(), name.substr(dot + 1), std::move(value));
}

std::string members_of(std::string_view page) {
  if (!is_object(page)) return "it is no object";
  std::vector<std::string> names;
  each_member(page, [&](std::string_view name, std::string_view) {
    names.emplace_back(name);
    return names.size() < 20;
  });
  return "it has " + (names.empty() ? "no members" : base::join(names, ", "));
}

}  // namespace

Pages::Pages(HttpClient& http, const TableConfig& table, const Window& window,
             std::optional<RecordPath>& records, std::string parent,
             const boost::json::value& state)
    : http_(http),
      table_(table),
      rest_(rest_options(table)),
      pagination_(rest_.pagination),
      window_(window),
      records_(records),
      parent_(std::move(parent)),
      number_(pagination_.first) {
  if (!state.is_string()) return;
  const std::string text(state.as_string());
  if (pagination_.kind == How::kCursor) cursor_ = text;
  if (pagination_.kind == How::kLink) link_ = parse_url(text);
}

boost::json::value Pages::state() const {
  if (pagination_.kind == How::kCursor && !cursor_.empty()) return boost::json::string(cursor_);
  if (pagination_.kind != How::kLink || !link_) return nullptr;
  // An API may repeat the key that it was asked with.
  Url link = *link_;
  const auto& auth = http_.config().auth;
  if (auth.in_query) link.target = without_parameters(link.target, {auth.name});
  const std::string text = link.text();
  return redacted(text, http_.config().secrets) == text ? boost::json::string(text)
                                                        : boost::json::value(nullptr);
}

/// The text with the parent's values for its placeholders; nothing if the parent lacks one.
std::optional<std::string> Pages::filled_in(const std::string& text, bool encode) const {
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t begin = text.find(kPlaceholder, at);
    const size_t end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) return out + text.substr(at);
    out += text.substr(at, begin - at);
    const size_t name = begin + kPlaceholder.size();
    const auto value = RecordPath::parse(text.substr(name, end - name)).text(parent_);
    if (!value) return std::nullopt;
    out += encode ? net::percent_encode(*value) : *value;
    at = end + 1;
  }
}

void Pages::add_parameters(HttpRequest& request) const {
  std::vector<std::pair<std::string, boost::json::value>> given;
  const auto text = [](const std::string& value) { return boost::json::string(value); };
  if (!window_.since.empty()) given.emplace_back(rest_.since.parameter, text(window_.since));
  if (!window_.until.empty()) given.emplace_back(rest_.since.until, text(window_.until));
  if (!pagination_.size_parameter.empty())
    given.emplace_back(pagination_.size_parameter, pagination_.size);
  if (pagination_.kind == How::kPage || pagination_.kind == How::kOffset)
    given.emplace_back(pagination_.parameter, number_);
  if (pagination_.kind == How::kCursor && !cursor_.empty())
    given.emplace_back(pagination_.parameter, text(cursor_));
  boost::json::value body = rest_.body;
  if (rest_.parameters_in_body && !body.is_object()) body = boost::json::object();
  for (const auto& [name, value] : given) {
    if (rest_.parameters_in_body) {
      put(body.as_object(), name, value);
      continue;
    }
    const std::string shown =
        value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
    request.url.target = with_parameter(request.url.target, name, shown);
  }
  if (body.is_null()) return;
  request.body = boost::json::serialize(body);
  request.content_type = "application/json";
}

HttpRequest Pages::request() const {
  HttpRequest request;
  request.method = rest_.method;
  request.headers = rest_.headers;
  request.also_fine = rest_.ignore;
  if (link_) {
    request.url = *link_;
    if (!rest_.body.is_null()) {
      request.body = boost::json::serialize(rest_.body);
      request.content_type = "application/json";
    }
    return request;
  }
  const auto path = filled_in(rest_.path, true);
  const auto wrong = [&](const char* what) {
    return Error(Code::kConfigInvalid, fmt::format("{} of table '{}'", what, table_.name),
                 {table_.line, table_.column, ""});
  };
  if (!path) throw wrong("a record of the parent lacks a value for the path");
  const auto& base = http_.config().base;
  const auto absolute = parse_url(*path);
  if (absolute) {
    request.url = *absolute;
  } else {
    const auto url = parse_url(
        base.text() + (path->starts_with('/') || path->starts_with('?') ? "" : "/") + *path);
    if (!url) throw wrong("there is no address in the path");
    request.url = *url;
  }
  for (const auto& [name, value] : rest_.parameters) {
    const auto filled = filled_in(value, false);
    if (!filled) throw wrong("a record of the parent lacks a value for a parameter");
    request.url.target = add_parameter(request.url.target, name, *filled);
  }
  add_parameters(request);
  return request;
}

/// The page as JSON without spaces; "" if it is none that has records.
std::string Pages::page_text(const HttpAnswer& answer) const {
  if (rest_.ignore.contains(answer.status) || answer.status == 204 || answer.body.empty())
    return "";
  auto text = compact_json(answer.body);
  if (!text) {
    const auto type = answer.headers.get("Content-Type").value_or("no Content-Type");
    throw Error(Code::kGenericExternal,
                fmt::format("GET {}: the answer is no JSON ({}, {} bytes)", http_.shown(answer.url),
                            type, answer.body.size()))
        .with_hint("look at 'base_url' and 'path' in the source's file");
  }
  return std::move(*text);
}

void Pages::find_records(const std::string& page, RestPage& found, const TaskContext& context) {
  if (rest_.records) {
    const bool there = rest_.records->each(
        page, [&](std::string_view record) { found.records.emplace_back(record); });
    if (!there && pages_ == 1 && parent_.empty()) {
      context.warn(fmt::format("{}: the page has nothing where 'records' says; {}", table_.name,
                               members_of(page)));
    }
    return;
  }
  if (!records_) {
    try {
      records_ = RecordPath::parse(likely_records(page));
    } catch (Error& error) {
      throw error.at("", table_.line, table_.column);
    }
  }
  records_->each(page, [&](std::string_view record) { found.records.emplace_back(record); });
}

std::optional<RestPage> Pages::next(const TaskContext& context) {
  if (done_) return std::nullopt;
  context.check();
  if (pages_ == rest_.max_pages) {
    throw Error(Code::kGenericExternal,
                fmt::format("table '{}' has more than {} pages", table_.name, rest_.max_pages))
        .with_hint("max_pages: a larger number, if that many there are");
  }
  const auto answer = http_.send(request(), context);
  ++pages_;
  const std::string page = page_text(answer);
  RestPage found;
  found.shown = http_.shown(answer.url);
  if (!page.empty()) find_records(page, found, context);
  done_ = page.empty() || !go_on(page, found, answer);
  return found;
}

bool Pages::go_on(const std::string& page, const RestPage& found, const HttpAnswer& answer) {
  if (pagination_.more) {
    const auto more = pagination_.more->text(page);
    if (!more || says_no(*more)) return false;
  }
  switch (pagination_.kind) {
    case How::kNone:
      return false;
    case How::kPage:
    case How::kOffset:
      return go_on_by_number(page, found.records.size());
    case How::kCursor:
      return go_on_by_cursor(page, found);
    case How::kLink:
      return go_on_by_link(page, answer);
  }
  return false;
}

bool Pages::go_on_by_number(const std::string& page, size_t records) {
  const auto count = static_cast<int64_t>(records);
  if (count == 0 || (pagination_.ends_short && count < pagination_.size)) return false;
  number_ += pagination_.kind == How::kPage ? 1 : count;
  if (!pagination_.total) return true;
  const auto total = count_of(pagination_.total->text(page));
  return !total || number_ - pagination_.first < *total;
}

bool Pages::go_on_by_cursor(const std::string& page, const RestPage& found) {
  std::optional<std::string> next;
  if (pagination_.next) {
    next = pagination_.next->text(page);
  } else if (!found.records.empty()) {
    next = pagination_.next_of_record->text(found.records.back());
  }
  if (!next || next->empty() || *next == "false") return false;
  if (*next == cursor_) {
    if (found.records.empty()) return false;
    throw Error(Code::kGenericExternal,
                fmt::format("{}: the page tells to go on with the cursor that it was asked with",
                            found.shown));
  }
  cursor_ = std::move(*next);
  return true;
}

bool Pages::go_on_by_link(const std::string& page, const HttpAnswer& answer) {
  std::optional<std::string> next;
  if (pagination_.next) {
    next = pagination_.next->text(page);
  } else {
    for (const auto field : answer.headers.all("Link"))
      if (!next) next = linked(field, "next");
  }
  if (!next || next->empty()) return false;
  auto url = resolve(answer.url, *next);
  if (!url || url == link_ || (!link_ && url == answer.url && pages_ > 0)) {
    throw Error(Code::kGenericExternal,
                fmt::format("{}: the link to the next page {}", http_.shown(answer.url),
                            url ? "leads to the page itself" : "is no address"));
  }
  link_ = std::move(url);
  return true;
}

TableWalk::TableWalk(HttpClient& http, const SourceConfig& config, const TableConfig& table,
                     Window window, const boost::json::value& state)
    : http_(http), table_(table), rest_(rest_options(table_)), window_(std::move(window)) {
  if (rest_.parent.empty()) {
    pages_.emplace(http_, table_, window_, records_, "", state);
    return;
  }
  const TableConfig& parent = config.tables.at(rest_.parent);
  // All of the parent's records: an old one may have new children.
  Window all;
  const auto& since = rest_options(parent).since;
  if (!since.parameter.empty()) all.since = since.start;
  parents_ = std::make_unique<TableWalk>(http, config, parent, std::move(all));
}

boost::json::value TableWalk::state() const {
  return parents_ || !pages_ ? boost::json::value(nullptr) : pages_->state();
}

bool TableWalk::next_parent(const TaskContext& context) {
  while (waiting_.empty()) {
    auto page = parents_->next(context);
    if (!page) return false;
    waiting_ = std::move(page->records);
    std::ranges::reverse(waiting_);
  }
  parent_ = std::move(waiting_.back());
  waiting_.pop_back();
  return true;
}

std::optional<RestPage> TableWalk::next(const TaskContext& context) {
  while (true) {
    if (pages_) {
      if (auto page = pages_->next(context)) {
        if (parents_) add_parent_columns(*page);
        return page;
      }
      pages_.reset();
    }
    if (!parents_ || !next_parent(context)) return std::nullopt;
    pages_.emplace(http_, table_, window_, records_, parent_);
  }
}

void TableWalk::add_parent_columns(RestPage& page) const {
  if (rest_.parent_columns.empty()) return;
  std::string members;
  for (const auto& name : rest_.parent_columns) {
    const auto value = RecordPath::parse(name).value(parent_);
    append_quoted(fmt::format("_{}_{}", rest_.parent, name), members);
    members += ':';
    members += value.value_or("null");
    members += ',';
  }
  for (auto& record : page.records) {
    record.insert(1, members);
    if (record.ends_with(",}")) record.erase(record.size() - 2, 1);
  }
}

}  // namespace meesh::ingest
