// SPDX-License-Identifier: Apache-2.0
#include "cluster/work_queue.h"

#include <condition_variable>

#include "cluster/nats_fence.h"
#include "cluster/publish.h"
#include "cluster/streams.h"
#include "core/mutex.h"

namespace mc::cluster {
namespace {

constexpr const char* kWorkers = "workers";
constexpr int kClaimsMax = 100000;  // and workers that ask

std::string input_subject(const WorkItem& item) {
    return subject("input", item.bank, item.id);
}

// Until it is asked to end.
void say_alive(const std::stop_token& stop, natsMsg* message) {
    Mutex mutex;
    std::condition_variable_any ends;
    const ScopedLock lock(mutex);
    while (!ends.wait_for(mutex, stop, std::chrono::seconds(kClaimSeconds / 3),
                          [&] { return stop.stop_requested(); }))
        natsMsg_InProgress(message, nullptr);  // one that is lost is made up by the next
}

}  // namespace

Result<std::string> submit(Link& link, const WorkItem& item, std::string_view content) {
    WorkItem numbered = item;
    if (numbered.id.empty()) numbered.id = new_id();
    const std::string input = input_subject(numbered);
    const auto sent = [&]() -> Result<void> {
        MC_ASSIGN(numbered.content, put_parcel(link, input, content));
        return publish(link, "mc.work." + subject_word(numbered.bank), to_message(numbered),
                       numbered.id, false)
            .map([](const Published&) {});
    }();
    if (sent) return numbered.id;
    static_cast<void>(drop_parcel(link, kInputStream, input));
    return fail(sent.error());
}

WorkClaim::WorkClaim(Link& link, WorkItem item, __natsMsg* message, std::uint64_t tries)
    : link_(link), item_(std::move(item)), message_(message), tries_(tries) {
    alive_ = std::jthread([message](const std::stop_token& stop) { say_alive(stop, message); });
}

WorkClaim::~WorkClaim() {
    alive_ = std::jthread();
    if (message_ == nullptr) return;
    natsMsg_Nak(message_, nullptr);  // else it comes back by itself, later
    natsMsg_Destroy(message_);
}

Result<void> WorkClaim::done() {
    MC_TRY(drop_parcel(link_, kInputStream, item_.content.subject));
    alive_ = std::jthread();
    jsErrCode code{};
    MC_NATS(natsMsg_AckSync(message_, nullptr, &code), code, "ending work on " + item_.name);
    natsMsg_Destroy(message_);
    message_ = nullptr;
    return {};
}

Result<void> WorkClaim::set_aside(const Error& error, const std::string& worker) {
    const Failure failure{item_.id,
                          item_.bank,
                          item_.name,
                          error.to_string(),
                          std::string(error_code_name(error.code())),
                          worker,
                          tries_};
    MC_TRY(record_failure(link_, failure));
    alive_ = std::jthread();
    jsErrCode code{};
    MC_NATS(natsMsg_AckSync(message_, nullptr, &code), code, "setting aside " + item_.name);
    natsMsg_Destroy(message_);
    message_ = nullptr;
    return {};
}

Result<std::unique_ptr<WorkQueue>> WorkQueue::open(Link& link) {
    MC_TRY(check_cluster(link));
    jsSubOptions options;
    const std::string what = "joining the workers";
    MC_NATS(jsSubOptions_Init(&options), jsErrCode{}, what);
    options.Stream = kWorkStream;
    options.Config.AckPolicy = js_AckExplicit;
    options.Config.AckWait = kClaimSeconds * kNanosecondsASecond;
    options.Config.MaxAckPending = kClaimsMax;
    options.Config.MaxWaiting = kClaimsMax;
    natsSubscription* made = nullptr;
    jsErrCode code{};
    MC_NATS(
        js_PullSubscribe(&made, link.jetstream(), "mc.work.>", kWorkers, nullptr, &options, &code),
        code, what);
    return std::unique_ptr<WorkQueue>(new WorkQueue(link, made));
}

WorkQueue::~WorkQueue() {
    natsSubscription_Destroy(subscription_);
}

Result<std::unique_ptr<WorkClaim>> WorkQueue::take(int wait_ms) {
    natsMsgList list{};
    jsErrCode code{};
    const natsStatus status = natsSubscription_Fetch(&list, subscription_, 1, wait_ms, &code);
    if (status == NATS_TIMEOUT || (status == NATS_OK && list.Count == 0))
        return std::unique_ptr<WorkClaim>();
    MC_NATS(status, code, "asking for work");
    Message message(list.Msgs[0]);
    list.Msgs[0] = nullptr;
    natsMsgList_Destroy(&list);
    jsMsgMetaData* meta = nullptr;
    MC_NATS(natsMsg_GetMetaData(&meta, message.get()), jsErrCode{}, "asking for work");
    const std::uint64_t tries = meta->NumDelivered;
    jsMsgMetaData_Destroy(meta);
    auto item = work_item_from({natsMsg_GetData(message.get()),
                                static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))});
    if (!item) {
        natsMsg_Term(message.get(), nullptr);  // nobody could read it
        return fail(std::move(item.error()));
    }
    return std::make_unique<WorkClaim>(link_, std::move(*item), message.release(), tries);
}

Result<void> record_failure(Link& link, const Failure& failure) {
    return publish(link, subject("failed", failure.bank, failure.id), to_message(failure),
                   failure.id, true)
        .map([](const Published&) {});
}

Result<std::vector<Failure>> list_failures(Link& link, std::size_t count) {
    MC_ASSIGN(const StreamState state, stream_state(link, kFailedStream));
    std::vector<Failure> failures;
    for (std::uint64_t at = 1; at <= state.last_sequence && failures.size() < count; ++at) {
        natsMsg* raw = nullptr;
        jsErrCode code{};
        const natsStatus status =
            js_GetMsg(&raw, link.jetstream(), kFailedStream, at, nullptr, &code);
        const Message message(raw);
        if (status == NATS_NOT_FOUND) continue;
        MC_NATS(status, code, "reading the failures");
        MC_ASSIGN(auto one,
                  failure_from({natsMsg_GetData(message.get()),
                                static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))}));
        failures.push_back(std::move(one));
    }
    return failures;
}

}  // namespace mc::cluster
