#include "serve/trino/session_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/trino/fakes_test.h"

namespace meesh::serve::trino {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// A request with these headers besides Host and X-Trino-User.
FakeRequest with(std::vector<std::pair<std::string, std::string>> headers) {
  FakeRequest request;
  for (auto& [name, value] : headers) request.headers.add(name, value);
  return request;
}

/// "400 text" of the refusal, "" if there is none.
std::string refusal(const FakeRequest& request) {
  try {
    read_client_context(request);
    return "";
  } catch (const net::HttpError& error) {
    return std::to_string(error.status()) + " " + error.what();
  }
}

TEST(SessionHeaders, EverythingOfTheSession) {
  auto request = with({{"X-Trino-Original-User", "root"},
                       {"X-Trino-Source", "trino-python-client"},
                       {"X-Trino-Catalog", " sales "},
                       {"X-Trino-Schema", "public"},
                       {"X-Trino-Path", "a.b"},
                       {"X-Trino-Time-Zone", "Europe/Paris"},
                       {"X-Trino-Language", "fr-FR"},
                       {"X-Trino-Trace-Token", "t1"},
                       {"X-Trino-Client-Info", "info"},
                       {"X-Trino-Client-Tags", "a, b,,c"},
                       {"X-Trino-Client-Capabilities", "PATH,PARAMETRIC_DATETIME"},
                       {"X-Trino-Transaction-Id", "tx-1"},
                       {"User-Agent", "tests"}});
  const auto context = read_client_context(request);
  const auto& session = context.session;
  EXPECT_EQ(session.user, "alice");
  EXPECT_EQ(session.original_user, "root");
  EXPECT_EQ(session.source, "trino-python-client");
  EXPECT_EQ(session.catalog, "sales");
  EXPECT_EQ(session.schema, "public");
  EXPECT_EQ(session.path, "a.b");
  EXPECT_EQ(session.time_zone, "Europe/Paris");
  EXPECT_EQ(session.language, "fr-FR");
  EXPECT_EQ(session.trace_token, "t1");
  EXPECT_EQ(session.client_info, "info");
  EXPECT_THAT(session.client_tags, ElementsAre("a", "b", "c"));
  EXPECT_EQ(session.transaction_id, "tx-1");
  EXPECT_EQ(session.user_agent, "tests");
  EXPECT_EQ(session.remote_address, "127.0.0.1");
  EXPECT_EQ(context.date_times, DateTimes::kParametric);
}

TEST(SessionHeaders, Defaults) {
  const auto context = read_client_context(with({{"X-Trino-Transaction-Id", "NONE"}}));
  EXPECT_EQ(context.session.original_user, "alice");
  EXPECT_EQ(context.session.time_zone, "UTC");
  EXPECT_EQ(context.session.transaction_id, "");
  EXPECT_EQ(context.date_times, DateTimes::kMilliseconds);
}

TEST(SessionHeaders, ListsMayBeRepeatedOrJoined) {
  const auto context = read_client_context(
      with({{"X-Trino-Session", "a=1,cat.b=x%20y%3D%2C"},
            {"x-trino-session", "c=d+e"},
            {"X-Trino-Prepared-Statement", "q1=SELECT+%3F,q%202=SELECT%20'caf%C3%A9'"},
            {"X-Trino-Prepared-Statement", "q3=SELECT%203"}}));
  EXPECT_THAT(context.session.properties,
              ElementsAre(Pair("a", "1"), Pair("c", "d e"), Pair("cat.b", "x y=,")));
  EXPECT_THAT(
      context.session.prepared_statements,
      ElementsAre(Pair("q 2", "SELECT 'café'"), Pair("q1", "SELECT ?"), Pair("q3", "SELECT 3")));
}

TEST(SessionHeaders, WhatIsMalformedIsNamed) {
  EXPECT_THAT(refusal(with({{"X-Trino-Session", "nonsense"}})),
              HasSubstr("400 Invalid X-Trino-Session"));
  EXPECT_THAT(refusal(with({{"X-Trino-Session", "a=b=c"}})),
              HasSubstr("400 Invalid X-Trino-Session"));
  EXPECT_THAT(refusal(with({{"X-Trino-Session", "=b"}})), HasSubstr("400 Invalid X-Trino-Session"));
  EXPECT_THAT(refusal(with({{"X-Trino-Session", "a.b.c=1"}})),
              HasSubstr("400 Invalid X-Trino-Session"));
  EXPECT_THAT(refusal(with({{"X-Trino-Session", "a=%zz"}})),
              HasSubstr("400 Invalid X-Trino-Session"));
  EXPECT_THAT(refusal(with({{"X-Trino-Prepared-Statement", "a=%"}})),
              HasSubstr("400 Invalid X-Trino-Prepared-Statement"));
  EXPECT_THAT(refusal(with({{"X-Trino-Role", "system=admin"}})),
              HasSubstr("400 Invalid X-Trino-Role"));
  EXPECT_EQ(refusal(with({{"X-Trino-Role", "system=ROLE%7Badmin%7D,hive=NONE"}})), "");
  EXPECT_EQ(refusal(with({{"X-Trino-Time-Zone", "Mars/Olympus"}})),
            "400 Time zone not supported: Mars/Olympus");
  EXPECT_EQ(refusal(with({{"X-Trino-Schema", "s"}})), "400 Schema is set but catalog is not");
  EXPECT_THAT(refusal(with({{"X-Trino-Resource-Estimate", "COLOUR=1s"}})),
              HasSubstr("400 Unsupported resource name COLOUR"));
  EXPECT_THAT(refusal(with({{"X-Trino-Resource-Estimate", "CPU_TIME=soon"}})),
              HasSubstr("400 'soon'"));
  EXPECT_EQ(refusal(with({{"X-Trino-Resource-Estimate", "CPU_TIME=1h,peak_memory=2GB"}})), "");
}

TEST(SessionHeaders, UserByBasicAuthentication) {
  const auto basic = [](const char* credentials) {
    FakeRequest request;
    request.headers.remove("X-Trino-User");
    request.headers.add("Authorization", credentials);
    return request;
  };
  EXPECT_EQ(read_client_context(basic("Basic Ym9iOg==")).session.user, "bob");
  EXPECT_EQ(read_client_context(basic("basic  Ym9iOg")).session.user, "bob");
  EXPECT_EQ(refusal(basic("Basic Ym9iOnNlY3JldA==")),  // bob:secret
            "401 Password not allowed for insecure authentication");
  EXPECT_THAT(refusal(basic("Basic ~~~")), HasSubstr("400 Invalid Authorization"));
  EXPECT_THAT(refusal(basic("Bearer x")), HasSubstr("401 User must be set"));
  FakeRequest none;
  none.headers.set("X-Trino-User", "  ");
  EXPECT_THAT(refusal(none), HasSubstr("401 User must be set"));
}

TEST(BaseUri, HostAndForwarding) {
  EXPECT_EQ(base_uri(FakeRequest()), "http://localhost:8080");
  FakeRequest tls;
  tls.tls = true;
  EXPECT_EQ(base_uri(tls), "https://localhost:8080");
  EXPECT_EQ(base_uri(with({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "mesh.example"}})),
            "https://mesh.example");
  EXPECT_EQ(base_uri(with({{"X-Forwarded-Proto", "https,http"},
                           {"X-Forwarded-Host", "mesh.example, inner"},
                           {"X-Forwarded-Port", "8443"}})),
            "https://mesh.example:8443");
  EXPECT_EQ(base_uri(with({{"X-Forwarded-Proto", "https"},
                           {"X-Forwarded-Host", "mesh.example"},
                           {"X-Forwarded-Port", "443"}})),
            "https://mesh.example");
  FakeRequest six;
  six.headers.set("Host", "[::1]");
  six.headers.set("X-Forwarded-Port", "81");
  EXPECT_EQ(base_uri(six), "http://[::1]:81");
  FakeRequest odd;
  odd.headers.set("Host", "evil\"host");
  EXPECT_THROW(base_uri(odd), net::HttpError);
  odd.headers.remove("Host");
  EXPECT_THROW(base_uri(odd), net::HttpError);
}

TEST(SessionChanges, BecomeHeaders) {
  engine::SessionChanges changes;
  changes.set_catalog = "sales";
  changes.set_schema = "public";
  changes.set_path = "p";
  changes.set_properties = {{"a", "x y"}, {"cat.b", "é=1"}};
  changes.reset_properties = {"c"};
  changes.added_prepare = {{"q 1", "SELECT ?\n+ 'a%'"}};
  changes.deallocated_prepare = {"q 2"};
  changes.set_roles = {{"system", "ROLE{admin}"}};
  changes.started_transaction_id = "tx";
  changes.clear_transaction_id = true;
  changes.set_authorization_user = "bob";
  changes.reset_authorization_user = true;
  net::Headers headers;
  add_session_changes(changes, headers);
  EXPECT_THAT(
      headers.items(),
      ElementsAre(
          Pair("X-Trino-Set-Catalog", "sales"), Pair("X-Trino-Set-Schema", "public"),
          Pair("X-Trino-Set-Path", "p"), Pair("X-Trino-Set-Session", "a=x+y"),
          Pair("X-Trino-Set-Session", "cat.b=%C3%A9%3D1"), Pair("X-Trino-Clear-Session", "c"),
          Pair("X-Trino-Set-Role", "system=ROLE%7Badmin%7D"),
          Pair("X-Trino-Added-Prepare", "q+1=SELECT+%3F%0A%2B+%27a%25%27"),
          Pair("X-Trino-Deallocated-Prepare", "q+2"), Pair("X-Trino-Started-Transaction-Id", "tx"),
          Pair("X-Trino-Clear-Transaction-Id", "true"),
          Pair("X-Trino-Set-Authorization-User", "bob"),
          Pair("X-Trino-Reset-Authorization-User", "true")));
}

TEST(SessionChanges, ComeBackAsTheyWent) {
  engine::SessionChanges changes;
  changes.added_prepare = {{"näme", "SELECT ',=%+' || ?\r\n-- done"}};
  changes.set_properties = {{"p", "1,2=3 %"}};
  net::Headers headers;
  add_session_changes(changes, headers);
  const auto context = read_client_context(
      with({{"X-Trino-Prepared-Statement", std::string(*headers.get("X-Trino-Added-Prepare"))},
            {"X-Trino-Session", std::string(*headers.get("X-Trino-Set-Session"))}}));
  EXPECT_EQ(context.session.prepared_statements, changes.added_prepare);
  EXPECT_EQ(context.session.properties, changes.set_properties);
}

TEST(SessionChanges, CannotBreakTheResponseApart) {
  engine::SessionChanges changes;
  changes.set_catalog = "a\r\nSet-Cookie: b";
  net::Headers headers;
  add_session_changes(changes, headers);
  EXPECT_EQ(*headers.get("X-Trino-Set-Catalog"), "a%0D%0ASet-Cookie%3A+b");
}

TEST(Units, DurationsAndSizes) {
  EXPECT_EQ(parse_duration("1s").count(), 1000);
  EXPECT_EQ(parse_duration("250ms").count(), 250);
  EXPECT_EQ(parse_duration("0.50m").count(), 30000);
  EXPECT_EQ(parse_duration("10us").count(), 0);
  EXPECT_EQ(parse_data_size("512B"), 512u);
  EXPECT_EQ(parse_data_size("1kB"), 1024u);
  EXPECT_EQ(parse_data_size("1.5MB"), 1536u * 1024);
  for (const char* text : {"", "1", "s", "-1s", "1 fortnight", "1.2.3s", "1e5s", "KB"}) {
    EXPECT_THROW(parse_duration(text), net::HttpError) << text;
    EXPECT_THROW(parse_data_size(text), net::HttpError) << text;
  }
}

}  // namespace
}  // namespace meesh::serve::trino
