// SPDX-License-Identifier: Apache-2.0
// `megacontext serve`: the memory over HTTP until a signal ends it.
//
// The caller's thread becomes the engine's. At the signal the server accepts nothing more, what was
// admitted is done and answered, and serve_http() returns; operations go on with the next server.
// Ownership: borrows all. Errors: kUsage for an address that others can reach while no key was
// made; kIo when it cannot be had; those of serve/http/tls.h.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/result.h"
#include "runtime/memory.h"
#include "serve/cluster_member.h"
#include "serve/http/tls.h"
#include "serve/stop_signal.h"

namespace mc::serve {

struct ServeOptions {
    std::string host = "127.0.0.1";
    int port = 0;
    std::string version;                    // of the program
    std::optional<TlsFiles> tls;            // nullopt: plain HTTP
    std::optional<ClusterOptions> cluster;  // nullopt: a server of its own
};

// Requests that wait or are answered at once; one is answered at a time, and a client that waits
// for more than so many others does better to come again.
inline constexpr std::size_t kPlacesMax = 32;

// ready: called with the port once requests are taken.
Result<void> serve_http(runtime::Memory& memory, const ServeOptions& options,
                        const StopSignal& stop, const std::function<void(int port)>& ready);

}  // namespace mc::serve
