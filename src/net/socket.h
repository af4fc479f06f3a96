// Sockets by name.
#pragma once

#include <string>

#include "net/stream.h"

namespace meesh::net {

/// A listening, non-blocking socket. Port 0: any; `bound` says which. Throws PORT_IN_USE,
/// CONFIG_INVALID (an address that is none of this machine's), PERMISSION_DENIED.
int listen_on(const std::string& address, int port, int& bound);

/// A connected, non-blocking socket without delay. Throws UNAVAILABLE, EXCEEDED_TIME_LIMIT.
int connect_to(const std::string& host, const std::string& port, Deadline deadline);

void set_no_delay(int fd);

}  // namespace meesh::net
