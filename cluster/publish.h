// SPDX-License-Identifier: Apache-2.0
// One message into a stream, exactly once. For this room alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/link.h"

namespace mc::cluster {

struct Published {
    std::uint64_t sequence = 0;
    bool was_there = false;  // the subject has a message already, which stays
};

// Tries again, for about a minute, what the servers do not answer: while they choose a leader or
// a connection comes back. only_once: not where the subject has a message already; else id keeps a
// second try from being a second message. Errors: kIo; kOutOfSpace when the stream is full.
Result<Published> publish(Link& link, const std::string& subject, std::string_view bytes,
                          const std::string& id, bool only_once);

}  // namespace mc::cluster
