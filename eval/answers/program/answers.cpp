// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/answers.h"

#include <algorithm>
#include <utility>

#include "eval/answers/program/bank_memory.h"
#include "eval/answers/program/base_model_reader.h"
#include "eval/answers/program/sentence_sources.h"
#include "eval/base_model/base_model_scorer.h"
#include "runtime/engine.h"
#include "runtime/focus_session.h"
#include "working_context/policies.h"

namespace mc::eval {
namespace {

class EngineStore final : public MemoryStore {
  public:
    EngineStore(std::unique_ptr<runtime::Engine> engine, bool with_gists,
                const std::atomic<bool>* cancelled)
        : engine_(std::move(engine)),
          reader_(engine_->model()),
          with_gists_(with_gists),
          cancelled_(cancelled) {}

    Reader& reader() override { return reader_; }

    Result<std::unique_ptr<Memory>> open(std::size_t number, const MemoryText& text) override {
        MC_ASSIGN(auto memory, BankMemory::open(*engine_, "memory-" + std::to_string(number), text,
                                                with_gists_, cancelled_));
        return std::unique_ptr<Memory>(std::move(memory));
    }

  private:
    std::unique_ptr<runtime::Engine> engine_;
    BaseModelReader reader_;
    const bool with_gists_;
    const std::atomic<bool>* cancelled_;
};

// Whether any row shows gists, or chooses by them.
bool reads_gists(const RowChoice& choice) {
    const auto has = [&](const char* row) {
        return std::ranges::find(choice.rows, row) != choice.rows.end();
    };
    const auto is_passages = [](const std::string& policy) { return policy == "passages"; };
    const auto is_none = [](std::uint64_t gists) { return gists == 0; };
    return has("gists") || (has("window") && !(std::ranges::all_of(choice.policies, is_passages) &&
                                               std::ranges::all_of(choice.backgrounds, is_none)));
}

class EngineProgram final : public AnswerProgram {
  public:
    EngineProgram(const Config& config, telemetry::Metrics& metrics, Path stores,
                  const lm::BaseModel& model, bool with_gists, const std::atomic<bool>* cancelled)
        : config_(config),
          metrics_(metrics),
          stores_(std::move(stores)),
          model_(model),
          reader_(model),
          with_gists_(with_gists),
          cancelled_(cancelled) {}

    const lm::Tokenizer& tokenizer() const override { return model_.tokenizer(); }

    std::span<const std::string_view> sources() const override { return sentence_source_names(); }

    Reader& reader() override { return reader_; }

    Result<std::unique_ptr<MemoryStore>> open_store(const std::string& cell) override {
        Config config = config_;
        config.store = stores_ / cell;
        MC_ASSIGN(auto engine, runtime::Engine::open(config, runtime::Need::kModel,
                                                     runtime::Access::kWrite, metrics_));
        return std::unique_ptr<MemoryStore>(
            std::make_unique<EngineStore>(std::move(engine), with_gists_, cancelled_));
    }

  private:
    Config config_;
    telemetry::Metrics& metrics_;
    Path stores_;
    const lm::BaseModel& model_;
    BaseModelReader reader_;
    const bool with_gists_;
    const std::atomic<bool>* cancelled_;
};

}  // namespace

Result<SuiteReport> run_answers(const Config& config, telemetry::Metrics& metrics,
                                const AnswersOptions& options,
                                const AnswersProgressCallback& progress,
                                const std::atomic<bool>* cancelled) {
    for (const std::string& policy : options.rows.policies)
        if (!runtime::makes_answering_form(policy)) MC_TRY(make_policy(policy));
    MC_ASSIGN(const auto model, lm::BaseModel::open(runtime::model_options(config)));
    MC_ASSIGN(const auto scorer, BaseModelScorer::make(*model, {config.encoder}));
    EngineProgram program(config, metrics, options.output / "stores", *model,
                          reads_gists(options.rows), cancelled);
    return run_answers(program, scorer->facts(), options, progress, cancelled);
}

}  // namespace mc::eval
