// Precompiled for the engine alone: DuckDB's headers cost seconds a translation unit.
#pragma once
#include "pch.h"
#include "duckdb.hpp"
