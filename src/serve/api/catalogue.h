// The catalogue: search, assets with what is said of them, glossary, products, usage, contracts.
//
//   GET /api/v1/search?q=&limit=              as people type; kind, domain, owner, tag; facets
//   GET /api/v1/catalogue/assets/{name}       lake.gold.rfm, or bucket:bronze
//   PUT /api/v1/catalogue/assets/{name}       what is said of it; If-Match
//   …                                         see docs/catalogue.md
#pragma once

#include "governance/catalogue.h"
#include "governance/lineage_store.h"
#include "ingest/ingest.h"
#include "meta/database.h"
#include "net/http.h"
#include "objects/store.h"
#include "pipelines/pipelines.h"
#include "quality/quality.h"
#include "serve/api/sql_store.h"
#include "streams/feeds/feeds.h"
#include "streams/streams.h"
#include "transform/dbt.h"

namespace meesh::serve::api {

/// What the catalogue knows the mesh by; all outlive it.
struct CatalogueRooms {
  const mesh::Mesh& mesh;
  objects::Store& store;
  governance::LineageStore& lineage;
  quality::Quality& quality;
  ingest::Ingest& ingest;
  streams::Streams& streams;
  streams::Feeds& feeds;
  transform::Dbt& dbt;
  pipelines::Pipelines& pipelines;
  const SqlStore& queries;
  std::string version;  // of the program
};

/// Where the catalogue finds what is not a table.
governance::CatalogueOptions catalogue_options(const CatalogueRooms& rooms);

/// Everything outlives the server.
void register_catalogue(net::Server& server, governance::Catalogue& catalogue,
                        meta::Database& database, const CatalogueRooms& rooms);

}  // namespace meesh::serve::api
