// Asking a server the statement of a file and showing the answer with its time.
#pragma once

#include <string>

namespace meesh::app {

/// Through the front door, as any client would. False if the statement failed (and was told so).
/// Throws NOT_FOUND for the file, NoServer.
bool ask_file(const std::string& file, const std::string& server);
/// The same for a statement. Throws NoServer.
bool ask_text(const std::string& sql, const std::string& server);

}  // namespace meesh::app
