// What dashboards need of the mesh around them.
#pragma once

#include <functional>
#include <string>

#include "dashboards/answers.h"
#include "engine/engine.h"
#include "mesh/mesh.h"
#include "meta/database.h"

namespace meesh::objects {
class Store;
}

namespace meesh::dashboards {

struct Environment {
  engine::Engine& engine;
  meta::Database& database;
  const mesh::Mesh& mesh;
  AnswersOptions answers;
  /// Of tables whose versions `answers.find` does not know: a text that differs after a change that
  /// can be noticed (a stream's commit); "" = it cannot. May be empty.
  std::function<std::string(const sql::TableName&)> changes{};
  objects::Store* store = nullptr;  // where reports go; null = nowhere
  engine::AuthorizeObject authorize{};
  std::string holder{};                    // this server's name, the same after a restart
  std::function<std::string()> address{};  // of this server; "" = not yet
};

}  // namespace meesh::dashboards
