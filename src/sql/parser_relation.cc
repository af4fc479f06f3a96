#include "sql/parser.h"

namespace meesh::sql {
namespace {

template <class T>
std::unique_ptr<T> make(Position pos) {
  auto node = std::make_unique<T>();
  node->pos = pos;
  return node;
}

}  // namespace

RelationPtr Parser::from_list() {
  RelationPtr left = relation();
  while (accept(Symbol::kComma)) {
    auto join = make<Join>(left->pos);
    join->type = JoinType::kImplicit;
    join->left = std::move(left);
    join->right = relation();
    left = std::move(join);
    grow();
  }
  return left;
}

/// `first`: a subquery in parentheses that was already parsed and starts the relation.
RelationPtr Parser::relation(RelationPtr first) {
  Nesting nesting(*this, first != nullptr);
  return join_rest(sampled_relation(std::move(first)));
}

/// The right side of a join with a condition takes every join it can before the condition:
/// `a JOIN b JOIN c ON … ON …`.
RelationPtr Parser::join_rest(RelationPtr left) {
  while (true) {
    auto join = make<Join>(left->pos);
    if (accept(kCROSS)) {
      expect(kJOIN);
      join->type = JoinType::kCross;
      join->left = std::move(left);
      join->right = sampled_relation();
    } else if (accept(kNATURAL)) {
      if (!join_type(*join)) mismatch();
      join->natural = true;
      join->left = std::move(left);
      join->right = sampled_relation();
    } else if (join_type(*join)) {
      join->left = std::move(left);
      join->right = relation();
      if (!is(kON) && !is(kUSING)) forget();
      if (accept(kON)) {
        join->on = expression();
      } else {
        expect(kUSING);
        join->using_columns = identifiers_in_parens();
      }
    } else {
      return left;
    }
    left = std::move(join);
    grow();
  }
}

bool Parser::join_type(Join& join) {
  if (accept(kJOIN)) {
    join.type = JoinType::kInner;
    return true;
  }
  if (accept(kINNER)) {
    join.type = JoinType::kInner;
    expect(kJOIN);
    return true;
  }
  if (accept(kLEFT))
    join.type = JoinType::kLeft;
  else if (accept(kRIGHT))
    join.type = JoinType::kRight;
  else if (accept(kFULL))
    join.type = JoinType::kFull;
  else
    return false;
  accept(kOUTER);
  expect(kJOIN);
  return true;
}

RelationPtr Parser::sampled_relation(RelationPtr first) {
  RelationPtr result = alias_of(first ? std::move(first) : relation_primary());
  if (is(kMATCH_RECOGNIZE) && is(Symbol::kLeftParen, 1))
    result = alias_of(match_recognize(std::move(result)));
  note("'MATCH_RECOGNIZE'");
  if (at(kTABLESAMPLE)) {
    ++at_;
    auto sampled = make<Sampled>(result->pos);
    if (!accept(kBERNOULLI)) {
      expect(kSYSTEM);
      sampled->bernoulli = false;
    }
    expect(Symbol::kLeftParen);
    sampled->relation = std::move(result);
    sampled->percentage = expression();
    expect(Symbol::kRightParen);
    result = std::move(sampled);
    grow();
  }
  return result;
}

RelationPtr Parser::alias_of(RelationPtr inner) {
  note("<identifier>");
  if (!accept(kAS) && !at_alias()) return inner;
  auto aliased = make<AliasedRelation>(inner->pos);
  aliased->relation = std::move(inner);
  aliased->alias = identifier();
  if (at(Symbol::kLeftParen)) aliased->columns = identifiers_in_parens();
  grow();
  return aliased;
}

RelationPtr Parser::relation_primary() {
  if (is(Symbol::kLeftParen)) return relation_in_parens();
  if (is(kUNNEST)) return unnest();
  if (is(kLATERAL) && is(Symbol::kLeftParen, 1)) return lateral();
  if (is(kTABLE)) return table_function();
  if (is(kJSON_TABLE)) return json_table();
  if (!at_identifier()) {
    for (const char* e :
         {"<identifier>", "'('", "'UNNEST'", "'LATERAL'", "'TABLE'", "'JSON_TABLE'"})
      note(e);
    mismatch();
  }
  return table_ref();
}

/// `(query)` or `(relation)`; `((SELECT 1) UNION …)` and `((SELECT 1) JOIN t …)` are told apart by
/// what follows the inner parentheses.
RelationPtr Parser::relation_in_parens() {
  Nesting nesting(*this);
  Position start = pos();
  expect(Symbol::kLeftParen);
  RelationPtr result;
  auto subquery = [&](QueryPtr q, Position at) {
    auto s = make<SubqueryRelation>(at);
    s->query = std::move(q);
    return s;
  };
  if (at_query_start() && !(is(kTABLE) && is(Symbol::kLeftParen, 1))) {
    result = subquery(query(), start);
  } else if (is(Symbol::kLeftParen)) {
    Position inner_start = pos();
    RelationPtr inner = relation_in_parens();
    bool is_query = inner->kind == RelationKind::kSubquery && inner->pos.line == inner_start.line &&
                    inner->pos.column == inner_start.column;
    if (is_query && continues_query()) {
      QueryBodyPtr body = as_body(std::move(as<SubqueryRelation>(*inner).query));
      result = subquery(query_from(std::move(body), inner_start), start);
    } else if (is_query && is(Symbol::kRightParen)) {
      inner->pos = start;
      result = std::move(inner);
    } else {
      result = relation(std::move(inner));
    }
  } else {
    note("<query>");
    result = relation();
  }
  expect(Symbol::kRightParen);
  return result;
}

RelationPtr Parser::unnest() {
  auto result = make<Unnest>(pos());
  ++at_;
  expect(Symbol::kLeftParen);
  result->items = expressions();
  expect(Symbol::kRightParen);
  if (accept(kWITH)) {
    expect(kORDINALITY);
    result->with_ordinality = true;
  }
  return result;
}

RelationPtr Parser::lateral() {
  auto result = make<Lateral>(pos());
  at_ += 2;
  result->query = query();
  expect(Symbol::kRightParen);
  return result;
}

std::unique_ptr<TableRef> Parser::table_ref() {
  auto table = make<TableRef>(pos());
  table->name = qualified_name();
  if (is(kFOR) && (is(kTIMESTAMP, 1) || is(kVERSION, 1))) {
    ++at_;
    table->version_kind = is(kTIMESTAMP) ? "timestamp" : "version";
    ++at_;
    expect(kAS);
    expect(kOF);
    Nesting nesting(*this);
    table->version = value_expression();
  } else {
    note("'FOR'");
  }
  return table;
}

RelationPtr Parser::table_function() {
  auto result = make<TableFunction>(pos());
  expect(kTABLE);
  expect(Symbol::kLeftParen);
  result->name = qualified_name();
  expect(Symbol::kLeftParen);
  if (!is(Symbol::kRightParen) && !(is(kCOPARTITION) && is(Symbol::kLeftParen, 1))) {
    do result->args.push_back(table_function_argument());
    while (accept(Symbol::kComma));
  }
  if (is(kCOPARTITION)) {
    size_t first = at_;
    ++at_;
    do {
      expect(Symbol::kLeftParen);
      qualified_name();
      expect(Symbol::kComma);
      do qualified_name();
      while (accept(Symbol::kComma));
      expect(Symbol::kRightParen);
    } while (accept(Symbol::kComma));
    result->copartition = canonical_since(first);
  }
  expect(Symbol::kRightParen);
  expect(Symbol::kRightParen);
  return result;
}

TableFunction::Arg Parser::table_function_argument() {
  TableFunction::Arg arg;
  arg.pos = pos();
  if (at_identifier() && is(Symbol::kFatArrow, 1)) {
    arg.name = identifier();
    ++at_;
  }
  if (is(kTABLE) && is(Symbol::kLeftParen, 1)) {
    table_argument(arg);
  } else if (is(kDESCRIPTOR) && is(Symbol::kLeftParen, 1) && !is(Symbol::kRightParen, 2)) {
    at_ += 2;
    arg.descriptor.emplace();
    do {
      arg.descriptor->push_back(identifier());
      arg.descriptor_types.push_back(is(Symbol::kComma) || is(Symbol::kRightParen) ? nullptr
                                                                                   : type());
    } while (accept(Symbol::kComma));
    expect(Symbol::kRightParen);
  } else if (is(kCAST) && is(kNULL, 2) && is(kAS, 3) && is(kDESCRIPTOR, 4)) {
    at_ += 5;
    expect(Symbol::kRightParen);
    arg.descriptor.emplace();  // no columns: CAST(NULL AS DESCRIPTOR)
  } else {
    arg.value = expression();
  }
  return arg;
}

void Parser::table_argument(TableFunction::Arg& arg) {
  Nesting nesting(*this);
  at_ += 2;
  Position start = pos();
  if (at_query_start() || is(Symbol::kLeftParen)) {
    auto subquery = make<SubqueryRelation>(start);
    subquery->query = query();
    arg.table = std::move(subquery);
  } else {
    auto table = make<TableRef>(start);
    table->name = qualified_name();
    arg.table = std::move(table);
  }
  expect(Symbol::kRightParen);
  arg.table = alias_of(std::move(arg.table));
  size_t first = at_;
  if (accept(kPARTITION)) {
    expect(kBY);
    if (is(Symbol::kLeftParen) && is(Symbol::kRightParen, 1))
      at_ += 2;
    else
      expression();
  }
  if (accept(kPRUNE) || accept(kKEEP)) {
    expect(kWHEN);
    expect(kEMPTY);
  }
  if (accept(kORDER)) {
    expect(kBY);
    if (accept(Symbol::kLeftParen)) {
      sort_items();
      expect(Symbol::kRightParen);
    } else {
      sort_item();
    }
  }
  arg.table_clauses = canonical_since(first);
}

}  // namespace meesh::sql
