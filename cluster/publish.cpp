// SPDX-License-Identifier: Apache-2.0
#include "cluster/publish.h"

#include <chrono>
#include <thread>

#include "cluster/nats_fence.h"

namespace mc::cluster {
namespace {

// Tries of kWaitSeconds at most, or of nothing and this pause.
constexpr int kTries = 60;
constexpr std::chrono::seconds kPause(1);

// Also "maximum messages exceeded" and "maximum bytes exceeded".
constexpr jsErrCode kStreamIsFull = JSStreamStoreFailedErr;

bool may_come_back(natsStatus status, jsErrCode code) {
    return status == NATS_TIMEOUT || status == NATS_NO_RESPONDERS ||
           status == NATS_CONNECTION_DISCONNECTED || status == NATS_IO_ERROR ||
           status == NATS_INSUFFICIENT_BUFFER || code == JSClusterNotAvailErr ||
           code == JSClusterNoPeersErr;
}

}  // namespace

Result<Published> publish(Link& link, const std::string& subject, std::string_view bytes,
                          const std::string& id, bool only_once) {
    natsStatus status = NATS_OK;
    jsErrCode code{};
    for (int tries = 0; tries < kTries; ++tries) {
        jsPubOptions options;
        MC_NATS(jsPubOptions_Init(&options), jsErrCode{}, "publishing " + subject);
        options.MsgId = id.c_str();
        options.ExpectNoMessage = only_once;
        jsPubAck* raw = nullptr;
        code = {};
        status = js_Publish(&raw, link.jetstream(), subject.c_str(), bytes.data(),
                            static_cast<int>(bytes.size()), &options, &code);
        const PubAck ack(raw);
        if (status == NATS_OK) return Published{ack->Sequence, ack->Duplicate};
        if (only_once && code == JSStreamWrongLastSequenceErr) return Published{0, true};
        if (code == kStreamIsFull)
            return fail(ErrorCode::kOutOfSpace, "publishing " + subject + ": the stream is full");
        if (!may_come_back(status, code)) break;
        std::this_thread::sleep_for(kPause);
    }
    return nats_error(status, code, "publishing " + subject);
}

}  // namespace mc::cluster
