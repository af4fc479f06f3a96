#include "app/pipelines/run_view.h"

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <thread>

#include "app/language.h"
#include "base/clock.h"
#include "base/error.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr size_t kMostLines = 12;
constexpr const char* kSpinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

std::string mark(const std::string& state) {
  if (state == "succeeded") return "✓";
  if (state == "failed") return "✗";
  if (state == "retrying") return "↻";
  if (state == "upstream_failed") return "–";
  return "·";
}

std::string coloured(const std::string& text, const std::string& state) {
  if (!colours()) return text;
  const auto colour = state == "succeeded"  ? fmt::color::green
                      : state == "failed"   ? fmt::color::red
                      : state == "retrying" ? fmt::color::orange
                                            : fmt::color::gray;
  return fmt::format(fmt::fg(colour), "{}", text);
}

bool ended(const std::string& state) {
  return state != "pending" && state != "running" && state != "retrying" && state != "queued";
}

/// Ctrl-C as long as it is held: the first asks for something, the second ends the program.
class OnInterrupt {
 public:
  explicit OnInterrupt(std::function<void()> ask) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this, ask = std::move(ask)](const std::stop_token& stop) {
      const timespec moment{0, 100'000'000};
      while (!stop.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &moment) != SIGINT) continue;
        if (std::exchange(asked_, true)) _exit(130);
        try {
          ask();
        } catch (const Error& error) {
          fmt::print(stderr, "{}\n", error.what());
        }
      }
    });
  }
  ~OnInterrupt() {
    thread_.request_stop();
    thread_.join();
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  }
  OnInterrupt(const OnInterrupt&) = delete;
  OnInterrupt& operator=(const OnInterrupt&) = delete;

 private:
  sigset_t signals_{};
  bool asked_ = false;
  std::jthread thread_;
};

}  // namespace

RunView::RunView()
    : live_(::isatty(STDOUT_FILENO) == 1 && std::getenv("TERM") != nullptr &&
            std::string_view(std::getenv("TERM")) != "dumb") {}

bool RunView::news(const json::object& step) {
  const std::string state = text_of(step, "state");
  if (state == "pending" || state == "running") return false;
  std::string& before = told_[text_of(step, "part_of") + "/" + text_of(step, "name")];
  const std::string now = fmt::format("{} {}", state, number_of(step, "attempt"));
  return std::exchange(before, now) != now;
}

void RunView::print_ended(const json::object& step) const {
  const std::string state = text_of(step, "state");
  const int64_t started = number_of(step, "started_ms"), ended_ms = number_of(step, "ended_ms");
  std::string what = text_of(step, state == "succeeded" ? "message" : "error");
  if (state == "upstream_failed") {
    what = say("not run: what it needs failed", "pas exécuté : un prérequis a échoué");
  }
  if (state == "retrying") what += " (" + text_of(step, "message") + ")";
  const std::string time = started > 0 && ended_ms >= started && state != "upstream_failed"
                               ? duration_text(ended_ms - started)
                               : "";
  const bool inner = !text_of(step, "part_of").empty();
  fmt::print("{}{} {:<{}}  {:>9}  {}\n", inner ? "    " : "  ", coloured(mark(state), state),
             text_of(step, "name"), width_, time, what);
}

void RunView::clear() {
  if (lines_ > 0) fmt::print("\033[{}A\033[J", lines_);
  lines_ = 0;
  std::fflush(stdout);
}

void RunView::draw(const json::object& run) {
  size_t done = 0, all = 0;
  std::string text;
  for (const auto& value : run.at("steps").as_array()) {
    const json::object& step = value.as_object();
    const std::string state = text_of(step, "state");
    const bool whole = text_of(step, "part_of").empty();
    all += whole;
    done += whole && ended(state);
    if (state != "running" || lines_ >= kMostLines) continue;
    std::string progress;
    if (const auto* numbers = step.if_contains("progress")) {
      const auto at = numbers->at(0).to_number<uint64_t>();
      const auto total = numbers->at(1).to_number<uint64_t>();
      progress = total > 0 ? fmt::format("{} %", at * 100 / total) : fmt::format("{}", at);
    }
    text += fmt::format("  {} {:<{}}  {:>9}  {}\n", kSpinner[turn_ % std::size(kSpinner)],
                        text_of(step, "name"), width_,
                        duration_text(base::now_ms() - number_of(step, "started_ms")), progress);
    ++lines_;
  }
  text += fmt::format("  {} / {}\n", done, all);
  ++lines_;
  ++turn_;
  fmt::print("{}", text);
  std::fflush(stdout);
}

void RunView::show(const json::object& run) {
  clear();
  for (const auto& value : run.at("steps").as_array()) {
    width_ = std::clamp<size_t>(text_of(value.as_object(), "name").size(), width_, 48);
  }
  for (const auto& value : run.at("steps").as_array()) {
    if (news(value.as_object())) print_ended(value.as_object());
  }
  if (live_ && !ended(text_of(run, "state"))) draw(run);
  std::fflush(stdout);
}

int follow_run(const ApiOptions& options, const std::string& run_id) {
  RunView view;
  json::object last;
  const OnInterrupt interrupt([&] {
    fmt::print(stderr, "\n{}\n",
               say("asking the server to cancel the run; Ctrl-C again leaves it",
                   "annulation demandée ; Ctrl-C de nouveau quitte"));
    api_post(options, "/api/v1/runs/" + part(run_id) + "/cancel");
  });
  api_stream(options, "/api/v1/runs/" + part(run_id) + "/changes", [&](std::string_view line) {
    last = json::parse(line).as_object();
    if (!options.json) view.show(last);
  });
  if (options.json) fmt::print("{}\n", json::serialize(last));
  const std::string state = text_of(last, "state");
  if (!options.json) {
    const int64_t time = number_of(last, "ended_ms") - number_of(last, "started_ms");
    fmt::print("{} {} {} {} {}", say("run", "exécution"), run_id, state_text(state),
               say("after", "après"), duration_text(time));
    if (const std::string error = text_of(last, "error"); !error.empty()) fmt::print(": {}", error);
    fmt::print("\n");
    if (state == "failed") {
      fmt::print("  meesh logs {}\n  meesh run --rerun {}\n", run_id, run_id);
    }
  }
  return state == "succeeded" ? 0 : state == "canceled" ? 130 : 1;
}

}  // namespace meesh::app
