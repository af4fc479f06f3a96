// The door of the HTTP endpoint: finds out who asks (net::Request::user and role) before any
// handler does, and turns away who may not.
//
// Open: the endpoint is on loopback and nobody has a password. Everyone is `local`, an
// administrator. Closed otherwise: a request needs a session's cookie, `Authorization: Bearer
// meesh_…` or Basic (name and password).
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>

#include "access/sign_ins.h"
#include "net/http.h"
#include "serve/api/throttle.h"

namespace meesh::serve::api {

inline constexpr std::string_view kCookie = "meesh_session";
inline constexpr std::string_view kCsrfHeader = "X-Meesh-Csrf";
/// On a 401: where programs on this machine find a token, if they may read it.
inline constexpr std::string_view kTokenFileHeader = "X-Meesh-Token-File";

struct GateOptions {
  access::SignIns* sign_ins = nullptr;
  access::Access* access = nullptr;  // for its audit trail; both outlive the gate
  bool loopback = true;              // where the endpoint listens
  /// Of the programs of this machine that belong to the mesh: as `meesh`, an administrator.
  std::string local_token;
  std::string token_file;  // where it is kept
  /// Whose statement this is; nothing if it is not known (any more).
  std::function<std::optional<std::string>(const std::string& id)> owner_of_query;
  std::string mesh, version, language;  // told to who is to sign in
};

/// Thread-safe.
class Gate {
 public:
  explicit Gate(GateOptions options) : options_(std::move(options)) {}

  bool open() const;
  /// A net::Guard. Errors are answered.
  bool admit(net::Request& request, net::Response& response);

  /// Name and password, throttled and written down. Nothing if they do not fit; throws HttpError
  /// 429 when it is too early for another try.
  std::optional<access::Account> sign_in(const net::Request& request, const std::string& user,
                                         const std::string& password);
  /// The id of the session whose cookie came along, "" without one.
  static std::string session_id(const net::Request& request);
  /// Throws HttpError 403 unless the session's csrf came along.
  void check_csrf(const net::Request& request, const std::string& session_id) const;
  void audit(const net::Request& request, std::string_view action, std::string resource,
             bool allowed, std::string reason = {}) const;

  const GateOptions& options() const { return options_; }

 private:
  struct Caller {
    std::string user, role;
    bool by_cookie = false;
  };
  void check(net::Request& request, net::Response& response);
  void check_browser(const net::Request& request) const;
  std::optional<Caller> identify(const net::Request& request);
  void check_statement(net::Request& request) const;
  void check_query(const net::Request& request) const;
  void check_iceberg(net::Request& request);
  void refuse(const net::Request& request, net::Response& response, const Error& error) const;

  const GateOptions options_;
  Throttle throttle_;
};

}  // namespace meesh::serve::api
