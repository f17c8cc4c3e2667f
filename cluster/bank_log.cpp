// SPDX-License-Identifier: Apache-2.0
#include "cluster/bank_log.h"

#include "cluster/nats_fence.h"
#include "cluster/publish.h"
#include "cluster/streams.h"

namespace mc::cluster {

Result<bool> log_has(Link& link, const std::string& bank, const std::string& id) {
    const std::string at = subject("log", bank, id);
    natsMsg* raw = nullptr;
    jsErrCode code{};
    const natsStatus status =
        js_GetLastMsg(&raw, link.jetstream(), kLogStream, at.c_str(), nullptr, &code);
    const Message message(raw);
    if (status == NATS_NOT_FOUND) return false;
    MC_NATS(status, code, "asking for " + at);
    return true;
}

Result<Appended> append_entry(Link& link, LogEntry entry, std::string_view content) {
    // Who writes the same entry meanwhile writes other parts.
    const std::string parts = subject("data", entry.bank, entry.id + "." + new_id());
    const auto added = [&]() -> Result<Published> {
        MC_ASSIGN(entry.content, put_parcel(link, parts, content));
        return publish(link, subject("log", entry.bank, entry.id), to_message(entry), entry.id,
                       true);
    }();
    if (added && !added->was_there) return Appended{added->sequence, false};
    // An answer that was lost may have been a yes: then the entry that is there names these parts.
    if (added) {
        natsMsg* raw = nullptr;
        jsErrCode code{};
        const std::string at = subject("log", entry.bank, entry.id);
        const natsStatus status =
            js_GetLastMsg(&raw, link.jetstream(), kLogStream, at.c_str(), nullptr, &code);
        const Message message(raw);
        MC_NATS(status, code, "asking for " + at);
        MC_ASSIGN(const LogEntry there,
                  log_entry_from({natsMsg_GetData(message.get()),
                                  static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))}));
        const std::uint64_t sequence = natsMsg_GetSequence(message.get());
        if (there.content.subject == parts) return Appended{sequence, false};
        MC_TRY(drop_parcel(link, kDataStream, parts));
        return Appended{sequence, true};
    }
    return fail(added.error());
}

Result<std::unique_ptr<LogReader>> LogReader::open(Link& link, const std::string& bank,
                                                   std::uint64_t after) {
    jsSubOptions options;
    const std::string from = subject("log", bank, "*");
    MC_NATS(jsSubOptions_Init(&options), jsErrCode{}, "following " + from);
    options.Stream = kLogStream;
    options.Ordered = true;
    options.Config.DeliverPolicy = js_DeliverByStartSequence;
    options.Config.OptStartSeq = after + 1;
    natsSubscription* made = nullptr;
    jsErrCode code{};
    MC_NATS(js_SubscribeSync(&made, link.jetstream(), from.c_str(), nullptr, &options, &code), code,
            "following " + from);
    return std::unique_ptr<LogReader>(new LogReader(made));
}

LogReader::~LogReader() {
    natsSubscription_Destroy(subscription_);
}

Result<std::optional<SequencedEntry>> LogReader::next(int wait_ms) {
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription_, wait_ms);
    const Message message(raw);
    if (status == NATS_TIMEOUT) return std::optional<SequencedEntry>();
    MC_NATS(status, jsErrCode{}, "following a bank's log");
    jsMsgMetaData* meta = nullptr;
    MC_NATS(natsMsg_GetMetaData(&meta, message.get()), jsErrCode{}, "following a bank's log");
    const std::uint64_t sequence = meta->Sequence.Stream;
    jsMsgMetaData_Destroy(meta);
    MC_ASSIGN(LogEntry entry,
              log_entry_from({natsMsg_GetData(message.get()),
                              static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))}));
    return std::optional<SequencedEntry>({sequence, std::move(entry)});
}

}  // namespace mc::cluster
