#include "sql/parser.h"

namespace meesh::sql {

std::pair<std::string, Ident> Parser::principal() {
  std::string kind;
  if ((is(kUSER) || is(kROLE)) && at_identifier(1)) {
    kind = is(kUSER) ? "user" : "role";
    ++at_;
  }
  return {kind, identifier()};
}

std::string Parser::principal_text() {
  auto [kind, name] = principal();
  return (kind.empty() ? "" : upper(kind) + " ") + print_identifier(name);
}

std::string Parser::grantor_text() {
  if (accept(kCURRENT_USER)) return "CURRENT_USER";
  if (accept(kCURRENT_ROLE)) return "CURRENT_ROLE";
  return principal_text();
}

/// Privileges look like roles until ON or TO follows; CREATE, SELECT, DELETE and INSERT are
/// reserved words.
std::vector<Ident> Parser::privileges_or_roles() {
  std::vector<Ident> names;
  do {
    note("'UPDATE'");  // a name, too
    if (at(kCREATE) || at(kSELECT) || at(kDELETE) || at(kINSERT)) {
      names.push_back({std::string(token_text(token())), false, pos()});
      ++at_;
    } else {
      names.push_back(identifier());
    }
  } while (accept(Symbol::kComma));
  return names;
}

/// [TABLE | SCHEMA | kind] name
void Parser::grant_object(Grant& g) {
  if (accept(kTABLE)) {
    g.entity_kind = "table";
  } else if (at_identifier() && at_identifier(1) &&
             (!is(kTO, 1) || (is(kTO, 2) && at_identifier(3)))) {
    Ident kind = identifier();
    g.entity_kind = lower(kind.value);
    if (kind.quoted || !is_plain_identifier(g.entity_kind))
      fail(kind.pos, "Unsupported entity kind: " + kind.value);
  }
  g.entity = qualified_name();
}

StatementPtr Parser::grant_privileges(StatementKind kind, std::vector<Ident> names, bool all,
                                      bool option) {
  auto s = std::make_unique<Grant>(kind);
  s->grant_option = option;
  if (all) s->privileges.emplace_back("all privileges");
  for (const Ident& name : names) {
    if (name.quoted && !is_plain_identifier(name.value))
      fail(name.pos, "Unknown privilege: '" + name.value + "'");
    s->privileges.push_back(lower(name.value));
  }
  expect(kON);
  grant_object(*s);
  if (kind == StatementKind::kRevoke)
    expect(kFROM);
  else
    expect(kTO);
  std::tie(s->principal_kind, s->principal) = principal();
  if (kind == StatementKind::kGrant && accept(kWITH)) {
    expect(kGRANT, kOPTION);
    s->grant_option = true;
  }
  return s;
}

StatementPtr Parser::grant() {
  ++at_;
  if (accept(kALL, kPRIVILEGES)) return grant_privileges(StatementKind::kGrant, {}, true, false);
  std::vector<Ident> names = privileges_or_roles();
  if (at(kON)) return grant_privileges(StatementKind::kGrant, std::move(names), false, false);
  auto s = std::make_unique<RoleStatement>(StatementKind::kGrantRole);
  s->roles = std::move(names);
  expect(kTO);
  do s->principals.push_back(principal());
  while (accept(Symbol::kComma));
  if (accept(kWITH)) {
    expect(kADMIN, kOPTION);
    s->admin_option = true;
  }
  if (accept(kGRANTED)) {
    expect(kBY);
    s->admin = grantor_text();
  }
  if (accept(kIN)) s->catalog = identifier();
  return s;
}

StatementPtr Parser::revoke() {
  ++at_;
  bool grant_option = false, admin_option = false;
  if (is(kGRANT) && is(kOPTION, 1)) {
    at_ += 2;
    expect(kFOR);
    grant_option = true;
  } else if (is(kADMIN) && is(kOPTION, 1)) {
    at_ += 2;
    expect(kFOR);
    admin_option = true;
  }
  if (!admin_option && accept(kALL, kPRIVILEGES))
    return grant_privileges(StatementKind::kRevoke, {}, true, grant_option);
  std::vector<Ident> names = privileges_or_roles();
  if (!admin_option && (grant_option || at(kON)))
    return grant_privileges(StatementKind::kRevoke, std::move(names), false, grant_option);
  auto s = std::make_unique<RoleStatement>(StatementKind::kRevokeRole);
  s->admin_option = admin_option;
  s->roles = std::move(names);
  expect(kFROM);
  do s->principals.push_back(principal());
  while (accept(Symbol::kComma));
  if (accept(kGRANTED)) {
    expect(kBY);
    s->admin = grantor_text();
  }
  if (accept(kIN)) s->catalog = identifier();
  return s;
}

StatementPtr Parser::deny() {
  ++at_;
  if (accept(kALL, kPRIVILEGES)) return grant_privileges(StatementKind::kDeny, {}, true, false);
  return grant_privileges(StatementKind::kDeny, privileges_or_roles(), false, false);
}

StatementPtr Parser::create_role() {
  auto s = std::make_unique<RoleStatement>(StatementKind::kCreateRole);
  s->roles.push_back(identifier());
  if (accept(kWITH)) {
    expect(kADMIN);
    s->admin = grantor_text();
  }
  if (accept(kIN)) s->catalog = identifier();
  return s;
}

}  // namespace meesh::sql
