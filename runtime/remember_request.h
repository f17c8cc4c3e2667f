// SPDX-License-Identifier: Apache-2.0
// What a request to remember becomes before the store is asked: names, lines, records of keys.
// Pure. Errors: kInvalidInput naming the field and what it takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"
#include "runtime/memory.h"

namespace mc::runtime {

// Metadata that the program keeps for itself begins so; no request may set it, none is shown it.
inline constexpr std::string_view kOwnMetadataPrefix = "megacontext.";
// How a text is given that is longer than one call takes.
inline constexpr std::string_view kLongTexts =
    "over HTTP with Prefer: respond-async, over MCP with a progressToken, or with megacontext "
    "ingest";
inline constexpr std::string_view kEventTimeKey = "event_time";

// Every field on its own, and that a message has no name and a document no role.
Result<void> check_request(const RememberRequest& request);

// "session/NAME": the source name of a session's document.
std::string session_document(std::string_view session);

// "memory/0123456789abcdef": of a text that has no name.
std::string document_name(const RememberRequest& request);

// "[event time] role: text" and a line's end.
std::string message_line(const RememberRequest& request);

// The keyed messages that a session has taken, as one text in its document's metadata: oldest
// first, and no more than kMessageKeysMax.
class MessageKeys {
  public:
    // Text that is no such record counts as empty.
    explicit MessageKeys(std::string_view record);

    // Where the message of this key stands; nullopt for a new key. Errors: kInvalidInput when the
    // key was given with another message.
    Result<std::optional<ByteSpan>> find(std::string_view key, std::string_view line) const;
    void add(std::string_view key, std::string_view line, ByteSpan bytes);

    std::string record() const;

  private:
    struct Entry {
        std::string key;  // hashes, in hexadecimal digits
        std::string line;
        ByteSpan bytes;
    };

    std::vector<Entry> entries_;
};

inline constexpr std::string_view kMessageKeysKey = "megacontext.message_keys";

}  // namespace mc::runtime
