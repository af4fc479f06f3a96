#include "governance/annotations.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/lexer.h"

namespace meesh::governance {
namespace {

using base::Shape;
using yaml::Node;

constexpr size_t kLongestText = 32 << 10;
constexpr const char* kWordPattern = "^[^\\s,\\[\\]{}](?:[^\\n\\r,\\[\\]{}]*[^\\s,\\[\\]{}])?$";
constexpr const char* kWordMeans = "one line without , [ ] { }";

Shape words(std::string doc, std::string item) {
  return base::list(std::move(doc), base::matching(std::move(item), kWordPattern, kWordMeans, 100));
}

Shape long_text(std::string doc) {
  Shape shape = base::text(std::move(doc));
  shape.min_length = 0;
  shape.max_length = kLongestText;
  return shape;
}

Shape line(std::string doc) {
  return base::matching(std::move(doc), kWordPattern, kWordMeans, 200);
}

Shape map_of(std::string doc, std::string pattern, std::string means, size_t longest, Shape value) {
  Shape shape = base::map(std::move(doc), std::move(pattern), std::move(means), std::move(value));
  shape.max_length = longest;
  return shape;
}

Shape column_shape() {
  return base::object(
      "What is known of a column.",
      {base::optional("description", long_text("What it holds (Markdown).")),
       base::optional("tags", words("Tags; a classification has a dot: PII.Email.", "A tag.")),
       base::optional("terms", words("Terms of the glossary.", "A term's name.")),
       base::optional("propagate", base::boolean("Columns made of it get its tags and terms."),
                      "true"),
       base::optional("inherit", base::boolean("It gets those of the columns it is made of."),
                      "true")});
}

std::string text(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  if (!found || !found->is_scalar()) return "";
  std::string text = found->text;
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

/// Each once, in the file's order.
std::vector<std::string> texts(const Node& node, std::string_view key) {
  std::vector<std::string> all;
  if (const Node* found = node.find(key)) {
    for (const Node& item : found->items) {
      if (std::ranges::find(all, item.text) == all.end()) all.push_back(item.text);
    }
  }
  return all;
}

bool flag(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return !found || found->boolean();
}

ColumnNote column_note(const Node& node) {
  return {text(node, "description"), texts(node, "tags"), texts(node, "terms"),
          flag(node, "propagate"), flag(node, "inherit")};
}

AssetNote asset_note(const Node& node) {
  AssetNote note;
  note.description = text(node, "description");
  note.owner = text(node, "owner");
  note.tier = text(node, "tier");
  note.tags = texts(node, "tags");
  note.terms = texts(node, "terms");
  if (const Node* columns = node.find("columns")) {
    for (size_t i = 0; i < columns->keys.size(); ++i)
      note.columns[sql::lower(columns->keys[i].name)] = column_note(columns->items[i]);
  }
  return note;
}

}  // namespace

bool AssetNote::empty() const {
  return description.empty() && owner.empty() && tier.empty() && tags.empty() && terms.empty() &&
         std::ranges::all_of(columns, [](const auto& one) { return one.second.empty(); });
}

std::string asset_name(std::string_view written) {
  std::string name(written);
  return name.find(':') == std::string::npos ? sql::lower(name) : name;
}

const Shape& catalogue_shape() {
  static const Shape shape = base::object(
      "What people say about the data of the mesh.",
      {base::required(
          "assets",
          map_of(
              "Assets: catalog.schema.table, or kind:name such as bucket:bronze.",
              "^(?:[^\\s.:]+\\.[^\\s.]+\\..*\\S|[a-z_]+:\\S(?:.*\\S)?)$",
              "catalog.schema.table or kind:name", 600,
              base::object(
                  "What is known of an asset.",
                  {base::optional("description", long_text("What it is (Markdown).")),
                   base::optional("owner", line("Who answers for it: a team or a person.")),
                   base::optional("tier", line("How much depends on it: gold, 1 …")),
                   base::optional("tags", words("Tags.", "A tag.")),
                   base::optional("terms", words("Terms of the glossary.", "A name.")),
                   base::optional("columns", map_of("Columns by name.", "^\\S(?:[^\\n]*\\S)?$",
                                                    "a column's name", 300, column_shape()))})))});
  return shape;
}

const Shape& glossary_shape() {
  static const Shape shape = base::object(
      "Words of the business and what they mean.",
      {base::required(
          "terms",
          map_of("Terms by name.", kWordPattern, kWordMeans, 100,
                 base::object(
                     "A term.",
                     {base::optional("definition", long_text("What it means (Markdown).")),
                      base::optional("synonyms", words("Other words for it.", "A word.")),
                      base::optional("parent", line("The term it is a part or a kind of.")),
                      base::optional("related", words("Terms to see as well.", "A term's name.")),
                      base::optional("owner", line("Who decides over it.")),
                      base::optional("status",
                                     base::choice("How far it is agreed.",
                                                  {"draft", "approved", "deprecated"}),
                                     "draft")})))});
  return shape;
}

AssetNotes read_assets(const yaml::Document& document, std::vector<Error>& problems) {
  AssetNotes assets;
  const Node& all = *document.root.find("assets");
  for (size_t i = 0; i < all.keys.size(); ++i) {
    const auto& key = all.keys[i];
    if (!assets.try_emplace(asset_name(key.name), asset_note(all.items[i])).second) {
      problems.push_back(document.error(Code::kConfigInvalid,
                                        fmt::format("'{}' is described twice", key.name), key.line,
                                        key.column));
    }
  }
  return assets;
}

Terms read_terms(const yaml::Document& document, std::vector<Error>&) {
  Terms terms;
  const Node& all = *document.root.find("terms");
  for (size_t i = 0; i < all.keys.size(); ++i) {
    const Node& node = all.items[i];
    Term term;
    term.name = all.keys[i].name;
    term.definition = text(node, "definition");
    term.synonyms = texts(node, "synonyms");
    term.related = texts(node, "related");
    term.parent = text(node, "parent");
    term.owner = text(node, "owner");
    if (const std::string status = text(node, "status"); !status.empty()) term.status = status;
    terms[term.name] = std::move(term);
  }
  return terms;
}

}  // namespace meesh::governance
