// A stream's SQL taken apart: what each micro-batch runs over its rows, what is kept from batch to
// batch, and how the answer comes of both. Everything here is text of Trino's SQL; nothing is run.
//
//   SELECT pays, avg(montant) AS moyenne FROM ventes GROUP BY pays HAVING count(*) > 1
//
//   delta   SELECT pays AS k0, sum(montant) AS p0, count(montant) AS p1, count(*) AS p2
//           FROM ventes GROUP BY 1
//   state   k0, sum(p0), sum(p1), sum(p2), by k0
//   answer  SELECT k0 AS pays, p0 / p1 AS moyenne FROM (state) WHERE p2 > 1
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "streams/stream_config.h"

namespace meesh::streams {

/// Two streams are joined where b.time - a.time lies between `least` and `most`: the first source
/// is a, the second b.
struct JoinInterval {
  std::chrono::milliseconds least{}, most{};
};

/// What has to be known of an avg before it can be put together from its sum and its count.
struct Average {
  std::string call;           // "avg(montant)": over the sources
  size_t sum = 0, count = 0;  // numbers of its partials
  std::string type;           // of `call`; asked of the engine when the stream starts
};

struct Aggregation {
  std::string delta;               // of one batch; columns k0 … and p0 …
  std::vector<std::string> merge;  // by partial: "sum(p0)"
  size_t keys = 0;
  /// The key that says when its group is final, and what is added to it for that: window_end,
  /// window_start and the window's size, or the event time itself. Nothing: groups are never final.
  std::optional<size_t> time_key;
  std::chrono::milliseconds time_after{0};
  std::vector<std::string> key_columns;  // names of keys that the answer shows
  std::vector<std::string> items;        // of the answer: "p0 AS total"; averages as @0@
  std::string having;                    // "" = none; averages as @0@
  std::vector<Average> averages;
  std::string average_probe;  // a query with the averages' calls as columns; "" without averages

  std::string key_list() const;      // "k0, k1"
  std::string partial_list() const;  // "p0, p1"
  std::string columns() const;       // "k0, k1, p0, p1"
  /// Equal keys of two relations, NULL equal to NULL; "true" without keys.
  std::string same_keys(const std::string& left, const std::string& right) const;
  /// The groups of `from` (which has all columns) put together.
  std::string merged(const std::string& from) const;
  /// The answer's rows of the groups in `from`.
  std::string answer(const std::string& from) const;
};

struct StreamQuery {
  std::string text;  // as it was written, without a semicolon
  std::optional<Aggregation> aggregation;
  std::optional<JoinInterval> join;  // with two sources
};

/// Throws SYNTAX_ERROR, NOT_SUPPORTED and EXPRESSION_NOT_AGGREGATE at file:line:column for what
/// cannot be done batch by batch.
StreamQuery analyse(const StreamConfig& config);

/// `event` as milliseconds since 1970, for a timestamp with and without time zone.
std::string millis_of(const std::string& event, const sql::Type& type);
/// The moment as a literal of this type.
std::string moment_literal(int64_t ms, const sql::Type& type);

}  // namespace meesh::streams
