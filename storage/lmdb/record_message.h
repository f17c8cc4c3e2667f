// SPDX-License-Identifier: Apache-2.0
// A record as bytes: its checksum, then a Cap'n Proto message. For the codecs of this room alone.
//
// Threads: pure. Errors: a record that cannot be read is the sentence of what is wrong with it.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <kj/io.h>

#include <cstring>
#include <exception>

#include "storage/lmdb/record_codec.h"
#include "storage/lmdb/store.capnp.h"

namespace mc::storage {

inline constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);
// Deepest message: Document, its list of metadata, an entry, its text.
inline constexpr int kNestingMax = 6;

inline std::uint64_t hash_of(RecordPlace place) {
    std::string name(database_name(place.database));
    name.push_back('/');
    name.append(place.key);
    return xxh3_64(std::as_bytes(std::span(name)));
}

inline std::uint64_t checksum_of(RecordPlace place, RecordBytes message) {
    return xxh3_64(message) ^ hash_of(place);
}

inline RecordWords seal(RecordPlace place, capnp::MessageBuilder& message) {
    const std::size_t count = capnp::computeSerializedSizeInWords(message);
    RecordWords words(1 + count);
    kj::ArrayPtr<kj::byte> room(reinterpret_cast<kj::byte*>(&words[1]), count * sizeof words[0]);
    kj::ArrayOutputStream out(room);
    capnp::writeMessage(out, message);
    words[0] = checksum_of(place, std::as_bytes(std::span(words).subspan(1)));
    return words;
}

// The fence around capnp: checks size and checksum, aligns, and turns exceptions into sentences.
template <class Schema, class T, class Read>
Decoded<T> unseal(RecordPlace place, RecordBytes value, Read read) {
    if (value.empty()) return tl::unexpected<std::string>("it is empty, or its seal is broken");
    if (value.size() <= kChecksumBytes || value.size() % sizeof(capnp::word) != 0)
        return tl::unexpected<std::string>("impossible size of " + std::to_string(value.size()) +
                                           " bytes");
    RecordWords words(value.size() / sizeof(std::uint64_t));
    std::memcpy(words.data(), value.data(), value.size());
    if (words[0] != checksum_of(place, std::as_bytes(std::span(words).subspan(1))))
        return tl::unexpected<std::string>("wrong checksum");
    try {
        const kj::ArrayPtr<const capnp::word> message(
            reinterpret_cast<const capnp::word*>(&words[1]), words.size() - 1);
        capnp::ReaderOptions options;
        // Every word is read about once; a message that points to the same words again and again
        // is refused.
        options.traversalLimitInWords = 2 * words.size() + 64;
        options.nestingLimit = kNestingMax;
        capnp::FlatArrayMessageReader reader(message, options);
        return read(reader.getRoot<Schema>());
    } catch (const kj::Exception& exception) {
        return tl::unexpected<std::string>(std::string("malformed message: ") +
                                           exception.getDescription().cStr());
    } catch (const std::exception& exception) {
        return tl::unexpected<std::string>(std::string("malformed message: ") + exception.what());
    }
}

}  // namespace mc::storage
