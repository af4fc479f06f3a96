#include <boost/json.hpp>

#include "base/text.h"
#include "governance/open_lineage.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpec = "https://openlineage.io/spec/";

/// Writes one event.
class Writer {
 public:
  Writer(const DatasetNames& names, std::string producer)
      : names_(names), producer_(std::move(producer)) {}

  json::object write(const JobRun& run) const {
    json::object event;
    event["eventType"] = state_word(run.state);
    event["eventTime"] = time_text(run.time);
    event["producer"] = producer_;
    event["schemaURL"] = std::string(kSpec) + "2-0-2/OpenLineage.json#/$defs/RunEvent";
    event["run"] = json::object{{"runId", uuid_of(run.run_id)}, {"facets", run_facets(run)}};
    event["job"] = json::object{{"namespace", run.name_space.empty() ? producer_ : run.name_space},
                                {"name", run.job},
                                {"facets", job_facets(run)}};
    json::array inputs, outputs;
    for (const auto& input : run.inputs) {
      json::object facets;
      if (!input.fields.empty()) facets["schema"] = schema(input.fields);
      inputs.push_back(dataset(input.dataset, std::move(facets)));
    }
    for (const auto& output : run.outputs) outputs.push_back(this->output(output));
    event["inputs"] = std::move(inputs);
    event["outputs"] = std::move(outputs);
    return event;
  }

 private:
  json::object facet(std::string_view version, std::string_view name) const {
    return {{"_producer", producer_},
            {"_schemaURL", std::string(kSpec) + "facets/" + std::string(version) + "/" +
                               std::string(name) + ".json#/$defs/" + std::string(name)}};
  }

  json::object run_facets(const JobRun& run) const {
    json::object facets;
    json::object engine = facet("1-1-1", "ProcessingEngineRunFacet");
    engine["name"] = "meesh";
    engine["version"] = "0.1.0";
    facets["processing_engine"] = std::move(engine);
    if (!run.parent_run.empty()) {
      json::object parent = facet("1-2-0", "ParentRunFacet");
      parent["run"] = json::object{{"runId", uuid_of(run.parent_run)}};
      parent["job"] = json::object{{"namespace", producer_},
                                   {"name", run.parent_job.empty() ? "run" : run.parent_job}};
      facets["parent"] = std::move(parent);
    }
    if (!run.error.empty()) {
      json::object failure = facet("1-0-1", "ErrorMessageRunFacet");
      failure["message"] = run.error;
      failure["programmingLanguage"] = "SQL";
      facets["errorMessage"] = std::move(failure);
    }
    if (!run.query_id.empty()) {
      json::object query = facet("1-0-2", "ExternalQueryRunFacet");
      query["externalQueryId"] = run.query_id;
      query["source"] = "meesh";
      facets["externalQuery"] = std::move(query);
    }
    json::array errors;
    int64_t total = 0;
    for (const auto& output : run.outputs) {
      for (const auto& field : output.lineage) {
        ++total;
        if (field.reason.empty()) continue;
        errors.push_back(json::object{{"errorMessage", field.reason},
                                      {"task", output.dataset.display() + ": " + field.field},
                                      {"taskNumber", total}});
      }
    }
    if (!errors.empty()) {
      json::object lost = facet("1-1-2", "ExtractionErrorRunFacet");
      lost["totalTasks"] = total;
      lost["failedTasks"] = errors.size();
      lost["errors"] = std::move(errors);
      facets["extractionError"] = std::move(lost);
    }
    return facets;
  }

  json::object job_facets(const JobRun& run) const {
    json::object facets;
    json::object type = facet("2-0-4", "JobTypeJobFacet");
    type["processingType"] = "BATCH";
    type["integration"] = run.integration.empty() ? "MEESH" : run.integration;
    if (!run.type.empty()) type["jobType"] = run.type;
    facets["jobType"] = std::move(type);
    if (!run.sql.empty()) {
      json::object sql = facet("1-1-0", "SQLJobFacet");
      sql["query"] = run.sql;
      sql["dialect"] = "trino";
      facets["sql"] = std::move(sql);
    }
    return facets;
  }

  json::object dataset(const Dataset& dataset, json::object facets) const {
    const Dataset shown = names_.shown(dataset);
    return {{"namespace", shown.name_space}, {"name", shown.name}, {"facets", std::move(facets)}};
  }

  json::object schema(const std::vector<std::pair<std::string, std::string>>& fields) const {
    json::object out = facet("1-2-0", "SchemaDatasetFacet");
    json::array list;
    for (const auto& [name, type] : fields) {
      json::object field{{"name", name}};
      if (!type.empty()) field["type"] = type;
      list.push_back(std::move(field));
    }
    out["fields"] = std::move(list);
    return out;
  }

  json::array sources(const std::vector<FieldSource>& all) const {
    json::array out;
    for (const auto& source : all) {
      const Dataset shown = names_.shown(source.dataset);
      json::array how;
      for (const auto influence : source.influences) {
        how.push_back(json::object{{"type", sql::is_direct(influence) ? "DIRECT" : "INDIRECT"},
                                   {"subtype", sql::influence_name(influence)},
                                   {"description", ""},
                                   {"masking", false}});
      }
      out.push_back(json::object{{"namespace", shown.name_space},
                                 {"name", shown.name},
                                 {"field", source.field},
                                 {"transformations", std::move(how)}});
    }
    return out;
  }

  json::object output(const OutputData& output) const {
    json::object facets;
    if (!output.fields.empty()) facets["schema"] = schema(output.fields);
    json::object fields;
    for (const auto& field : output.lineage) {
      if (!field.reason.empty()) continue;
      fields[field.field] = json::object{{"inputFields", sources(field.sources)}};
    }
    if (!fields.empty() || !output.rows.empty()) {
      json::object lineage = facet("1-2-0", "ColumnLineageDatasetFacet");
      lineage["fields"] = std::move(fields);
      lineage["dataset"] = sources(output.rows);
      facets["columnLineage"] = std::move(lineage);
    }
    if (output.replaced) {
      json::object change = facet("1-0-1", "LifecycleStateChangeDatasetFacet");
      change["lifecycleStateChange"] = "OVERWRITE";
      facets["lifecycleStateChange"] = std::move(change);
    }
    json::object out = dataset(output.dataset, std::move(facets));
    if (!output.row_count && !output.bytes) return out;
    json::object statistics = facet("1-0-2", "OutputStatisticsOutputDatasetFacet");
    if (output.row_count) statistics["rowCount"] = *output.row_count;
    if (output.bytes) statistics["size"] = *output.bytes;
    out["outputFacets"] = json::object{{"outputStatistics", std::move(statistics)}};
    return out;
  }

  const DatasetNames& names_;
  const std::string producer_;
};

}  // namespace

json::object write_event(const JobRun& run, const DatasetNames& names,
                         const std::string& name_space) {
  return Writer(names, name_space).write(run);
}

}  // namespace meesh::governance
