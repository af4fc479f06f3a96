// The answer to a query as it comes, in pieces of any size.
//
// /query-stream (application/vnd.ksqlapi.delimited.v1), one value a line:
//   {"queryId":"q1","columnNames":["ID","NAME"],"columnTypes":["BIGINT","STRING"]}
//   [1,"ana"]
// /query (application/vnd.ksql.v1+json), one array whose elements are mostly a line each:
//   [{"header":{"queryId":"q1","schema":"`ID` BIGINT, `NAME` STRING"}},
//   {"row":{"columns":[1,"ana"]}},
//   {"finalMessage":"Query Completed"}]
// An error may stand in the place of any row.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/ksqldb/client.h"

namespace meesh::streams {

class QueryAnswer {
 public:
  enum class Shape { kDelimited, kArray };
  using OnHeader = std::function<void(const std::vector<KsqldbColumn>&)>;
  /// False: that was enough.
  using OnRow = std::function<bool(const KsqldbRow&)>;

  QueryAnswer(Shape shape, OnHeader on_header, OnRow on_row);

  /// False once the answer is complete or somebody had enough; what comes then is ignored. Throws
  /// ksqlDB's error, or GENERIC_EXTERNAL for what is no answer of ksqlDB.
  bool add(std::string_view bytes);
  /// The connection ended well. Throws GENERIC_EXTERNAL if the answer had not.
  void end();

 private:
  void scan(std::string_view bytes, size_t& at);
  bool between_elements(char c);
  void element();
  void header(const boost::json::object& object);
  void row(const boost::json::array& row);

  const Shape shape_;
  const OnHeader on_header_;
  const OnRow on_row_;
  std::string element_;  // what there is of the one that is read
  int depth_ = 0;        // of brackets in it
  bool in_string_ = false, escaped_ = false;
  bool has_header_ = false, done_ = false;
  size_t columns_ = 0;
};

}  // namespace meesh::streams
