// Pages on paper: Chromium or Chrome of this machine, without a window.
#pragma once

#include <optional>
#include <string>

namespace meesh::dashboards {

/// The program; MEESH_BROWSER names another, or none ("").
std::optional<std::string> browser();

/// What `address` looks like, as "pdf" or "png" (1280 pixels wide, `height` pixels high), when it
/// has asked for everything it asks for. The address may hold a secret: it is on no command line.
/// Throws UNAVAILABLE with what the browser said.
std::string print_page(const std::string& address, const std::string& format, int height);

}  // namespace meesh::dashboards
