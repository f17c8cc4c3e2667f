// SPDX-License-Identifier: Apache-2.0
// A bank into one file that can be carried elsewhere (docs/storage-format.md).
//
// The bank is written as it is at one commit, whatever a writer does meanwhile. The file is made
// beside its place as FILE.new, synced and renamed, its owner's alone: a kill leaves the file that
// was there, or the whole new one. Memory does not grow with the bank.
// Threads: one. Errors, with what was at the place still there: kInvalidInput for a place where no
// file can be; kOutOfSpace, kIo; kCorruption of the store; kCancelled.
#pragma once

#include <atomic>
#include <functional>

#include "core/files.h"
#include "core/result.h"
#include "storage/portable/bank_file.h"
#include "storage/store.h"

namespace mc::storage {

struct ExportOptions {
    bool with_gists = false;
    const StoreKey* key = nullptr;  // encrypts the file; null: it is not encrypted
    TextOf text_of;
    // Tokens written so far; may be empty.
    std::function<void(std::uint64_t tokens)> progress;
    const std::atomic<bool>* cancelled = nullptr;
};

struct ExportReport {
    BankFileTotals totals;
    std::uint64_t file_bytes = 0;
};

// "-" writes to standard output, which is not synced. Requires: nodes are a bank of this store.
Result<ExportReport> export_bank(const Store& store, const NodeStore& nodes, const Path& path,
                                 const ExportOptions& options);

}  // namespace mc::storage
