// SPDX-License-Identifier: Apache-2.0
// Bytes of any length in a stream: parts, each a message below the servers' limit.
//
// The last part is there before whoever is told of a parcel is told, so a parcel is whole or not
// known to anybody. Threads: safe from many. Errors: kIo; kOutOfSpace when the stream takes no
// more; kCorruption for a parcel whose parts are missing or differ from its hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/link.h"
#include "core/hash.h"

namespace mc::cluster {

struct Parcel {
    std::string subject;  // of its parts, but for their number
    std::uint64_t parts = 0;
    std::uint64_t bytes = 0;
    Hash128 hash;
};

Result<Parcel> put_parcel(Link& link, const std::string& subject, std::string_view bytes);
Result<std::string> get_parcel(Link& link, const char* stream, const Parcel& parcel);

// Of a parcel that nobody needs any more, in whole or in part.
Result<void> drop_parcel(Link& link, const char* stream, const std::string& subject);

}  // namespace mc::cluster
