// SPDX-License-Identifier: Apache-2.0
// A memory as Python holds it: the verbs of serve/protocol on an engine thread of its own.
//
// Requests and results are the JSON that MCP and HTTP have, checked against the same schemas, so
// that Python can take nothing that they refuse and say nothing else. Ownership: owns engine, banks
// and metrics. Threads: safe from many; one call is done at a time. Errors: those of
// serve::call_checked(), runtime::Memory and EngineThread; kUsage after close().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bindings/python/engine_thread.h"
#include "bindings/python/settings.h"
#include "runtime/memory.h"
#include "serve/memory_adapter.h"
#include "telemetry/metrics.h"

namespace mc::python {

class MemoryHandle {
  public:
    static Result<std::unique_ptr<MemoryHandle>> open(const SettingTexts& settings);
    ~MemoryHandle();
    MemoryHandle(const MemoryHandle&) = delete;
    MemoryHandle& operator=(const MemoryHandle&) = delete;

    // arguments: a JSON object. Requires: verb is one of serve::kVerbs by name.
    Result<std::string> call(const std::string& verb, const std::string& arguments);

    // The newest documents of a bank (empty: the configured one), newest first, as a JSON array.
    Result<std::string> documents(const std::string& bank, std::size_t count);

    // Ends the engine and lets go of the store; a second time nothing.
    Result<void> close();

    const Config& config() const { return config_; }

    bool is_of_this_process() const { return thread_.is_of_this_process(); }

  private:
    // Gists that documents wait for, while nobody asks.
    class GistMaking final : public serve::EngineQueue::Background {
      public:
        explicit GistMaking(MemoryHandle& handle) : handle_(handle) {}

        bool step() override { return false; }

        bool idle_step() override {
            return handle_.memory_ != nullptr && handle_.memory_->make_some_gists();
        }

      private:
        MemoryHandle& handle_;
    };

    explicit MemoryHandle(Config config) : config_(std::move(config)) {}

    Result<std::string> remember_document(const serve::Json& request);

    Config config_;
    telemetry::Metrics metrics_;
    // Both of the engine thread alone; null after close().
    std::unique_ptr<runtime::Memory> memory_;
    std::unique_ptr<serve::MemoryAdapter> adapter_;
    GistMaking gist_making_{*this};
    EngineThread thread_{&gist_making_};
};

}  // namespace mc::python
