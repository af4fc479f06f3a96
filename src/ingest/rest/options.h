// What the file of a source of kind rest says.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/kinds.h"
#include "ingest/rest/http_config.h"
#include "ingest/rest/record_path.h"

namespace meesh::ingest {

/// How the pages of one list hang together.
struct Pagination {
  enum class Kind {
    kNone,    // there is one page
    kPage,    // numbers of pages
    kOffset,  // numbers of records
    kCursor,  // each page tells what to ask for next
    kLink,    // each page tells the next one's address
  };
  Kind kind = Kind::kNone;
  std::string parameter;       // kPage, kOffset, kCursor
  int64_t first = 0;           // kPage, kOffset
  std::string size_parameter;  // "" = none is sent
  int64_t size = 0;            // records a page; 0 = not known
  /// In a page: the next cursor or link; without it, the header Link.
  std::optional<RecordPath> next;
  std::optional<RecordPath> next_of_record;  // kCursor: in the last record instead
  std::optional<RecordPath> more;            // a boolean: there is another page
  std::optional<RecordPath> total;           // kPage: of pages; kOffset: of records
  bool ends_short = false;                   // a page with fewer than `size` records is the last
};

/// What a request says of time, for tables that are incremental.
struct Since {
  std::string parameter;  // "" = the API cannot be asked; records are looked at here
  std::string until;      // parameter for the run's beginning; "" = none is sent
  std::string format;     // iso8601, date, epoch, epoch_ms, or with % as strftime has it
  std::string start;      // for the first run; "" = the parameter is left out
};

enum class RowOrder { kNone, kAscending, kDescending };  // by the cursor

struct RestTable : KindOptions {
  std::string path;  // below the base address; {parent.x} stands for a value of the parent
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> parameters, headers;
  boost::json::value body;            // null = none
  bool parameters_in_body = false;    // those of pagination and `since`
  std::optional<RecordPath> records;  // without it, found out
  Pagination pagination;
  Since since;
  RowOrder order = RowOrder::kNone;
  std::string parent;                       // table; "" = none
  std::vector<std::string> parent_columns;  // that records get as _<parent>_<column>
  bool flatten = false;                     // objects in records, one level: a__b
  std::set<int> ignore;                     // answers that stand for an empty page
  int64_t max_pages = 0;
  int64_t commit_every = 0;  // records; 0 = as it is best
};

struct RestOptions : KindOptions {
  HttpConfig http;
};

const RestOptions& rest_options(const SourceConfig& config);
const RestTable& rest_options(const TableConfig& table);

std::vector<base::Shape> rest_keys();
std::vector<base::Shape> rest_table_keys();
void read_rest(const ConfigReader& reader, SourceConfig& config);
void read_rest_table(const ConfigReader& reader, const yaml::Node& node, const SourceConfig& config,
                     TableConfig& table);

/// The names of x in the {parent.x}s of a text.
std::vector<std::string> parent_fields(std::string_view text);

}  // namespace meesh::ingest
