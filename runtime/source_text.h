// SPDX-License-Identifier: Apache-2.0
// What an ingest is given, in memory and as it was at one moment: a file, a pipe, standard input.
//
// A file is read, not mapped: one that shrinks under a mapping ends the process. One that changes
// while it is read is refused, for what was read may be the beginning of one text and the end of
// another. UTF-16 is converted; so are documents of the kinds of documents/kind.h, by a process of
// its own, and their bytes are kept. Threads: free functions; `cancelled` may be set from a signal
// handler. Errors: kInvalidInput for what is missing, unreadable, empty, binary, not UTF-8 (unless
// allow_binary), larger than the limit, changing, or a document that cannot be converted;
// kCancelled, with nothing kept; kIo where no converter can be started.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "documents/kind.h"
#include "runtime/utf16.h"
#include "tree/original.h"

namespace mc::runtime {

struct SourceLimits {
    bool allow_binary = false;  // bytes of any kind are taken as they are
    std::uint64_t size_bytes_max = 0;
    std::uint64_t conversion_seconds_max = 300;  // of the processor
    const std::atomic<bool>* cancelled = nullptr;
};

// Called after each piece that is read, with the bytes so far; may be empty.
using ReadCallback = std::function<void(std::uint64_t)>;

// Of a document's metadata: utf16_name() of what its text was converted from.
inline constexpr std::string_view kEncodingKey = "megacontext.encoding";

// Of a document's metadata, for everyone to see: what its file was. Its own media type is that of
// the text.
inline constexpr std::string_view kOriginalMediaTypeKey = "original_media_type";

struct SourceText {
    std::string text;
    std::optional<Utf16> converted_from;  // encode_utf16() gives the source's bytes back
    // What the text was made of, where the source is a document of that kind.
    std::optional<documents::Kind> kind = {};
    std::optional<Original> original = {};
};

// The whole text of a file, or of a stream that has a name (a pipe, /dev/stdin), checked.
Result<SourceText> read_source(const Path& path, const SourceLimits& limits,
                               const ReadCallback& progress = {});

// The whole text of standard input, checked.
Result<SourceText> read_standard_input(const SourceLimits& limits);

// The same of a file that came as bytes. kind: of a document; none: it is text.
Result<SourceText> source_of_bytes(std::string content, const std::string& name,
                                   std::optional<documents::Kind> kind, const SourceLimits& limits);

// What a document's metadata keeps of how its text was made.
std::map<std::string, std::string> metadata_of(const SourceText& source);

// Whether a path names a stream: what comes from it has no name of its own.
bool is_stream(const Path& path);

// Something met on the way through a folder, and why nothing is taken from it.
struct PassedOver {
    Path path;
    Error reason;
};

struct FolderListing {
    std::vector<Path> files;             // regular ones, in order of path
    std::vector<PassedOver> folders;     // that cannot be listed
    std::vector<PassedOver> dead_links;  // names that lead nowhere
};

// All that lies under a folder but hidden names; what cannot be looked at ends no walk. Links to
// folders are not followed.
FolderListing list_files(const Path& folder);

// Says why content cannot be ingested under these limits.
Result<void> check_source(std::string_view content, const std::string& name,
                          const SourceLimits& limits);

}  // namespace mc::runtime
