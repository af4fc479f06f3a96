// { python: northwind/report.py, requirements: [pandas==2.2.3] }
//
// The script runs in a virtual environment that is made once for what it requires. It sees
// MEESH_RUN_ID, MEESH_STEP, MEESH_ATTEMPT, MEESH_PARAM_<NAME> for each parameter, what the mesh and
// the asset give it, and nothing else of our environment. What it prints is the step's log; what it
// writes to the file MEESH_RESULT (JSON: rows, message, metadata) is the step's result. Statements
// that it sends with the client tags of MEESH_CLIENT_TAGS are the step's, for lineage.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <mutex>
#include <sstream>

#include "base/process.h"
#include "base/shutdown.h"
#include "base/text.h"
#include "base/uuid.h"
#include "governance/work.h"
#include "pipelines/kinds/kinds.h"

namespace meesh::pipelines {

namespace fs = std::filesystem;

namespace {

using std::chrono_literals::operator""s;

constexpr auto kGrace = 10s;  // between SIGTERM and SIGKILL
constexpr size_t kMostLine = 64 << 10, kMostResult = 1 << 20;

/// Runs the code of a notebook's cells, top to bottom, as one script.
constexpr const char* kNotebook = R"(import json, linecache, sys, traceback
sys.argv = sys.argv[1:]
sys.excepthook = traceback.print_exception  # which knows the lines of cells
with open(sys.argv[0], encoding="utf-8") as file:
    cells = json.load(file)["cells"]
names = {"__name__": "__main__", "__file__": sys.argv[0]}
for number, cell in enumerate(cells, 1):
    if cell["cell_type"] == "code":
        text, place = "".join(cell["source"]), f"{sys.argv[0]}, cell {number}"
        linecache.cache[place] = (len(text), None, text.splitlines(True), place)
        exec(compile(text, place, "exec"), names)
)";

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw Error(Code::kIoError, "cannot make a pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_end(int which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

/// Every line as it comes, until nobody has the other end any more.
void read_lines(int descriptor, const TaskContext& task) {
  std::string line;
  char buffer[16 << 10];
  for (ssize_t count; (count = ::read(descriptor, buffer, sizeof buffer)) != 0;) {
    if (count < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (ssize_t i = 0; i < count; ++i) {
      if (buffer[i] != '\n' && line.size() < kMostLine) {
        line += buffer[i];
      } else {
        task.info(line);
        line.clear();
        if (buffer[i] != '\n') line += buffer[i];
      }
    }
  }
  if (!line.empty()) task.info(line);
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

/// Runs it with its output in the log; stops its whole group when asked to.
process::Exit run_logged(process::Command command, const TaskContext& task) {
  Pipe pipe;
  // Both streams in one pipe, in the order they were written.
  command.arguments.insert(command.arguments.begin(), {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1"});
  command.output = pipe.writing();
  const auto child = process::start(command);
  pipe.close_end(1);
  std::thread reader([&] { read_lines(pipe.reading(), task); });
  std::optional<process::Exit> exit;
  {
    const OnStop on_stop(task.stop, [&] { child->signal_group(SIGTERM); });
    while (!(exit = child->wait(1s)) && !task.stop.stop_requested()) {
    }
    if (!exit && !(exit = child->wait(kGrace))) child->signal_group(SIGKILL);
  }
  while (!exit) exit = child->wait(1s);
  // What it left running would hold the pipe, and outlive the step.
  child->signal_group(SIGKILL);
  reader.join();
  return *exit;
}

class Environments {
 public:
  explicit Environments(fs::path folder) : folder_(std::move(folder)) {}

  /// The interpreter of an environment with these packages, made if it is missing. Whoever needs
  /// the same one waits for it.
  fs::path python(const std::string& requirements, const fs::path& run_in,
                  const TaskContext& task) {
    const std::lock_guard lock(mutex_);
    const fs::path place = folder_ / fmt::format("{:016x}", base::checksum(requirements));
    const fs::path python = place / "bin" / "python";
    if (fs::exists(place / "ready") && fs::exists(python)) return python;
    fs::remove_all(place);
    fs::create_directories(folder_);
    const bool plain = requirements.empty();
    task.info(plain ? "making a Python environment"
                    : "making a Python environment with " + requirements);
    make({"/usr/bin/env", "python3", "-m", "venv", place.string()}, plain ? "--without-pip" : "",
         run_in, task);
    if (!plain) {
      const fs::path list = place / "requirements.txt";
      std::ofstream(list) << requirements << "\n";
      make({python.string(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
            "-q", "-r", list.string()},
           "", run_in, task);
    }
    std::ofstream(place / "ready") << "\n";
    return python;
  }

 private:
  static void make(std::vector<std::string> arguments, const std::string& last,
                   const fs::path& run_in, const TaskContext& task) {
    if (!last.empty()) arguments.push_back(last);
    process::Command command{std::move(arguments)};
    command.directory = run_in;
    const auto exit = run_logged(std::move(command), task);
    task.check();
    if (!exit.good()) {
      throw Error(Code::kUnavailable,
                  fmt::format("the Python environment could not be made: {}", exit.words()))
          .with_hint("the step's log tells why");
    }
  }

  const fs::path folder_;
  std::mutex mutex_;
};

struct Script {
  fs::path file;  // absolute
  std::string shown;
  std::string requirements;  // one a line, sorted
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
};

class PythonAsset : public Asset {
 public:
  PythonAsset(const PythonOptions& options, Environments& environments, Script script,
              std::vector<std::string> outputs, std::vector<TableUse> inputs)
      : options_(options),
        environments_(environments),
        script_(std::move(script)),
        outputs_(std::move(outputs)),
        inputs_(std::move(inputs)) {}

  std::vector<std::string> outputs() const override { return outputs_; }
  std::vector<TableUse> inputs() const override { return inputs_; }

  StepResult run(const StepContext& context) override {
    const fs::path python = environments_.python(script_.requirements, options_.mesh, context.task);
    const fs::path result_file =
        options_.environments / fmt::format("result-{}.json", base::random_uuid());
    process::Command command{{python.string(), "-u"}};
    if (script_.file.extension() == ".ipynb") {
      command.arguments.insert(command.arguments.end(), {"-c", kNotebook});
    }
    command.arguments.push_back(script_.file.string());
    std::ranges::copy(script_.arguments, std::back_inserter(command.arguments));
    command.directory = options_.mesh;
    command.inherit_environment = false;
    command.environment = environment(context, python, result_file);
    const auto exit = run_logged(std::move(command), context.task);
    const std::string text = fs::exists(result_file) ? text_of(result_file) : "";
    std::error_code ignored;
    fs::remove(result_file, ignored);
    context.task.check();
    if (!exit.good()) {
      throw Error(Code::kGenericUserError,
                  fmt::format("{} ended with {}", script_.shown, exit.words()))
          .with_hint(fmt::format("meesh logs {} {}", context.task.run_id, context.step));
    }
    return result_of(text);
  }

 private:
  std::vector<std::string> environment(const StepContext& context, const fs::path& python,
                                       const fs::path& result_file) const {
    std::map<std::string, std::string> all;
    for (const char* name : {"HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER"}) {
      if (const char* value = std::getenv(name)) all[name] = value;
    }
    const char* path = std::getenv("PATH");
    all["PATH"] = python.parent_path().string() + ":" + (path ? path : "/usr/bin:/bin");
    all["VIRTUAL_ENV"] = python.parent_path().parent_path().string();
    all["PYTHONUNBUFFERED"] = "1";
    if (options_.environment) {
      for (const auto& [name, value] : options_.environment()) all[name] = value;
    }
    all["MEESH_RUN_ID"] = context.task.run_id;
    all["MEESH_PIPELINE"] = context.pipeline;
    all["MEESH_STEP"] = context.step;
    all["MEESH_ATTEMPT"] = std::to_string(context.attempt);
    all["MEESH_RESULT"] = result_file.string();
    all["MEESH_CLIENT_TAGS"] = base::join(
        governance::tags_of(governance::work_of_step(context.pipeline, context.step), context.task),
        ",");
    for (const auto& [name, value] : context.task.parameters) {
      std::string upper = name;
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      all["MEESH_PARAM_" + upper] = value;
    }
    for (const auto& [name, value] : script_.environment) all[name] = value;
    std::vector<std::string> list;
    for (const auto& [name, value] : all) list.push_back(name + "=" + value);
    return list;
  }

  StepResult result_of(const std::string& text) const {
    StepResult result;
    result.message = script_.shown;
    if (text.empty()) return result;
    boost::system::error_code failed;
    const auto value = boost::json::parse(text.substr(0, kMostResult), failed);
    if (failed || !value.is_object()) {
      throw Error(Code::kGenericUserError,
                  fmt::format("what {} wrote to MEESH_RESULT is no JSON object", script_.shown));
    }
    const auto& object = value.get_object();
    if (const auto* rows = object.if_contains("rows"); rows != nullptr && rows->is_int64()) {
      result.rows = static_cast<uint64_t>(std::max<int64_t>(rows->get_int64(), 0));
    }
    if (const auto* message = object.if_contains("message"); message && message->is_string()) {
      result.message = std::string(message->get_string()).substr(0, 500);
    }
    if (const auto* metadata = object.if_contains("metadata"); metadata && metadata->is_object()) {
      result.metadata = metadata->get_object();
    }
    return result;
  }

  const PythonOptions& options_;
  Environments& environments_;
  const Script script_;
  const std::vector<std::string> outputs_;
  const std::vector<TableUse> inputs_;
};

class PythonKind : public AssetKind {
 public:
  explicit PythonKind(PythonOptions options)
      : options_(std::move(options)), environments_(options_.environments) {}
  std::string_view word() const override { return "python"; }

  std::vector<base::Shape> shape() const override { return python_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    Script script;
    const yaml::Node& file = *from.node.find("python");
    script.file = existing(from, file);
    script.shown = "pipelines/" + file.text;
    std::vector<std::string> packages;
    if (const yaml::Node* list = from.node.find("requirements")) {
      for (const yaml::Node& item : list->items) packages.push_back(item.text);
    }
    if (const yaml::Node* list = from.node.find("requirements_file")) {
      packages.push_back(text_of(existing(from, *list)));
    }
    std::ranges::sort(packages);
    script.requirements = base::join(packages, "\n");
    if (const yaml::Node* list = from.node.find("arguments")) {
      for (const yaml::Node& item : list->items) script.arguments.push_back(item.text);
    }
    if (const yaml::Node* map = from.node.find("environment")) {
      for (size_t i = 0; i < map->keys.size(); ++i) {
        script.environment[map->keys[i].name] = map->items[i].text;
      }
    }
    std::vector<std::string> outputs;
    std::vector<TableUse> inputs;
    if (const yaml::Node* list = from.node.find("makes")) {
      for (const yaml::Node& item : list->items) outputs.push_back(item.text);
    }
    if (const yaml::Node* list = from.node.find("reads")) {
      for (const yaml::Node& item : list->items) {
        inputs.push_back({item.text, {item.line, item.column, from.document.file}});
      }
    }
    std::vector<NamedAsset> assets;
    assets.push_back(
        {from.name, std::make_unique<PythonAsset>(options_, environments_, std::move(script),
                                                  std::move(outputs), std::move(inputs))});
    return assets;
  }

 private:
  fs::path existing(const AssetSource& from, const yaml::Node& node) const {
    const fs::path file = (options_.mesh / "pipelines" / node.text).lexically_normal();
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) {
      throw from.document
          .error(Code::kConfigInvalid, fmt::format("there is no file '{}'", node.text), node.line,
                 node.column)
          .with_hint(fmt::format("looked for {}", file.string()));
    }
    return file;
  }

  const PythonOptions options_;
  Environments environments_;
};

}  // namespace

std::vector<base::Shape> python_keys() {
  const auto tables = [](const char* doc) {
    return base::list(doc, base::text("catalog.schema.table"));
  };
  return {base::required("python",
                         base::text("The script or notebook, relative to the folder pipelines.")),
          base::optional("requirements",
                         base::list("Packages it needs, as pip writes them: pandas==2.2.3.",
                                    base::text("Package."))),
          base::optional("requirements_file",
                         base::text("Or a file of them, relative to the folder pipelines.")),
          base::optional("arguments", base::list("Of the script.", base::text("Argument."))),
          base::optional("environment",
                         base::map("Variables it sees; ${NAME} keeps secrets out of the file.",
                                   "^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name",
                                   base::secret_text("Value."))),
          base::optional("makes", tables("Tables it makes.")),
          base::optional("reads", tables("Tables it reads."))};
}

std::unique_ptr<AssetKind> python_kind(PythonOptions options) {
  return std::make_unique<PythonKind>(std::move(options));
}

}  // namespace meesh::pipelines
