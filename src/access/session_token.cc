#include "access/session_token.h"

#include <boost/json.hpp>

namespace meesh::access {
namespace {

constexpr std::string_view kAbout = "session";
constexpr size_t kMostBytes = 16 * 1024;

}  // namespace

std::string write_session(const Session& session, const Seal& seal) {
  boost::json::object content;
  content["a"] = session.access_key;
  content["s"] = session.secret_key;
  content["k"] = static_cast<int>(session.kind);
  content["n"] = session.name;
  content["t"] = session.stamp;
  content["l"] = boost::json::array(session.policies.begin(), session.policies.end());
  content["p"] = session.session_policy;
  content["x"] = int64_t{session.expires.time_since_epoch().count()};
  return seal.seal(boost::json::serialize(content), kAbout);
}

std::optional<Session> read_session(const std::string& token, const Seal& seal) {
  if (token.size() > kMostBytes) return std::nullopt;
  const auto text = seal.open(token, kAbout);
  if (!text) return std::nullopt;
  // Only what this program sealed gets here, but perhaps another version of it.
  try {
    const boost::json::object content = boost::json::parse(*text).as_object();
    const auto text_of = [](const boost::json::value& value) {
      return std::string(std::string_view(value.as_string()));
    };
    const auto member = [&](const char* name) { return text_of(content.at(name)); };
    Session session;
    session.access_key = member("a");
    session.secret_key = member("s");
    session.kind = static_cast<Session::Kind>(content.at("k").as_int64());
    session.name = member("n");
    session.stamp = member("t");
    for (const auto& name : content.at("l").as_array()) {
      session.policies.push_back(text_of(name));
    }
    session.session_policy = member("p");
    session.expires = Time(std::chrono::milliseconds(content.at("x").as_int64()));
    return session;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace meesh::access
