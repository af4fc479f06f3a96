#include "governance/catalogue_lineage.h"

#include <fmt/format.h>

#include "base/text.h"
#include "governance/lineage_tables.h"

namespace meesh::governance {

std::vector<ColumnEdge> column_edges(meta::Database& database) {
  const Influences direct = bits_of(
      {sql::Influence::kIdentity, sql::Influence::kTransformation, sql::Influence::kAggregation});
  std::vector<ColumnEdge> edges;
  database.read([&](soci::session& sql) {
    edges.clear();
    // A renamed table goes by the name it has now.
    ColumnEdge edge;
    long long influences = 0;
    soci::statement select =
        (sql.prepare << "SELECT COALESCE(n.name, s.name), e.source_field, t.name, e.target_field, "
                        "e.influences FROM lineage_edge e JOIN lineage_dataset s ON s.id = "
                        "e.source LEFT JOIN lineage_dataset n ON n.id = s.renamed_to JOIN "
                        "lineage_dataset t ON t.id = e.target WHERE e.ended_ms = 0 AND "
                        "e.source_field <> '' AND e.target_field <> '' AND s.namespace = '' AND "
                        "t.namespace = ''",
         soci::into(edge.from.asset), soci::into(edge.from.column), soci::into(edge.to.asset),
         soci::into(edge.to.column), soci::into(influences));
    select.execute();
    while (select.fetch()) {
      if (influences == 0 || (influences & direct) != 0) edges.push_back(edge);
    }
  });
  return edges;
}

uint64_t lineage_version(meta::Database& database) {
  std::string facts;
  database.read([&](soci::session& sql) {
    long long count = 0, newest = 0, ended = 0, renamed = 0;
    sql << "SELECT COUNT(*), COALESCE(MAX(first_ms), 0), COALESCE(MAX(ended_ms), 0) FROM "
           "lineage_edge",
        soci::into(count), soci::into(newest), soci::into(ended);
    sql << "SELECT COUNT(*) FROM lineage_dataset WHERE renamed_to <> 0", soci::into(renamed);
    facts = fmt::format("{} {} {} {}", count, newest, ended, renamed);
  });
  return base::checksum(facts);
}

std::vector<WrittenAsset> recently_written(meta::Database& database, const std::string& asset,
                                           size_t limit) {
  std::vector<WrittenAsset> out;
  const long long most = static_cast<long long>(limit);
  database.read([&](soci::session& sql) {
    out.clear();
    WrittenAsset one;
    long long written = 0;
    const std::string only = asset.empty() ? "" : " AND d.name = :name";
    soci::statement select(sql);
    select.exchange(soci::into(one.asset));
    select.exchange(soci::into(written));
    if (!asset.empty()) select.exchange(soci::use(asset, "name"));
    select.exchange(soci::use(most, "most"));
    select.alloc();
    select.prepare(
        "SELECT d.name, MAX(e.last_ms) FROM lineage_edge e JOIN lineage_dataset d ON d.id = "
        "e.target WHERE e.ended_ms = 0 AND d.namespace = '' AND d.gone_ms = 0" +
        only + " GROUP BY d.name ORDER BY 2 DESC, d.name LIMIT :most");
    select.define_and_bind();
    select.execute();
    while (select.fetch()) out.push_back({one.asset, written});
  });
  return out;
}

}  // namespace meesh::governance
