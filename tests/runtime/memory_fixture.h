// SPDX-License-Identifier: Apache-2.0
// An agent's memory on a tiny model and a store on disk, without an embedder.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "runtime/memory.h"
#include "tests/support/tiny_model.h"

namespace mc::runtime::test {

class MemoryFixture : public testing::Test {
  protected:
    MemoryFixture() : folder_(Path(testing::TempDir()) / ("memory-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        config_.model = folder_ / "tiny.gguf";
        lm::test::TinyShape shape;
        shape.context_length = 1024;
        const std::string bytes = lm::test::tiny_model_bytes(shape);
        EXPECT_TRUE(replace_file(config_.model, std::as_bytes(std::span(bytes))));
        config_.store = folder_ / "store";
        config_.bank = "default";
        config_.dtype = "f32";
        config_.thread_count = 1;
        config_.budget_entries = 512;
        config_.policy = "passages";
        config_.encoder = "kv-last";
        config_.codec = "fp16";
        config_.codebook = "auto";
        config_.embedder = "none";
        reopen();
    }

    ~MemoryFixture() override {
        memory_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void reopen() {
        memory_.reset();
        auto memory = Memory::open(config_, metrics_);
        ASSERT_TRUE(memory) << memory.error().to_string();
        memory_ = std::move(*memory);
    }

    Remembered keep(const RememberRequest& request) {
        auto kept = memory_->remember(request);
        EXPECT_TRUE(kept) << kept.error().to_string();
        return kept ? *kept : Remembered();
    }

    Remembered say(const std::string& session, const std::string& role, const std::string& text,
                   const std::string& key = "") {
        RememberRequest request;
        request.session = session;
        request.role = role;
        request.text = text;
        request.idempotency_key = key;
        return keep(request);
    }

    std::string refusal(const RememberRequest& request) {
        const auto kept = memory_->remember(request);
        EXPECT_FALSE(kept);
        if (kept) return "";
        EXPECT_EQ(kept.error().code(), ErrorCode::kInvalidInput);
        return kept.error().to_string();
    }

    // The text of the best passage.
    std::string best(const std::string& question, const std::string& session = "") {
        RecallRequest request;
        request.question = question;
        request.filter.session = session;
        const auto found = memory_->recall(request);
        EXPECT_TRUE(found) << found.error().to_string();
        return found && !found->report.evidence.empty() ? found->report.evidence[0].text : "";
    }

    std::string whole(const std::string& document) {
        const auto read = memory_->read({"", document, {}, {}});
        EXPECT_TRUE(read) << read.error().to_string();
        return read ? read->text : "";
    }

    Path folder_;
    Config config_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace mc::runtime::test
