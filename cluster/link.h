// SPDX-License-Identifier: Apache-2.0
// A connection to a cluster: servers of NATS with JetStream (docs/cluster.md).
//
// Ownership: everything else in this room borrows its link. Threads: safe from many. Errors: kUsage
// for an address or a file that is none, kIo when no server answers or one refuses. A connection
// that breaks comes back by itself; what is asked meanwhile fails with kIo after kWaitSeconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/files.h"
#include "core/result.h"

struct __natsConnection;
struct __jsCtx;

namespace mc::cluster {

inline constexpr int kWaitSeconds = 10;

struct LinkOptions {
    std::string urls;  // nats://HOST:PORT or tls://HOST:PORT, several with commas between
    Path credentials;  // of NATS, a .creds file; empty: what the URL says
    Path authority;    // PEM certificates that the servers' are checked with; empty: the system's
    std::string name;  // what the servers call this process
};

class Link {
  public:
    static Result<std::unique_ptr<Link>> open(const LinkOptions& options);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // For the room's own use.
    __natsConnection* connection() const { return connection_; }

    __jsCtx* jetstream() const { return jetstream_; }

    // Of one message, headers included, as the server says.
    std::uint64_t message_bytes_max() const;

  private:
    Link() = default;

    __natsConnection* connection_ = nullptr;
    __jsCtx* jetstream_ = nullptr;
};

// Random, 32 hexadecimal digits: the id of a document that is submitted, of a batch, of a process.
std::string new_id();

}  // namespace mc::cluster
