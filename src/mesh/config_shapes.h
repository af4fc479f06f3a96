// What each file of a mesh folder may say; checker and JSON Schema both come from here.
#pragma once

#include <string_view>

#include "base/json_schema.h"

namespace meesh::mesh {

const base::Shape& mesh_shape();     // meesh.yaml
const base::Shape& domain_shape();   // domains/*/domain.yaml
const base::Shape& product_shape();  // domains/*/products/*.yaml
const base::Shape& secrets_shape();  // secrets.yaml

}  // namespace meesh::mesh
