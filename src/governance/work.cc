#include "governance/work.h"

#include <cctype>

#include "base/log.h"

namespace meesh::governance {

Work work_of_dbt(const std::string& node) {
  const size_t dot = node.find('.');
  Work work;
  work.job = dot == std::string::npos ? node : node.substr(dot + 1);
  for (const char c : node.substr(0, dot == std::string::npos ? 0 : dot))
    work.type += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  work.integration = "DBT";
  return work;
}

Work work_of_step(const std::string& pipeline, const std::string& step) {
  Work work;
  work.job = pipeline + "." + step;
  work.type = "QUERY";
  return work;
}

std::vector<std::string> tags_of(const Work& work, const TaskContext& task) {
  std::vector<std::string> tags;
  for (const auto& [name, value] :
       {std::pair("meesh-job=", &work.job), std::pair("meesh-type=", &work.type),
        std::pair("meesh-input=", &work.input), std::pair("meesh-output=", &work.target),
        std::pair("meesh-stand-in=", &work.stand_in), std::pair("meesh-run=", &task.run_id),
        std::pair("meesh-parent=", &task.pipeline)}) {
    if (!value->empty()) tags.push_back(name + *value);
  }
  return tags;
}

JobRun failure_of(const Work& work, const TaskContext& task, Time started,
                  const std::string& error) {
  JobRun run;
  run.job = work.job;
  run.type = work.type;
  run.integration = work.integration;
  run.parent_run = task.run_id;
  run.parent_job = task.pipeline;
  run.state = task.stop.stop_requested() ? RunState::kAbort : RunState::kFail;
  run.started = started;
  run.error = log::redact(error);
  if (!work.output.empty()) {
    run.outputs.emplace_back();
    run.outputs.back().dataset = {"", work.output};
  }
  return run;
}

}  // namespace meesh::governance
