#include "serve/s3/admin.h"

#include <atomic>
#include <boost/json.hpp>
#include <future>

#include "serve/s3/values.h"

namespace meesh::serve::s3 {
namespace {

namespace json = boost::json;
using objects::Reason;

constexpr auto kBetweenLines = std::chrono::seconds(1);

json::object told(const objects::ScrubReport& report) {
  json::array damaged, orphans;
  for (const auto& damage : report.damaged) {
    damaged.push_back({{"bucket", damage.bucket},
                       {"key", damage.key},
                       {"version", damage.version},
                       {"what", damage.what}});
  }
  for (const auto& orphan : report.orphans) orphans.emplace_back(orphan.string());
  return {{"complete", report.complete},   {"versions", report.versions},
          {"bytes", report.bytes},         {"sealed_by_customers", report.sealed_by_customers},
          {"damaged", std::move(damaged)}, {"orphans", std::move(orphans)}};
}

json::object told(const objects::RotateReport& report) {
  json::object missing;
  for (const auto& [id, count] : report.missing_keys) missing[id] = count;
  return {{"complete", report.complete},
          {"sealed", report.sealed},
          {"rewrapped", report.rewrapped},
          {"missing_keys", std::move(missing)}};
}

json::object told(const objects::LifecycleReport& report) {
  return {{"complete", report.complete},
          {"expired", report.expired},
          {"noncurrent_removed", report.noncurrent_removed},
          {"markers_removed", report.markers_removed},
          {"uploads_aborted", report.uploads_aborted},
          {"problems", json::array(report.problems.begin(), report.problems.end())}};
}

json::object told(const Error& error) {
  json::object out{{"code", code_name(error.code())}, {"message", error.message()}};
  if (!error.hint().empty()) out["hint"] = error.hint();
  return out;
}

/// What the working thread tells the one that answers, and the contrary.
struct Sight {
  std::atomic<uint64_t> done{0}, total{0};
  std::atomic<bool> given_up{false};
};

/// Runs `work` on a thread of its own and sends a line now and then, so that the client knows that
/// it goes on and this thread notices when the client is gone.
void answer_in_lines(Call& call,
                     const std::function<json::object(const objects::Progress&)>& work) {
  Sight sight;
  auto running = std::async(std::launch::async, [&] {
    EventSource source(call);
    return work([&](uint64_t done, uint64_t total) {
      sight.done = done;
      sight.total = total;
      return !sight.given_up;
    });
  });
  call.set("Content-Type", "application/x-ndjson");
  const auto line = [&](const json::object& content) {
    call.begun = true;
    call.response.write(json::serialize(content) + "\n");
    call.response.flush();
  };
  try {
    while (running.wait_for(kBetweenLines) != std::future_status::ready) {
      if (call.request.client_gone()) sight.given_up = true;
      line({{"done", sight.done.load()}, {"total", sight.total.load()}});
    }
  } catch (...) {
    sight.given_up = true;
    running.wait();
    throw;
  }
  json::object last;
  try {
    last["report"] = running.get();
  } catch (const Error& error) {
    last["error"] = told(error);
  } catch (const std::exception& error) {
    last["error"] = told(Error(Code::kGenericInternalError, error.what()));
  }
  line(last);
}

std::string_view work_of(const Call& call) {
  std::string_view path = call.request.path;
  return path.substr(std::min(path.size(), kAdminPath.size()));
}

void run(Call& call) {
  call.skip_body();  // its signature is checked at its end
  const std::string work(work_of(call));
  const std::filesystem::path folder = call.query("folder");
  if (work == "backup" && !folder.is_absolute()) {
    throw S3Error(Reason::kInvalidArgument,
                  "folder must be an absolute path on the server, of a folder that does not exist "
                  "yet.");
  }
  objects::maintenance(call.store());  // an error of this kind is answered as S3's own are
  if (work == "backup") {
    // The line at the end names no folder, and is missing if the server ends before.
    call.audit(call.operation->action, folder.string(), true, 0, "AdminBackup begins");
  }
  answer_in_lines(call, [&](const objects::Progress& progress) {
    return maintain(call.store(), work, folder, progress);
  });
}

struct Admin {
  std::string_view work;
  Operation operation;
};

constexpr Operation operation(std::string_view name, std::string_view action) {
  return {name, "POST", Level::kService, "", "", action, "", Operation::kMutates, run};
}

constexpr Admin kAdmin[] = {
    {"scrub", operation("AdminScrub", "admin:Scrub")},
    {"backup", operation("AdminBackup", "admin:Backup")},
    {"collect-garbage", operation("AdminCollectGarbage", "admin:CollectGarbage")},
    {"lifecycle", operation("AdminRunLifecycle", "admin:RunLifecycle")},
    {"rotate-key", operation("AdminRotateKey", "admin:RotateKey")},
};

}  // namespace

const Operation* find_admin_operation(Call& call) {
  if (call.request.method != "POST" || !call.request.path.starts_with(kAdminPath) ||
      call.bucket != "meesh" || call.has("uploads") || call.has("uploadId")) {
    return nullptr;
  }
  for (const Admin& admin : kAdmin) {
    if (admin.work != work_of(call)) continue;
    call.bucket.clear();
    call.key.clear();
    return &admin.operation;
  }
  return nullptr;
}

json::object maintain(objects::Store& store, std::string_view work,
                      const std::filesystem::path& folder, const objects::Progress& progress) {
  objects::Maintenance& maintenance = objects::maintenance(store);
  if (work == "scrub") return told(maintenance.scrub(progress));
  if (work == "backup") {
    const objects::BackupReport report = maintenance.backup(folder, progress);
    return {{"folder", folder.string()}, {"payloads", report.payloads}, {"linked", report.linked}};
  }
  if (work == "rotate-key") return told(maintenance.rotate_key(progress));
  if (work == "lifecycle") return told(maintenance.run_lifecycle(now(), progress));
  if (work == "collect-garbage") return {{"removed", maintenance.collect_garbage(progress)}};
  throw Error(Code::kInvalidArguments, fmt::format("'{}' is no work on a store", work));
}

}  // namespace meesh::serve::s3
