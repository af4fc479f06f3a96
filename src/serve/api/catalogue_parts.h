// The parts of the catalogue's API; see catalogue.h.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <vector>

#include "serve/api/catalogue.h"

namespace meesh::serve::api {

/// All that is known of an asset, for a person who looks at it. Throws NOT_FOUND.
boost::json::object asset_json(governance::Catalogue& catalogue, const CatalogueRooms& rooms,
                               const std::string& name, bool may_edit);

/// Everything that comes of an asset (column "" = of all of it): tables along lineage, and what
/// shows or exports them. Nearest first.
boost::json::object impact_json(governance::Catalogue& catalogue, const CatalogueRooms& rooms,
                                const std::string& asset, const std::string& column);

/// Files of the mesh's folder that say what the asset is, relative to it.
std::vector<std::string> files_of(governance::Catalogue& catalogue, const CatalogueRooms& rooms,
                                  const std::string& asset);

boost::json::object product_json(governance::Catalogue& catalogue, const CatalogueRooms& rooms,
                                 const mesh::Domain& domain, const mesh::Product& product);

boost::json::object entry_json(const governance::SearchEntry& entry);

void register_glossary(net::Server& server, governance::Catalogue& catalogue);
void register_contracts(net::Server& server, governance::Catalogue& catalogue,
                        const CatalogueRooms& rooms);
/// /api/v1/system/status and /api/v1/system/version, as OpenMetadata's.
void register_system_status(net::Server& server, governance::Catalogue& catalogue,
                            meta::Database& database, const CatalogueRooms& rooms);

/// The value of If-Match without its quotes; "" = whatever it is.
std::string if_match(const net::Request& request);
/// What was changed by somebody else meanwhile is 412.
void changing(const std::function<void()>& change);

}  // namespace meesh::serve::api
