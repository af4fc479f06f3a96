# DuckDB as an imported library. MEESH_DUCKDB_VERSION is read from setup/versions.env, the one place
# that holds it; setup/setup.sh puts library, headers and extensions under .deps/.
file(STRINGS ${PROJECT_SOURCE_DIR}/setup/versions.env version_line REGEX "^DUCKDB_VERSION=")
string(REPLACE "DUCKDB_VERSION=" "" MEESH_DUCKDB_VERSION "${version_line}")
set(MEESH_DUCKDB_DIR ${PROJECT_SOURCE_DIR}/.deps/duckdb-${MEESH_DUCKDB_VERSION} CACHE PATH "DuckDB library, headers and extensions")
if(NOT EXISTS ${MEESH_DUCKDB_DIR}/lib/libduckdb.so)
  message(FATAL_ERROR "DuckDB ${MEESH_DUCKDB_VERSION} is not in ${MEESH_DUCKDB_DIR}: run setup/setup.sh")
endif()
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${MEESH_DUCKDB_DIR}/lib/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${MEESH_DUCKDB_DIR}/include)
