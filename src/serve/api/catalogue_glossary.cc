// The glossary: terms, what they mean, and where they are used.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "serve/api/caller.h"
#include "serve/api/catalogue_parts.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using governance::Catalogue;
using governance::Term;
using net::Request;
using net::Response;

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

json::object term_json(const Term& term, bool may_edit) {
  return {{"name", term.name},
          {"definition", term.definition},
          {"synonyms", json::value_from(term.synonyms)},
          {"related", json::value_from(term.related)},
          {"parent", term.parent},
          {"owner", term.owner},
          {"status", term.status},
          {"etag", governance::etag_of(&term)},
          {"may_edit", may_edit}};
}

/// Assets and columns that have the term, of their own or because of others.
json::array used_by(Catalogue& catalogue, const std::string& name) {
  json::array out;
  for (const auto& [asset, note] : catalogue.files().now()->assets) {
    if (has(note.terms, name)) out.push_back({{"asset", asset}, {"inherited", false}});
    for (const auto& [column, one] : note.columns) {
      if (has(one.terms, name))
        out.push_back({{"asset", asset}, {"column", column}, {"inherited", false}});
    }
  }
  for (const auto& [column, all] : *catalogue.inherited()) {
    for (const auto& one : all) {
      if (one.is_term && one.value == name)
        out.push_back({{"asset", column.asset}, {"column", column.column}, {"inherited", true}});
    }
  }
  return out;
}

const Term& term_of(const governance::Notes& notes, const std::string& name) {
  if (const Term* term = notes.term(name)) return *term;
  std::vector<std::string> names;
  for (const auto& [known, term] : notes.terms) names.push_back(known);
  throw Error(Code::kNotFound, fmt::format("there is no term '{}'", name))
      .with_hint(base::did_you_mean(name, names, ""));
}

std::string name_of(const Request& request) {
  std::string name(request.param("name"));
  if (name.empty() || name.size() > 100 || !base::valid_utf8(name))
    throw Error(Code::kBadRequest, "the term is not named");
  return name;
}

void list(Catalogue& catalogue, const Request& request, Response& response) {
  const bool may_edit = role_of(request) >= Role::kEditor;
  json::array terms;
  for (const auto& [name, term] : catalogue.files().now()->terms)
    terms.push_back(term_json(term, may_edit));
  answer(response, json::object{{"terms", std::move(terms)}, {"may_edit", may_edit}});
}

void show(Catalogue& catalogue, const Request& request, const std::string& name,
          Response& response) {
  const auto notes = catalogue.files().now();
  json::object out = term_json(term_of(*notes, name), role_of(request) >= Role::kEditor);
  out["used_by"] = used_by(catalogue, name);
  answer(response, out);
}

void put(Catalogue& catalogue, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto body = body_of(request);
  Term term;
  term.name = name_of(request);
  term.definition = text(body, "definition");
  term.synonyms = texts(body, "synonyms");
  term.related = texts(body, "related");
  term.parent = text(body, "parent");
  term.owner = text(body, "owner");
  term.status = text(body, "status", "draft");
  changing([&] { catalogue.files().put_term(term, if_match(request)); });
  catalogue.index_terms();
  show(catalogue, request, term.name, response);
}

void remove(Catalogue& catalogue, Request& request, Response& response) {
  need(request, Role::kEditor);
  changing([&] { catalogue.files().remove_term(name_of(request), if_match(request)); });
  catalogue.index_terms();
  response.empty(204);
}

}  // namespace

void register_glossary(net::Server& server, Catalogue& catalogue) {
  server.route("GET", "/api/v1/glossary", guarded([&](Request& request, Response& response) {
                 list(catalogue, request, response);
               }));
  const char* kTerm = "/api/v1/glossary/{name}";
  server.route("GET", kTerm, guarded([&](Request& request, Response& response) {
                 show(catalogue, request, name_of(request), response);
               }));
  server.route("PUT", kTerm, guarded([&](Request& request, Response& response) {
                 put(catalogue, request, response);
               }));
  server.route("DELETE", kTerm, guarded([&](Request& request, Response& response) {
                 remove(catalogue, request, response);
               }));
}

}  // namespace meesh::serve::api
