// What a mesh consists of and how it fares:
//
//   GET /api/v1/services   every service: where it is, whether it answers, what it takes the place
//   of GET /api/v1/overview   what runs, what failed, what is stale, memory and storage
//
// and the health checks of the tools that a mesh takes the place of, as their callers know them:
//
//   GET /api/v1/health     {"available": true}            (Airbyte)
//   GET /health            OK                             (Superset)
//   GET /apiv2/login       401, or who is signed in       (Dremio)
//
// MinIO's /minio/health/live is on the S3 endpoint (serve/s3). See docs/console.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ingest/ingest.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"
#include "objects/store.h"
#include "pipelines/pipelines.h"
#include "quality/quality.h"
#include "streams/feeds/feeds.h"
#include "streams/streams.h"
#include "transform/dbt.h"

namespace meesh::serve::api {

/// All outlive the server.
struct MeshParts {
  const mesh::Mesh& mesh;
  meta::Database& database;
  objects::Store& store;
  engine::Engine& engine;
  ingest::Ingest& ingest;
  streams::Streams& streams;
  streams::Feeds& feeds;
  quality::Quality& quality;
  transform::Dbt& dbt;
  pipelines::Pipelines& pipelines;
  std::vector<engine::PostgresOptions> catalogs;  // the PostgreSQL servers of the mesh
  std::function<std::string()> address;           // "http://localhost:8080"
  std::function<std::string()> s3_address;        // "" = there is no endpoint
};

void register_inventory(net::Server& server, const MeshParts& parts);

}  // namespace meesh::serve::api
