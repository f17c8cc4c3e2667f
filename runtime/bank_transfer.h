// SPDX-License-Identifier: Apache-2.0
// A bank out of the store into one file, and back into any store (storage/portable/bank_file.h).
//
// Import takes the file's gists as they are where the store's are of the same base model, encoder,
// codec and codebook, or where it makes the store; else it makes them anew, which the report says.
// The file is read through and checked before anything is written. Documents go in one by one, each
// in one transaction, so a killed import leaves whole ones and the same call goes on with the rest.
// Ownership: import opens the store of the settings for itself. Threads: one; `cancelled` may be
// set from a signal handler. Errors: those of bank_file.h; kInvalidInput for a document whose name
// has other content in the bank, with nothing imported; kModelMismatch; kCancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"
#include "runtime/bank_session.h"
#include "storage/portable/bank_file_writer.h"

namespace mc::runtime {

// What tokens spell; an id that the tokenizer does not have is kCorruption. Borrows the tokenizer.
storage::TextOf text_by(const lm::Tokenizer& tokenizer);

struct TransferProgress {
    std::string_view stage;  // "check", "import", "index"
    std::uint64_t tokens = 0;
    double share_done = 0;
};

struct ImportOptions {
    // Opens an encrypted file; nullopt: what opens the store does.
    std::optional<storage::StoreKey> file_key;
    const std::atomic<bool>* cancelled = nullptr;
    std::function<void(const TransferProgress&)> progress;  // may be empty
    // Of each document of the file, in order; may be empty.
    std::function<void(const DocumentRecord& document, bool was_there)> on_document;
};

struct ImportReport {
    std::string from_bank;    // what the bank was called that the file holds
    std::string why_encoded;  // empty: the gists are those of the file
    std::uint64_t imported = 0;
    std::uint64_t already_there = 0;
    std::uint64_t tokens = 0;  // of those imported
    std::uint64_t bytes = 0;
    std::uint64_t tombstones = 0;
};

// Into the bank of the settings; it and the store are made when they are missing. Requires: no
// engine is open on the store in this process. Cost: the file is read twice; without fitting gists
// as an ingest of all its text.
Result<ImportReport> import_bank(const Config& config, const Path& path,
                                 telemetry::Metrics& metrics, const ImportOptions& options);

}  // namespace mc::runtime
