// The catalog kind `state`: tables in a DuckDB file of their own, for what a part of the program
// keeps from statement to statement. As large as the disk, as safe as its last COMMIT.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/catalog.h"

namespace meesh::engine {

/// Makes the file if there is none. add_catalog() throws IO_ERROR for one that cannot be read.
std::unique_ptr<Catalog> make_state_catalog(std::string name, std::filesystem::path file);

}  // namespace meesh::engine
