// The kinds of assets there are, each over the room that does its work. What they are given
// outlives them.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ingest/ingest.h"
#include "mesh/mesh.h"
#include "objects/store.h"
#include "pipelines/asset_kind.h"
#include "quality/quality.h"
#include "streams/feeds/feeds.h"
#include "streams/streams.h"
#include "transform/dbt.h"
#include "transform/sql_model.h"

namespace meesh::pipelines {

/// { ingest: SOURCE }: one asset a table of the source.
std::unique_ptr<AssetKind> ingest_kind(ingest::Ingest& ingest);
/// { stream: NAME }: a stream, up to what is there now.
std::unique_ptr<AssetKind> stream_kind(streams::Streams& streams);
/// { feed: NAME }: a feed's export.
std::unique_ptr<AssetKind> feed_kind(streams::Feeds& feeds);
/// { sql: FILE, … }: a model.
std::unique_ptr<AssetKind> sql_kind(transform::Models& models);
/// { dbt: PROJECT }: a dbt project; its models are the asset's parts.
std::unique_ptr<AssetKind> dbt_kind(transform::Dbt& dbt);
/// { check: TABLE }: what is known to have to be true of a table.
std::unique_ptr<AssetKind> check_kind(quality::Quality& quality);

/// { statement: SQL }: statements as they are.
std::unique_ptr<AssetKind> statement_kind(engine::Engine& engine);
/// { maintenance: TABLE, … }: a lake table put in order.
std::unique_ptr<AssetKind> maintenance_kind(engine::Engine& engine);

struct ExportOptions {
  engine::Engine& engine;
  objects::Store& store;
  std::filesystem::path folder;                // local exports lie below it
  std::string bucket = "exports-in-progress";  // made on need
};
/// { export: TABLE or query, to: … }: a file.
std::unique_ptr<AssetKind> export_kind(ExportOptions options);

struct PythonOptions {
  std::filesystem::path mesh;          // folder that scripts run in
  std::filesystem::path environments;  // data/python
  /// What scripts see besides their parameters: MEESH_URL, say. Asked for each run.
  std::function<std::map<std::string, std::string>()> environment;
};
/// { python: FILE }: a script in an environment of its own.
std::unique_ptr<AssetKind> python_kind(PythonOptions options);

// The keys of each kind's assets, as its shape() gives them; those of sql are
// transform::model_shape().
std::vector<base::Shape> ingest_keys();
std::vector<base::Shape> stream_keys();
std::vector<base::Shape> feed_keys();
std::vector<base::Shape> dbt_keys();
std::vector<base::Shape> check_keys();
std::vector<base::Shape> statement_keys();
std::vector<base::Shape> maintenance_keys();
std::vector<base::Shape> export_keys();
std::vector<base::Shape> python_keys();

/// The JSON Schema of pipelines/<name>.yaml, with what an asset of each kind takes.
boost::json::value pipeline_schema();

}  // namespace meesh::pipelines
