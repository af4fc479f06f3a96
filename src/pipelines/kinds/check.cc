// { check: lake.silver.orders }: the checks of checks/*.yaml and contracts/*.yaml about a table,
// and those written here.
#include <fmt/format.h>

#include "base/text.h"
#include "pipelines/kinds/check_tables.h"
#include "pipelines/kinds/kinds.h"

namespace meesh::pipelines {
namespace {

class CheckAsset : public Asset {
 public:
  CheckAsset(quality::Quality& quality, std::string table, std::optional<quality::Suite> own,
             Location where)
      : quality_(quality), table_(std::move(table)), own_(std::move(own)), where_(where) {
    inputs_.push_back({table_, where_});
    for (const auto* suite : suites()) add_check_tables(suite->checks, table_, inputs_);
  }

  std::vector<std::string> outputs() const override { return {}; }
  std::vector<TableUse> inputs() const override { return inputs_; }

  StepResult run(const StepContext& context) override {
    const auto all = suites();
    if (all.empty()) {
      throw Error(Code::kNotFound, fmt::format("nothing is checked about '{}'", table_), where_)
          .with_hint("write checks: into the asset, or a file into checks/");
    }
    std::vector<quality::CheckResult> results;
    for (const auto* suite : all) {
      context.task.check();
      auto some = quality_.run(*suite, context.task);
      std::move(some.begin(), some.end(), std::back_inserter(results));
    }
    size_t passed = 0;
    for (const auto& result : results) passed += result.outcome == quality::Outcome::kPass;
    if (quality::blocks(results)) throw quality::failure(results);
    StepResult result;
    result.message = fmt::format("{} of {} checks pass", passed, results.size());
    result.metadata = {{"checks", results.size()}, {"passed", passed}};
    return result;
  }

 private:
  std::vector<const quality::Suite*> suites() const {
    std::vector<const quality::Suite*> all = quality_.find(table_);
    if (own_) all.push_back(&*own_);
    return all;
  }

  quality::Quality& quality_;
  const std::string table_;
  const std::optional<quality::Suite> own_;
  const Location where_;
  std::vector<TableUse> inputs_;
};

class CheckKind : public AssetKind {
 public:
  explicit CheckKind(quality::Quality& quality) : quality_(quality) {}
  std::string_view word() const override { return "check"; }

  std::vector<base::Shape> shape() const override { return check_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const yaml::Node& table = *from.node.find("check");
    std::optional<quality::Suite> own;
    if (const yaml::Node* checks = from.node.find("checks")) {
      own = quality::Suite{from.document.file + "#" + from.name, table.text,
                           quality::parse_checks(from.document, *checks, from.files.problems())};
      quality::name_checks(own->checks);
    }
    const Location where{table.line, table.column, from.document.file};
    std::vector<NamedAsset> assets;
    assets.push_back(
        {from.name, std::make_unique<CheckAsset>(quality_, table.text, std::move(own), where)});
    return assets;
  }

 private:
  quality::Quality& quality_;
};

}  // namespace

std::vector<base::Shape> check_keys() {
  return {base::required(
              "check", base::matching("The table: catalog.schema.table.", "^[^.]+\\.[^.]+\\.[^.]+$",
                                      "a table's full name", 400)),
          base::optional("checks", quality::checks_shape())};
}

std::unique_ptr<AssetKind> check_kind(quality::Quality& quality) {
  return std::make_unique<CheckKind>(quality);
}

}  // namespace meesh::pipelines
