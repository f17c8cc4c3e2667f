// SPDX-License-Identifier: Apache-2.0
#include "cluster/parcel.h"

#include <algorithm>
#include <span>

#include "cluster/nats_fence.h"
#include "cluster/publish.h"

namespace mc::cluster {
namespace {

// What a message's subject and headers take at most.
constexpr std::uint64_t kHeadBytes = 4096;

std::string part_subject(const std::string& subject, std::uint64_t part) {
    return subject + "." + std::to_string(part);
}

Hash128 hash_of(std::string_view bytes) {
    return xxh3_128(std::as_bytes(std::span(bytes)));
}

}  // namespace

Result<Parcel> put_parcel(Link& link, const std::string& subject, std::string_view bytes) {
    const std::uint64_t part_bytes = link.message_bytes_max() - kHeadBytes;
    Parcel parcel{subject, 0, bytes.size(), hash_of(bytes)};
    do {
        const std::string_view part = bytes.substr(0, part_bytes);
        const std::string to = part_subject(subject, parcel.parts);
        MC_TRY(publish(link, to, part, to, false));
        bytes.remove_prefix(part.size());
        ++parcel.parts;
    } while (!bytes.empty());
    return parcel;
}

Result<std::string> get_parcel(Link& link, const char* stream, const Parcel& parcel) {
    std::string bytes;
    for (std::uint64_t part = 0; part < parcel.parts; ++part) {
        const std::string from = part_subject(parcel.subject, part);
        natsMsg* raw = nullptr;
        jsErrCode code{};
        const natsStatus status =
            js_GetLastMsg(&raw, link.jetstream(), stream, from.c_str(), nullptr, &code);
        const Message message(raw);
        if (status == NATS_NOT_FOUND)
            return fail(ErrorCode::kCorruption, "part " + from + " is missing");
        MC_NATS(status, code, "fetching " + from);
        bytes.append(natsMsg_GetData(message.get()),
                     static_cast<std::size_t>(natsMsg_GetDataLength(message.get())));
    }
    if (bytes.size() != parcel.bytes || hash_of(bytes) != parcel.hash)
        return fail(ErrorCode::kCorruption,
                    "the parts of " + parcel.subject + " are not what was put there");
    return bytes;
}

Result<void> drop_parcel(Link& link, const char* stream, const std::string& subject) {
    jsOptions options;
    MC_NATS(jsOptions_Init(&options), jsErrCode{}, "dropping " + subject);
    const std::string parts = subject + ".>";
    options.Stream.Purge.Subject = parts.c_str();
    jsErrCode code{};
    MC_NATS(js_PurgeStream(link.jetstream(), stream, &options, &code), code, "dropping " + subject);
    return {};
}

}  // namespace mc::cluster
