// The way through a table's pages: one list, or one for each record of another table.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/rest/http.h"
#include "ingest/rest/options.h"

namespace meesh::ingest {

/// What requests say of time; "" = nothing.
struct Window {
  std::string since, until;
};

struct RestPage {
  std::vector<std::string> records;  // objects, JSON without spaces
  std::string shown;                 // the page's address, without secrets
};

/// The pages of one list, in their order.
class Pages {
 public:
  /// `parent`: the record that {parent.x} are taken of, "" if there is none. `state`: of another
  /// walk, to go on from; null: from the beginning. All references outlive this.
  Pages(HttpClient& http, const TableConfig& table, const Window& window,
        std::optional<RecordPath>& records, std::string parent,
        const boost::json::value& state = nullptr);

  /// Nothing: that was all.
  std::optional<RestPage> next(const TaskContext& context);
  /// What the next request is to ask for; null if a walk cannot go on from here at another time,
  /// because pages have no names that last.
  boost::json::value state() const;
  bool finished() const { return done_; }

 private:
  HttpRequest request() const;
  void add_parameters(HttpRequest& request) const;
  std::optional<std::string> filled_in(const std::string& text, bool encode) const;
  std::string page_text(const HttpAnswer& answer) const;
  void find_records(const std::string& page, RestPage& found, const TaskContext& context);
  /// Sets what comes next; false: nothing.
  bool go_on(const std::string& page, const RestPage& found, const HttpAnswer& answer);
  bool go_on_by_number(const std::string& page, size_t records);
  bool go_on_by_cursor(const std::string& page, const RestPage& found);
  bool go_on_by_link(const std::string& page, const HttpAnswer& answer);

  HttpClient& http_;
  const TableConfig& table_;
  const RestTable& rest_;
  const Pagination& pagination_;
  const Window& window_;
  std::optional<RecordPath>& records_;  // found out on the first page, if nobody says
  const std::string parent_;
  bool done_ = false;
  int64_t pages_ = 0;
  int64_t number_ = 0;       // of the page or the record that comes next
  std::string cursor_;       // "" = the first page
  std::optional<Url> link_;  // nothing = the first page
};

/// All pages of a table.
class TableWalk {
 public:
  TableWalk(HttpClient& http, const SourceConfig& config, const TableConfig& table, Window window,
            const boost::json::value& state = nullptr);

  std::optional<RestPage> next(const TaskContext& context);
  boost::json::value state() const;  // as that of Pages; null of tables with a parent
  /// Known without another request: there is no page any more.
  bool finished() const { return !parents_ && (!pages_ || pages_->finished()); }

 private:
  bool next_parent(const TaskContext& context);
  void add_parent_columns(RestPage& page) const;

  HttpClient& http_;
  const TableConfig table_;
  const RestTable& rest_;
  const Window window_;
  std::optional<RecordPath> records_;
  std::unique_ptr<TableWalk> parents_;  // null: there is none
  std::vector<std::string> waiting_;    // parents, the next one last
  std::string parent_;                  // the record whose pages these are
  std::optional<Pages> pages_;
};

}  // namespace meesh::ingest
