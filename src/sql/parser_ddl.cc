#include "sql/parser.h"

namespace meesh::sql {

bool Parser::if_exists() {
  if (!is(kIF) || !is(kEXISTS, 1)) {
    at(kIF);
    return false;
  }
  at_ += 2;
  return true;
}

bool Parser::if_not_exists() {
  if (!is(kIF) || !is(kNOT, 1)) {
    at(kIF);
    return false;
  }
  at_ += 2;
  expect(kEXISTS);
  return true;
}

std::optional<std::string> Parser::comment_clause() {
  if (!accept(kCOMMENT)) return std::nullopt;
  return string();
}

std::vector<Property> Parser::with_properties() {
  if (!at(kWITH) || !is(Symbol::kLeftParen, 1)) return {};
  at_ += 2;
  std::vector<Property> properties = property_assignments();
  expect(Symbol::kRightParen);
  return properties;
}

std::vector<Property> Parser::property_assignments() {
  std::vector<Property> properties;
  do {
    Property p;
    p.name = identifier();
    expect(Symbol::kEq);
    bool reset = is(kDEFAULT) && (is(Symbol::kComma, 1) || is(Symbol::kRightParen, 1) ||
                                  is(Symbol::kSemicolon, 1) || is(TokenKind::kEnd, 1));
    if (reset)
      ++at_;
    else
      p.value = expression();
    properties.push_back(std::move(p));
  } while (accept(Symbol::kComma));
  return properties;
}

StatementPtr Parser::create() {
  ++at_;
  bool or_replace = false;
  if (accept(kOR)) {
    expect(kREPLACE);
    or_replace = true;
  }
  if (accept(kTABLE)) return create_table(or_replace);
  if (accept(kVIEW)) return create_view(or_replace, false);
  if (accept(kMATERIALIZED)) {
    expect(kVIEW);
    return create_view(or_replace, true);
  }
  if (at(kFUNCTION)) return create_function(or_replace);
  if (or_replace) mismatch();
  if (accept(kSCHEMA)) return create_schema();
  if (accept(kCATALOG)) return create_catalog();
  expect(kROLE);
  return create_role();
}

StatementPtr Parser::create_catalog() {
  auto s = std::make_unique<CreateCatalog>();
  s->if_not_exists = if_not_exists();
  s->name = identifier();
  expect(kUSING);
  s->connector = identifier();
  s->comment = comment_clause();
  if (accept(kAUTHORIZATION)) s->authorization = principal_text();
  s->properties = with_properties();
  return s;
}

StatementPtr Parser::create_schema() {
  auto s = std::make_unique<CreateSchema>();
  s->if_not_exists = if_not_exists();
  s->name = qualified_name();
  if (accept(kAUTHORIZATION)) s->authorization = principal_text();
  s->properties = with_properties();
  return s;
}

/// `CREATE TABLE t (a, b) AS …` names the columns of a query, `CREATE TABLE t (a integer)` defines
/// them: the word behind the first name decides.
StatementPtr Parser::create_table(bool or_replace) {
  CreateTableAs as_query;
  as_query.or_replace = or_replace;
  as_query.if_not_exists = if_not_exists();
  as_query.name = qualified_name();
  bool aliases = is(Symbol::kLeftParen) && at_identifier(1) &&
                 (is(Symbol::kComma, 2) || is(Symbol::kRightParen, 2));
  if (aliases) as_query.columns = identifiers_in_parens();
  if (aliases || !at(Symbol::kLeftParen)) return create_table_as(std::move(as_query));
  auto s = std::make_unique<CreateTable>();
  s->name = std::move(as_query.name);
  s->if_not_exists = as_query.if_not_exists;
  s->or_replace = or_replace;
  expect(Symbol::kLeftParen);
  do {
    s->elements.push_back(table_element());
    if (!is(Symbol::kComma) && !is(Symbol::kRightParen)) forget();
  } while (accept(Symbol::kComma));
  expect(Symbol::kRightParen);
  s->comment = comment_clause();
  s->properties = with_properties();
  return s;
}

StatementPtr Parser::create_table_as(CreateTableAs created) {
  auto s = std::make_unique<CreateTableAs>(std::move(created));
  s->comment = comment_clause();
  s->properties = with_properties();
  expect(kAS);
  s->query = root_query();
  if (accept(kWITH)) {
    s->with_data_written = true;
    s->with_data = !accept(kNO);
    expect(kDATA);
  }
  return s;
}

TableElement Parser::table_element() {
  TableElement element;
  if (accept(kLIKE)) {
    element.like = qualified_name();
    if (accept(kINCLUDING)) {
      element.including_properties = true;
      expect(kPROPERTIES);
    } else if (accept(kEXCLUDING)) {
      element.excluding_properties = true;
      expect(kPROPERTIES);
    }
    return element;
  }
  element.column = column_definition(false);
  return element;
}

ColumnDefinition Parser::column_definition(bool nested_name) {
  ColumnDefinition column;
  column.pos = pos();
  if (nested_name)
    column.name = qualified_name();
  else
    column.name.push_back(identifier());
  column.type = type();
  if (accept(kDEFAULT)) {
    column.default_value = expression();
  }
  if (accept(kNOT)) {
    expect(kNULL);
    column.not_null = true;
  }
  column.comment = comment_clause();
  column.properties = with_properties();
  return column;
}

StatementPtr Parser::create_view(bool or_replace, bool materialized) {
  auto s = std::make_unique<CreateView>();
  s->or_replace = or_replace;
  s->materialized = materialized;
  if (materialized) s->if_not_exists = if_not_exists();
  s->name = qualified_name();
  forget();
  note("'WITH'");
  if (materialized && accept(kGRACE)) {
    expect(kPERIOD);
    if (!at(kINTERVAL)) mismatch();
    s->grace_period = interval_literal();
  }
  if (materialized && is(kWHEN) && is(kSTALE, 1)) {
    at_ += 2;
    if (accept(kINLINE)) {
      s->when_stale = "inline";
    } else {
      expect(kFAIL);
      s->when_stale = "fail";
    }
  }
  s->comment = comment_clause();
  if (materialized) {
    s->properties = with_properties();
  } else if (accept(kSECURITY)) {
    if (accept(kDEFINER)) {
      s->security = "definer";
    } else {
      expect(kINVOKER);
      s->security = "invoker";
    }
  }
  expect(kAS);
  size_t first = at_;
  s->query = root_query();
  s->query_text = written_since(first);
  return s;
}

StatementPtr Parser::create_function(bool or_replace) {
  auto s = std::make_unique<CreateFunction>();
  s->or_replace = or_replace;
  const size_t first = at_;
  s->routine = function_specification();
  s->text = canonical_since(first);
  return s;
}

StatementPtr Parser::drop() {
  ++at_;
  if (accept(kTABLE)) {
    auto s = std::make_unique<DropTable>();
    s->if_exists = if_exists();
    s->name = qualified_name();
    return s;
  }
  if (at(kVIEW) || at(kMATERIALIZED)) {
    auto s = std::make_unique<DropView>();
    s->materialized = accept(kMATERIALIZED);
    expect(kVIEW);
    s->if_exists = if_exists();
    s->name = qualified_name();
    return s;
  }
  if (accept(kSCHEMA)) {
    auto s = std::make_unique<DropSchema>();
    s->if_exists = if_exists();
    s->name = qualified_name();
    s->cascade = accept(kCASCADE);
    if (!s->cascade) s->restrict_ = accept(kRESTRICT);
    return s;
  }
  if (accept(kCATALOG)) {
    auto s = std::make_unique<DropCatalog>();
    s->if_exists = if_exists();
    s->name = identifier();
    s->cascade = accept(kCASCADE);
    if (!s->cascade) s->restrict_ = accept(kRESTRICT);
    return s;
  }
  if (accept(kFUNCTION)) return drop_function();
  expect(kROLE);
  auto s = std::make_unique<RoleStatement>(StatementKind::kDropRole);
  s->if_exists = if_exists();
  s->roles.push_back(identifier());
  if (accept(kIN)) s->catalog = identifier();
  return s;
}

StatementPtr Parser::drop_function() {
  auto s = std::make_unique<DropFunction>();
  s->if_exists = if_exists();
  s->name = qualified_name();
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen)) {
    do {
      if (row_field_is_named()) identifier();
      s->types.push_back(type());
    } while (accept(Symbol::kComma));
  }
  expect(Symbol::kRightParen);
  return s;
}

StatementPtr Parser::alter() {
  ++at_;
  if (accept(kTABLE)) return alter_table();
  if (accept(kSCHEMA)) return alter_schema();
  if (accept(kVIEW)) return alter_view(false);
  expect(kMATERIALIZED);
  expect(kVIEW);
  return alter_view(true);
}

StatementPtr Parser::alter_schema() {
  auto s = std::make_unique<AlterSchema>();
  s->name = qualified_name();
  if (accept(kRENAME)) {
    expect(kTO);
    s->rename_to = identifier();
  } else {
    expect(kSET);
    expect(kAUTHORIZATION);
    s->authorization = principal_text();
  }
  return s;
}

StatementPtr Parser::alter_table() {
  using Action = AlterTable::Action;
  auto s = std::make_unique<AlterTable>();
  s->if_exists = if_exists();
  s->name = qualified_name();
  if (accept(kRENAME)) {
    if (accept(kCOLUMN)) {
      s->action = Action::kRenameColumn;
      s->column_if_exists = if_exists();
      s->column_name = qualified_name();
      expect(kTO);
      s->new_name = identifier();
    } else {
      s->action = Action::kRename;
      expect(kTO);
      s->target = qualified_name();
    }
  } else if (accept(kADD)) {
    add_column(*s);
  } else if (accept(kDROP)) {
    s->action = Action::kDropColumn;
    expect(kCOLUMN);
    s->column_if_exists = if_exists();
    s->column_name = qualified_name();
  } else if (accept(kALTER)) {
    alter_column(*s);
  } else if (accept(kSET)) {
    if (accept(kAUTHORIZATION)) {
      s->action = Action::kSetAuthorization;
      s->authorization = principal_text();
    } else {
      s->action = Action::kSetProperties;
      expect(kPROPERTIES);
      s->properties = property_assignments();
    }
  } else {
    expect(kEXECUTE);
    s->action = Action::kExecute;
    s->procedure = identifier();
    if (at(Symbol::kLeftParen)) s->args = call_arguments_in_parens();
    if (accept(kWHERE)) s->where = expression();
  }
  return s;
}

void Parser::add_column(AlterTable& a) {
  a.action = AlterTable::Action::kAddColumn;
  expect(kCOLUMN);
  a.column_if_not_exists = if_not_exists();
  a.column = column_definition(true);
  if (accept(kFIRST)) {
    a.add_position = "first";
  } else if (accept(kLAST)) {
    a.add_position = "last";
  } else if (accept(kAFTER)) {
    a.add_position = "after";
    a.new_name = identifier();
  }
}

void Parser::alter_column(AlterTable& a) {
  using Action = AlterTable::Action;
  expect(kCOLUMN);
  a.column_name = qualified_name();
  if (accept(kDROP)) {
    if (accept(kDEFAULT)) {
      a.action = Action::kDropDefault;
    } else {
      a.action = Action::kDropNotNull;
      expect(kNOT, kNULL);
    }
    return;
  }
  expect(kSET);
  if (accept(kDEFAULT)) {
    a.action = Action::kSetDefault;
    a.value = expression();
    return;
  }
  a.action = Action::kSetType;
  expect(kDATA, kTYPE);
  a.type = type();
}

StatementPtr Parser::alter_view(bool materialized) {
  auto s = std::make_unique<AlterView>();
  s->materialized = materialized;
  if (materialized) s->if_exists = if_exists();
  s->name = qualified_name();
  if (accept(kRENAME)) {
    expect(kTO);
    s->action = "rename";
    s->target = qualified_name();
  } else {
    expect(kSET);
    if (materialized && accept(kPROPERTIES)) {
      s->action = "set properties";
      s->properties = property_assignments();
    } else {
      expect(kAUTHORIZATION);
      s->action = "set authorization";
      s->authorization = principal_text();
    }
  }
  return s;
}

StatementPtr Parser::comment_on() {
  auto s = std::make_unique<CommentOn>();
  ++at_;
  expect(kON);
  if (accept(kTABLE)) {
    s->target = "table";
  } else if (accept(kVIEW)) {
    s->target = "view";
  } else {
    expect(kCOLUMN);
    s->target = "column";
  }
  s->name = qualified_name();
  expect(kIS);
  if (!accept(kNULL)) s->comment = string();
  return s;
}

}  // namespace meesh::sql
