// Cross-origin requests: a bucket's rules, preflights and the headers of answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace meesh::serve::s3 {

struct CorsRule {
  std::string id;
  std::vector<std::string> origins, methods, headers, exposed;
  int max_age = -1;  // seconds; -1 = not told
};
using CorsRules = std::vector<CorsRule>;

/// Throws MalformedXML and InvalidRequest.
CorsRules parse_cors(std::string_view xml);
/// The first rule that allows the origin and method (and, in a preflight, the headers asked for);
/// null if none does.
const CorsRule* find_cors_rule(const CorsRules& rules, std::string_view origin,
                               std::string_view method, std::string_view headers);
void set_cors_headers(const CorsRule& rule, std::string_view origin, net::Headers& headers);

class Call;
/// OPTIONS: 200 with the rule's headers, or 403.
void answer_preflight(Call& call);
/// Headers for an answer to a request with an Origin; nothing if no rule fits.
void add_cors_headers(Call& call);

}  // namespace meesh::serve::s3
