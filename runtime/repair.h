// SPDX-License-Identifier: Apache-2.0
// Every whole document of a damaged store into another one, and the names of what is lost.
//
// The damaged store is only read, and LMDB never opens it (storage/salvage). Documents go into the
// other store one by one, each in one transaction, under their bank, name, times and metadata; what
// is there with the same content is left as it is, so the same call goes on after a kill. Gists
// that are sound are taken as they are, others are made anew, which needs the base model.
// Ownership: opens both stores for itself. Threads: one; `cancelled` may be set from a signal
// handler. Errors: kUsage for one folder given twice; kModelMismatch for another tokenizer than the
// store's; kCorruption where nothing can be saved; those of writing the other store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "storage/salvage/salvaged_store.h"
#include "telemetry/metrics.h"

namespace mc::runtime {

struct RepairOptions {
    const std::atomic<bool>* cancelled = nullptr;
    // Documents; may be empty.
    std::function<void(std::size_t done, std::size_t total)> progress;
};

struct SavedDocument {
    DocumentRecord record;  // as it stands in the other store
    std::string bank;
    DocumentId old_id;
    bool is_nameless = false;       // its record is lost, and its name made up
    bool original_is_lost = false;  // what it was converted from
    bool encoded_anew = false;
};

struct LostDocument {
    std::string bank;
    DocumentId id;            // in the damaged store
    std::string source_name;  // "recovered/d7" where its record is lost
    std::uint64_t byte_count = 0;
    std::string reason;
    std::vector<storage::LostSpan> spans;  // empty where the whole is in doubt
};

struct RepairReport {
    storage::ScanSummary scan;
    std::vector<SavedDocument> saved;
    std::vector<LostDocument> lost;
    std::string why_encoded;  // empty where gists could be taken as they are
};

// From the store of the settings into the folder `into`.
Result<RepairReport> repair_store(const Config& config, const Path& into,
                                  telemetry::Metrics& metrics, const RepairOptions& options);

}  // namespace mc::runtime
