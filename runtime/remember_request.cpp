// SPDX-License-Identifier: Apache-2.0
#include "runtime/remember_request.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "core/hash.h"
#include "core/utf8.h"
#include "runtime/event_time.h"

namespace mc::runtime {
namespace {

constexpr std::size_t kNameBytesMax = 512;   // a path or a title; the store takes more
constexpr std::size_t kLabelBytesMax = 128;  // sessions, roles, keys of metadata
constexpr std::size_t kKeyBytesMax = 256;    // a UUID and some prefix
constexpr std::size_t kMetadataCountMax = 32;
constexpr std::size_t kMetadataBytesMax = 16 * 1024;  // a quarter of what the store takes

Result<void> wrong(std::string_view field, std::string_view wanted) {
    return fail(ErrorCode::kInvalidInput, std::string(field) + " " + std::string(wanted));
}

bool is_printable_line(std::string_view text) {
    return !find_invalid_utf8(text) && std::ranges::none_of(text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

Result<void> check_label(std::string_view field, std::string_view text, std::size_t size_max) {
    if (text.size() <= size_max && is_printable_line(text)) return {};
    return wrong(field, "must be one line of at most " + std::to_string(size_max) + " bytes");
}

Result<void> check_metadata(const RememberRequest& request) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : request.metadata) {
        if (key.empty()) return wrong("metadata", "has a key that is empty");
        MC_TRY(check_label("a key of metadata", key, kLabelBytesMax));
        if (key.starts_with(kOwnMetadataPrefix) || key == kEventTimeKey)
            return wrong("metadata", "must not set " + key);
        if (find_invalid_utf8(value)) return wrong("metadata", "has a value that is no text");
        bytes += key.size() + value.size();
    }
    if (request.metadata.size() > kMetadataCountMax || bytes > kMetadataBytesMax)
        return wrong("metadata", "has at most " + std::to_string(kMetadataCountMax) +
                                     " entries of together " + std::to_string(kMetadataBytesMax) +
                                     " bytes");
    return {};
}

Result<void> check_content(const RememberRequest& request) {
    if (request.file.empty()) {
        if (request.text.find_first_not_of(" \t\r\n") != std::string::npos) return {};
        return wrong("text", "is empty, and no file is given");
    }
    if (!request.text.empty()) return wrong("text", "does not go with a file: give one of them");
    if (!request.session.empty()) return wrong("file", "does not go with a session");
    if (request.file.size() <= kFileBytesMax) return {};
    return wrong("file", "has " + std::to_string(request.file.size()) + " bytes, more than " +
                             std::to_string(kFileBytesMax) +
                             "; take it in with megacontext ingest");
}

// Of a message or of a document alone.
Result<void> check_kind(const RememberRequest& request) {
    if (request.session.empty())
        return request.role.empty() ? Result<void>()
                                    : wrong("role", "belongs to a message: give a session too");
    if (!request.name.empty()) return wrong("name", "does not go with a session");
    if (!request.media_type.empty()) return wrong("media_type", "does not go with a session");
    if (!request.metadata.empty())
        return wrong("metadata", "belongs to a document: a message of a session has none");
    if (request.role.find(':') != std::string::npos) return wrong("role", "must not hold a colon");
    return {};
}

std::string hex_of(std::string_view text) {
    return to_hex(xxh3_128(std::as_bytes(std::span(text)))).substr(0, 16);
}

}  // namespace

Result<void> check_request(const RememberRequest& request) {
    MC_TRY(check_content(request));
    const std::uint64_t bytes_max = request.session.empty() ? request.bytes_max : kAppendBytesMax;
    if (request.text.size() > bytes_max)
        return wrong("text",
                     "has more than " + std::to_string(bytes_max) + " bytes; remember it in parts" +
                         (request.session.empty() ? ", or " + std::string(kLongTexts) : ""));
    MC_TRY(check_label("name", request.name, kNameBytesMax));
    if (request.name.starts_with(session_document("")))
        return wrong("name", "must not begin with session/: give a session");
    MC_TRY(check_label("session", request.session, kLabelBytesMax));
    MC_TRY(check_label("role", request.role, kLabelBytesMax));
    MC_TRY(check_label("media_type", request.media_type, kLabelBytesMax));
    MC_TRY(check_label("idempotency_key", request.idempotency_key, kKeyBytesMax));
    if (!request.event_time.empty() && !parse_event_time(request.event_time))
        return wrong("event_time", "must be of a form like " + std::string(kEventTimeForm));
    MC_TRY(check_metadata(request));
    return check_kind(request);
}

std::string session_document(std::string_view session) {
    return "session/" + std::string(session);
}

std::string document_name(const RememberRequest& request) {
    if (!request.name.empty()) return request.name;
    std::string identity = "key " + request.idempotency_key;
    if (request.idempotency_key.empty()) {
        identity = (request.file.empty() ? "text " + request.text : "file " + request.file) + "\n" +
                   request.event_time;
        for (const auto& [key, value] : request.metadata) identity += "\n" + key + "\n" + value;
    }
    return "memory/" + hex_of(identity);
}

std::string message_line(const RememberRequest& request) {
    std::string line;
    if (!request.event_time.empty()) line += "[" + request.event_time + "] ";
    if (!request.role.empty()) line += request.role + ": ";
    line += request.text;
    if (!line.ends_with('\n')) line += '\n';
    return line;
}

MessageKeys::MessageKeys(std::string_view record) {
    std::istringstream lines{std::string(record)};
    for (Entry entry; lines >> entry.key >> entry.line >> entry.bytes.begin >> entry.bytes.end;)
        entries_.push_back(entry);
}

Result<std::optional<ByteSpan>> MessageKeys::find(std::string_view key,
                                                  std::string_view line) const {
    const auto found = std::ranges::find(entries_, hex_of(key), &Entry::key);
    if (found == entries_.end()) return std::optional<ByteSpan>();
    if (found->line != hex_of(line))
        return fail(ErrorCode::kInvalidInput,
                    "idempotency_key was given before with another message");
    return std::optional<ByteSpan>(found->bytes);
}

void MessageKeys::add(std::string_view key, std::string_view line, ByteSpan bytes) {
    if (entries_.size() >= kMessageKeysMax) entries_.erase(entries_.begin());
    entries_.push_back({hex_of(key), hex_of(line), bytes});
}

std::string MessageKeys::record() const {
    std::string record;
    for (const Entry& entry : entries_)
        record += entry.key + " " + entry.line + " " + std::to_string(entry.bytes.begin) + " " +
                  std::to_string(entry.bytes.end) + "\n";
    return record;
}

}  // namespace mc::runtime
