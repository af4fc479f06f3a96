// One request of the REST catalog on its way: who asks, for which warehouse, and how it answers.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lake/metadata_json.h"
#include "serve/iceberg/iceberg.h"

namespace meesh::serve::iceberg {

struct Call {
  net::Request& request;
  net::Response& response;
  const Service& service;
  access::Credentials who;           // the key behind a token, or the administrator's
  lake::Catalog* catalog = nullptr;  // null for what is about no warehouse

  lake::Namespace space() const;  // of the path
  lake::Identifier name() const;  // namespace and table or view of the path
  bool query_flag(std::string_view name) const;

  /// Hands the body to `read`. Mistakes are BAD_REQUEST with their place.
  void read_body(const std::function<void(const lake::JsonNode&)>& read) const;
  void answer(const boost::json::value& body, int status = 200);

  /// Throws PERMISSION_DENIED unless the caller may do "s3:GetObject", "s3:PutObject" or
  /// "s3:DeleteObject" at this place ("s3://bucket/prefix").
  void need(std::string_view action, const std::string& location) const;
  /// As need() at the place of the namespace.
  void need_in(std::string_view action, const lake::Namespace& name) const;
};

using Operation = void (*)(Call&);

/// Identifies by the Authorization header; throws HttpError 401.
access::Credentials identify(const net::Request& request, const Service& service);
/// POST /v1/oauth/tokens; answers OAuth's own errors.
void oauth_tokens(net::Request& request, net::Response& response, const Service& service);

/// The protocol's status and type for an error. 5xx means "perhaps done" to clients, 4xx "not
/// done".
struct Refusal {
  int status = 500;
  std::string type;
};
Refusal refusal(const Error& error, bool view);
void answer_error(net::Response& response, const Refusal& refusal, const std::string& message);

/// Runs `work` once for an Idempotency-Key: repeated within half an hour, a request gets the first
/// one's answer. `work` gets what has to be part of its commit (null without a key) and gives the
/// answer.
boost::json::value once(Call& call,
                        const std::function<boost::json::value(const lake::AlsoCommit&)>& work);

/// Makes the table that once() keeps answers in.
void prepare_idempotency(meta::Database& database);

// Operations; see the specification.
void get_config(Call& call);
void list_namespaces(Call& call);
void create_namespace(Call& call);
void load_namespace(Call& call);
void drop_namespace(Call& call);
void update_properties(Call& call);
void list_tables(Call& call);
void create_table(Call& call);
void register_table(Call& call);
void load_table(Call& call);
void load_credentials(Call& call);
void commit_table(Call& call);
void drop_table(Call& call);
void rename_table(Call& call);
void report_metrics(Call& call);
void commit_transaction(Call& call);
void list_views(Call& call);
void create_view(Call& call);
void register_view(Call& call);
void load_view(Call& call);
void replace_view(Call& call);
void drop_view(Call& call);
void rename_view(Call& call);

// Shared by tables.cc and views.cc.
lake::Namespace read_namespace(const lake::JsonNode& array);
lake::Identifier read_identifier(const lake::JsonNode& node);
boost::json::object to_json(const lake::Identifier& name);
boost::json::array to_json(const lake::Namespace& name);
/// A page of names if the client asks for pages with ?pageToken= (and ?pageSize=), else all; sets
/// next-page-token in `body`.
template <typename T>
std::vector<T> page(const Call& call, std::vector<T> all, boost::json::object& body);
size_t page_start(const Call& call);
size_t page_size(const Call& call);

template <typename T>
std::vector<T> page(const Call& call, std::vector<T> all, boost::json::object& body) {
  const size_t start = std::min(page_start(call), all.size());
  const size_t size = std::min(page_size(call), all.size() - start);
  if (call.request.query_param("pageToken")) {
    body["next-page-token"] =
        start + size < all.size() ? boost::json::value(std::to_string(start + size)) : nullptr;
  }
  return {std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(start)),
          std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(start + size))};
}

}  // namespace meesh::serve::iceberg
