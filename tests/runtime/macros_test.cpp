// SPDX-License-Identifier: Apache-2.0
// Macros of a bank on a tiny model: made once, refused where they do not fit.
#include "runtime/macros.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/tiny_model.h"

namespace mc::runtime {
namespace {

class BankMacrosTest : public testing::Test {
  protected:
    BankMacrosTest()
        : folder_(Path(testing::TempDir()) / ("macros-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        config_.model = folder_ / "tiny.gguf";
        lm::test::TinyShape shape;
        shape.context_length = 1024;
        const std::string bytes = lm::test::tiny_model_bytes(shape);
        EXPECT_TRUE(replace_file(config_.model, std::as_bytes(std::span(bytes))));
        config_.store = folder_ / "store";
        config_.dtype = "f32";
        config_.thread_count = 1;
        config_.encoder = "kv-last";
        config_.codec = "fp16";
        config_.codebook = "auto";
        config_.embedder = "none";
        auto engine = Engine::open(config_, Need::kModel, Access::kWrite, metrics_);
        MC_CHECK(engine.has_value(), engine.error().to_string());
        engine_ = std::move(*engine);
        EXPECT_TRUE(engine_->store().create_bank("default"));
        settings_.entries = 2;
        settings_.steps = 1;
        settings_.lessons = 4;
    }

    ~BankMacrosTest() override {
        engine_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    Result<MadeMacro> create(const std::string& name, std::string_view text) {
        return create_macro(*engine_, "default", name, text, settings_);
    }

    void expect_refused(const Result<MadeMacro>& made, ErrorCode code, std::string_view part) {
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), code);
        EXPECT_NE(made.error().message().find(part), std::string::npos) << made.error().message();
    }

    Path folder_;
    Config config_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Engine> engine_;
    MacroSettings settings_;
};

constexpr std::string_view kInstruction = "Say where the lantern is, and say it twice.";

TEST_F(BankMacrosTest, AreMadeOnce) {
    const auto made = create("brief", kInstruction);
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->outcome, MacroOutcome::kMade);
    EXPECT_EQ(made->macro.text, kInstruction);
    EXPECT_EQ(made->macro.gists.size(), 2U);
    EXPECT_EQ(made->macro.token_count, engine_->tokenizer().encode(kInstruction).size());
    const auto again = create("brief", "\n" + std::string(kInstruction) + " \n");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->outcome, MacroOutcome::kAlreadyThere);
    const auto twin = create("twin", kInstruction);
    ASSERT_TRUE(twin);
    EXPECT_EQ(twin->outcome, MacroOutcome::kSameGists);
    EXPECT_EQ(twin->macro.gists[1].kv, made->macro.gists[1].kv);
    settings_.seed = 2;
    const auto other = create("other", kInstruction);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->outcome, MacroOutcome::kMade);
    EXPECT_NE(other->macro.gists[1].kv, made->macro.gists[1].kv);
    EXPECT_EQ(engine_->store().list_macros("default")->size(), 3U);
}

TEST_F(BankMacrosTest, EqualSettingsMakeEqualGists) {
    const auto made = create("brief", kInstruction);
    ASSERT_TRUE(made);
    ASSERT_TRUE(engine_->store().create_bank("second"));
    const auto again = create_macro(*engine_, "second", "brief", kInstruction, settings_);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->outcome, MacroOutcome::kMade);
    EXPECT_EQ(again->macro.recipe_hash, made->macro.recipe_hash);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(again->macro.gists[i].kv, made->macro.gists[i].kv);
    EXPECT_EQ(again->macro.nll_gists, made->macro.nll_gists);
}

TEST_F(BankMacrosTest, WhatCannotBeOneIsRefusedAndNothingIsKept) {
    ASSERT_TRUE(create("brief", kInstruction));
    expect_refused(create("brief", "Another text."), ErrorCode::kInvalidInput, "another text");
    settings_.steps = 2;
    expect_refused(create("brief", kInstruction), ErrorCode::kInvalidInput, "other settings");
    expect_refused(create("empty", " \n\t"), ErrorCode::kInvalidInput, "empty");
    std::string long_text;
    while (engine_->tokenizer().encode(long_text).size() <= gistnet::kInstructionTokensMax)
        long_text += "lantern ";
    expect_refused(create("long", long_text), ErrorCode::kInvalidInput, "at most 512");
    expect_refused(create("a b", kInstruction), ErrorCode::kInvalidInput, "A-Z a-z 0-9");
    settings_.entries = kMacroEntriesMax + 1;
    expect_refused(create("many", kInstruction), ErrorCode::kUsage, "1 to 8");
    settings_.entries = 1;
    const std::atomic<bool> interrupted = true;
    settings_.cancelled = &interrupted;
    expect_refused(create("stopped", kInstruction), ErrorCode::kCancelled, "interrupted");
    EXPECT_EQ(engine_->store().list_macros("default")->size(), 1U);
}

TEST_F(BankMacrosTest, OneOfAnotherBaseModelIsRefusedWithBothHashes) {
    ASSERT_TRUE(create("brief", kInstruction));
    EXPECT_TRUE(open_macro(*engine_, "default", "brief"));
    storage::MacroRecord foreign = *engine_->store().read_macro("default", "brief");
    foreign.name = "foreign";
    foreign.base_model_name = "another";
    foreign.base_model_hash = {1, 2};
    ASSERT_TRUE(engine_->store().add_macro("default", foreign));
    const auto opened = open_macro(*engine_, "default", "foreign");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kModelMismatch);
    for (const std::string& named : {to_hex({1, 2}), to_hex(engine_->model().hash())})
        EXPECT_NE(opened.error().message().find(named), std::string::npos);
    const auto unknown = open_macro(*engine_, "default", "nobody");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::runtime
