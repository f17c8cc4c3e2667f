// SPDX-License-Identifier: Apache-2.0
// Reads and encodes one document for stores elsewhere: the costly half of an ingest.
//
// A document becomes an exported bank that holds it alone, with its gists (storage/portable): what
// an ingest of the same bytes under the same settings would store. It is made in a store of its
// own, in a folder for temporary files, which goes with the maker. Ownership: the maker owns its
// engine. Threads: one; `cancelled` may be set from a signal handler. Errors: those of
// source_text.h and ingest.h, of a document that cannot be taken (kInvalidInput); kCancelled; the
// store's.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "telemetry/metrics.h"

namespace mc::runtime {

class Engine;

struct BatchSource {
    std::string name;        // of the document in its bank
    std::string media_type;  // of its text
    std::string content;     // a file's bytes
};

struct MadeBatch {
    std::string bytes;  // an exported bank
    std::uint64_t tokens = 0;
    std::uint64_t gists = 0;
};

class BatchMaker {
  public:
    // With the settings' models, encoder and codec; their store is not looked at. Cost: loads the
    // weights.
    static Result<std::unique_ptr<BatchMaker>> open(const Config& config,
                                                    telemetry::Metrics& metrics,
                                                    const std::atomic<bool>* cancelled);
    ~BatchMaker();
    BatchMaker(const BatchMaker&) = delete;
    BatchMaker& operator=(const BatchMaker&) = delete;

    Result<MadeBatch> make(BatchSource source);

  private:
    BatchMaker(Path folder, const std::atomic<bool>* cancelled)
        : folder_(std::move(folder)), cancelled_(cancelled) {}

    const Path folder_;
    const std::atomic<bool>* cancelled_;
    std::unique_ptr<Engine> engine_;
    std::uint64_t made_ = 0;
};

}  // namespace mc::runtime
