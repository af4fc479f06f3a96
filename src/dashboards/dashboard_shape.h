// What files of dashboards/ and semantic/ may say; checker and JSON Schema both come from here.
#pragma once

#include "base/json_schema.h"

namespace meesh::dashboards {

const base::Shape& dashboard_shape();
/// One chart by itself, as the editor's preview sends it.
const base::Shape& chart_shape();
const base::Shape& model_shape();

}  // namespace meesh::dashboards
