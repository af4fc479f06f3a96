#include "dashboards/dashboards.h"

namespace meesh::dashboards {

Dashboards::Dashboards(Environment environment)
    : environment_(std::move(environment)),
      store_(environment_.mesh.folder, environment_.mesh.shown),
      semantic_(environment_.mesh.folder, environment_.mesh.shown),
      answers_(environment_.engine, environment_.answers),
      data_(answers_, semantic_),
      watch_(store_, data_, answers_.find(), environment_.changes),
      shares_(environment_.database),
      savers_(environment_.database),
      alerts_(environment_, store_, data_, savers_),
      reports_(environment_, store_, data_, shares_, savers_) {}

Dashboards::~Dashboards() { stop(); }

void Dashboards::start() {
  watch_.start();
  alerts_.start();
  reports_.start();
}

void Dashboards::stop() {
  reports_.stop();
  alerts_.stop();
  watch_.stop();
}

DashboardPtr Dashboards::save(const std::string& name, const std::string& text,
                              const std::string& etag, const std::string& user) {
  const Dashboard read = read_dashboard(name, text, "dashboards/" + name + ".yaml");
  savers_.saving(name, read.etag, user);
  auto saved = store_.put(name, text, etag);
  watch_.wake();
  return saved;
}

}  // namespace meesh::dashboards
