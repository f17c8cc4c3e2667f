// SPDX-License-Identifier: Apache-2.0
#include "cluster/entries.h"

#include <nlohmann/json.hpp>

namespace mc::cluster {
namespace {

using Json = nlohmann::json;

Json json_of(const Parcel& parcel) {
    return {{"subject", parcel.subject},
            {"parts", parcel.parts},
            {"bytes", parcel.bytes},
            {"hash", to_hex(parcel.hash)}};
}

Parcel parcel_of(const Json& json) {
    const auto hash = hash_from_hex(json.at("hash").get_ref<const std::string&>());
    return {json.at("subject"), json.at("parts"), json.at("bytes"), hash.value_or(Hash128())};
}

// A name is the user's and may hold bytes of any kind.
std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The fence of the JSON library.
template <class Read>
auto parse(std::string_view message, Read read) -> Result<decltype(read(Json()))> {
    try {
        return read(Json::parse(message));
    } catch (const Json::exception& error) {
        return fail(ErrorCode::kCorruption,
                    std::string("a message in the cluster that is none of ours: ") + error.what());
    }
}

}  // namespace

std::string to_message(const WorkItem& item) {
    return text_of({{"id", item.id},
                    {"bank", item.bank},
                    {"name", item.name},
                    {"media_type", item.media_type},
                    {"content", json_of(item.content)}});
}

std::string to_message(const LogEntry& entry) {
    return text_of({{"id", entry.id},
                    {"bank", entry.bank},
                    {"kind", entry.kind},
                    {"name", entry.name},
                    {"content", json_of(entry.content)}});
}

std::string to_message(const Failure& failure) {
    return text_of({{"id", failure.id},
                    {"bank", failure.bank},
                    {"name", failure.name},
                    {"error", failure.error},
                    {"code", failure.code},
                    {"worker", failure.worker},
                    {"tries", failure.tries}});
}

Result<WorkItem> work_item_from(std::string_view message) {
    return parse(message, [](const Json& json) {
        return WorkItem{json.at("id"), json.at("bank"), json.at("name"), json.at("media_type"),
                        parcel_of(json.at("content"))};
    });
}

Result<LogEntry> log_entry_from(std::string_view message) {
    return parse(message, [](const Json& json) {
        return LogEntry{json.at("id"), json.at("bank"), json.at("kind"), json.at("name"),
                        parcel_of(json.at("content"))};
    });
}

Result<Failure> failure_from(std::string_view message) {
    return parse(message, [](const Json& json) {
        return Failure{json.at("id"),   json.at("bank"),   json.at("name"), json.at("error"),
                       json.at("code"), json.at("worker"), json.at("tries")};
    });
}

}  // namespace mc::cluster
