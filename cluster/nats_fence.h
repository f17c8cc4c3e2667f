// SPDX-License-Identifier: Apache-2.0
// The library's values as C++ owns them, and its statuses as errors. For this room alone.
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"

namespace mc::cluster {

template <auto kDestroy>
struct Destroyer {
    template <class T>
    void operator()(T* value) const {
        kDestroy(value);
    }
};

using Message = std::unique_ptr<natsMsg, Destroyer<natsMsg_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, Destroyer<natsSubscription_Destroy>>;
using StreamInfo = std::unique_ptr<jsStreamInfo, Destroyer<jsStreamInfo_Destroy>>;
using PubAck = std::unique_ptr<jsPubAck, Destroyer<jsPubAck_Destroy>>;

inline constexpr std::int64_t kNanosecondsASecond = 1'000'000'000;

// kIo: what could not be done, and what the library and the server say to it.
tl::unexpected<Error> nats_error(natsStatus status, jsErrCode code, const std::string& what);

// Returns the error of a call of the library from the enclosing function.
#define MC_NATS(status, code, what)                                                        \
    do {                                                                                   \
        const natsStatus mc_status = (status);                                             \
        if (mc_status != NATS_OK) return ::mc::cluster::nats_error(mc_status, code, what); \
    } while (false)

}  // namespace mc::cluster
