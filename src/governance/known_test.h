// What the tests' mesh consists of.
#pragma once

#include "governance/dataset_names.h"

namespace meesh::governance::testing {

inline Known known() {
  Known out;
  out.address = [] { return std::string("http://localhost:8080"); };
  out.databases = {{"127.0.0.1", 15432, "sales_db", "sales"},
                   {"db.example.com", 5432, "shop", "shop"},
                   {"twice.example.com", 5432, "x", "one"},
                   {"twice.example.com", 5432, "x", "two"}};
  out.has_catalog = [](const std::string& catalog) {
    return catalog == "lake" || catalog == "sales" || catalog == "memory";
  };
  out.table_at = [](const std::string& location) -> std::optional<sql::TableName> {
    if (location != "s3://silver/orders") return std::nullopt;
    return sql::TableName{"lake", "silver", "orders"};
  };
  return out;
}

}  // namespace meesh::governance::testing
