// SPDX-License-Identifier: Apache-2.0
#include "cluster/streams.h"

#include <algorithm>

#include "cluster/nats_fence.h"

namespace mc::cluster {
namespace {

// Of publishing something twice, beyond what every subject's own rule refuses.
constexpr std::int64_t kDuplicatesNs = 120 * kNanosecondsASecond;

struct StreamPlan {
    const char* name;
    const char* subjects;
    jsRetentionPolicy retention;
    std::int64_t messages_max;
    std::int64_t bytes_max;
};

Result<void> add_stream(Link& link, const StreamPlan& plan, int replicas) {
    jsStreamConfig config;
    const std::string what = std::string("making stream ") + plan.name;
    MC_NATS(jsStreamConfig_Init(&config), jsErrCode{}, what);
    config.Name = plan.name;
    const char* subjects = plan.subjects;
    config.Subjects = &subjects;
    config.SubjectsLen = 1;
    config.Retention = plan.retention;
    config.Storage = js_FileStorage;
    config.Discard = js_DiscardNew;
    config.MaxMsgs = plan.messages_max;
    config.MaxBytes = plan.bytes_max;
    config.Replicas = replicas;
    config.Duplicates = kDuplicatesNs;
    config.AllowDirect = true;
    jsErrCode code{};
    const natsStatus status = js_AddStream(nullptr, link.jetstream(), &config, nullptr, &code);
    if (status == NATS_OK || code == JSStreamNameExistErr) return {};
    return nats_error(status, code, what);
}

Result<void> add_owners(Link& link, const ClusterShape& shape) {
    kvConfig config;
    const std::string what = "making the bucket of leases";
    MC_NATS(kvConfig_Init(&config), jsErrCode{}, what);
    config.Bucket = kOwnersBucket;
    config.History = 1;
    config.TTL = shape.lease_seconds * kNanosecondsASecond;
    config.StorageType = js_FileStorage;
    config.Replicas = shape.replicas;
    kvStore* made = nullptr;
    const natsStatus status = js_CreateKeyValue(&made, link.jetstream(), &config);
    kvStore_Destroy(made);
    if (status == NATS_OK) return {};
    kvStore* there = nullptr;  // as another shape
    const bool is_there = js_KeyValue(&there, link.jetstream(), kOwnersBucket) == NATS_OK;
    kvStore_Destroy(there);
    if (is_there) return {};
    return nats_error(status, jsErrCode{}, what);
}

}  // namespace

Result<void> create_cluster(Link& link, const ClusterShape& shape) {
    const auto documents = static_cast<std::int64_t>(shape.queue_documents_max);
    const auto bytes = static_cast<std::int64_t>(shape.queue_bytes_max);
    const StreamPlan plans[] = {
        {kInputStream, "mc.input.>", js_LimitsPolicy, -1, bytes},
        {kDataStream, "mc.data.>", js_LimitsPolicy, -1, -1},
        {kLogStream, "mc.log.>", js_LimitsPolicy, -1, -1},
        {kFailedStream, "mc.failed.>", js_LimitsPolicy, -1, -1},
        {kWorkStream, "mc.work.>", js_WorkQueuePolicy, documents, -1},
    };
    for (const StreamPlan& plan : plans) MC_TRY(add_stream(link, plan, shape.replicas));
    return add_owners(link, shape);
}

Result<void> check_cluster(Link& link) {
    return stream_state(link, kWorkStream).map([](const StreamState&) {});
}

Result<StreamState> stream_state(Link& link, const char* stream) {
    jsStreamInfo* raw = nullptr;
    jsErrCode code{};
    const natsStatus status = js_GetStreamInfo(&raw, link.jetstream(), stream, nullptr, &code);
    const StreamInfo info(raw);
    if (code == JSStreamNotFoundErr)
        return fail(ErrorCode::kInvalidInput,
                    std::string("there is no cluster on these servers (no stream ") + stream +
                        "); make one with: megacontext cluster create");
    MC_NATS(status, code, std::string("asking for stream ") + stream);
    return StreamState{info->State.Msgs, info->State.Bytes, info->State.LastSeq, info->Created};
}

std::string subject_word(std::string_view bank) {
    std::string word(bank);
    std::ranges::replace(word, '.', '=');  // which no bank's name has
    return word;
}

std::string bank_of_word(std::string_view word) {
    std::string bank(word);
    std::ranges::replace(bank, '=', '.');
    return bank;
}

std::string subject(std::string_view kind, std::string_view bank, std::string_view rest) {
    return "mc." + std::string(kind) + "." + subject_word(bank) + "." + std::string(rest);
}

}  // namespace mc::cluster
