// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/answers.h"

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
    EngineStore(std::unique_ptr<runtime::Engine> engine, const std::atomic<bool>* cancelled)
        : engine_(std::move(engine)), reader_(engine_->model()), cancelled_(cancelled) {}

    Reader& reader() override { return reader_; }

    Result<std::unique_ptr<Memory>> open(std::size_t number, const MemoryText& text) override {
        MC_ASSIGN(auto memory,
                  BankMemory::open(*engine_, "memory-" + std::to_string(number), text, cancelled_));
        return std::unique_ptr<Memory>(std::move(memory));
    }

  private:
    std::unique_ptr<runtime::Engine> engine_;
    BaseModelReader reader_;
    const std::atomic<bool>* cancelled_;
};

class EngineProgram final : public AnswerProgram {
  public:
    EngineProgram(const Config& config, telemetry::Metrics& metrics, Path stores,
                  const lm::BaseModel& model, const std::atomic<bool>* cancelled)
        : config_(config),
          metrics_(metrics),
          stores_(std::move(stores)),
          model_(model),
          reader_(model),
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
            std::make_unique<EngineStore>(std::move(engine), cancelled_));
    }

  private:
    Config config_;
    telemetry::Metrics& metrics_;
    Path stores_;
    const lm::BaseModel& model_;
    BaseModelReader reader_;
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
    EngineProgram program(config, metrics, options.output / "stores", *model, cancelled);
    return run_answers(program, scorer->facts(), options, progress, cancelled);
}

}  // namespace mc::eval
