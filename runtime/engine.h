// SPDX-License-Identifier: Apache-2.0
// Opens what a command needs and wires it by hand: store, base model, gist encoder, clock.
//
// Two ways in: without a model (inspect, verify, read of whole documents still needs the tokenizer,
// which comes with the weight file alone) and with one (ingest, query, repl, eval). The sentence
// embedder is opened when search first asks for it. Ownership: the engine owns everything it hands
// out by reference, except the metrics, which outlive it; BankSessions must die before it.
// Threads: one. Errors: those of what it opens, with the path in front.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"
#include "gistnet/base_model_gist_encoder.h"
#include "lm/base_model.h"
#include "lm/generation/chat_prompt.h"
#include "lm/tokenizer/tokenizer.h"
#include "storage/codec/store_codec.h"
#include "storage/store.h"
#include "telemetry/metrics.h"
#include "tree/text_embedder.h"

namespace mc::lensnet {
class Lens;
}

namespace mc::runtime {

// The base model as the settings name it.
lm::ModelOptions model_options(const Config& config);

// The sentence embedder that the settings name; null where they name none or none is installed.
// Cost: reads its weights, 0.2 s.
Result<std::unique_ptr<TextEmbedder>> open_embedder(const Config& config);

enum class Need {
    kStore,      // records only: no weight file is touched
    kTokenizer,  // records and text
    kModel,      // everything
};

enum class Access {
    kRead,
    kWriteIfFree,  // an existing store; read-only while another process writes it
    kWrite,        // kLocked while another process writes it
};

class Engine {
  public:
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Access::kWrite creates the store when it is missing (needs Need::kModel) and takes the
    // writer's lock. What is done with the engine is counted in `metrics`, which may serve
    // several engines in turn. Cost: Need::kModel loads the weights, 0.5 s for the default model.
    static Result<std::unique_ptr<Engine>> open(const Config& config, Need need, Access access,
                                                telemetry::Metrics& metrics);

    const Config& config() const { return config_; }

    const Clock& clock() const { return clock_; }

    telemetry::Metrics& metrics() { return metrics_; }

    storage::Store& store() { return *store_; }

    // Requires: Need::kTokenizer or more.
    const lm::Tokenizer& tokenizer() const;

    // Requires, for both: Need::kModel.
    lm::BaseModel& model() { return *model_; }

    GistEncoder& encoder() { return *encoder_; }

    bool has_model() const { return model_ != nullptr; }

    // The base model's form of a prompt, read by the first call. Requires: as tokenizer().
    Result<const lm::ChatFormat*> chat_format();

    // open_embedder() by the first call.
    Result<TextEmbedder*> embedder();

    // LensNet's weights, read by the first call; null where the settings name none and the
    // program's own were made for another base model or sentence embedder. Errors: as parse_lens();
    // kModelMismatch for a file that was made for others, with both names.
    Result<const lensnet::Lens*> lens();

  private:
    Engine(Config config, telemetry::Metrics& metrics);

    Result<void> open_model(Need need, const std::optional<storage::StoreMeta>& existing);
    Result<void> open_store(Need need, Access access, const StoreCodec& codec,
                            const storage::StoreKey* key);

    Config config_;
    telemetry::Metrics& metrics_;
    SystemClock clock_;
    std::unique_ptr<lm::Tokenizer> bare_tokenizer_;  // Need::kTokenizer
    std::unique_ptr<lm::BaseModel> model_;           // Need::kModel
    std::unique_ptr<GistEncoder> encoder_;           // Need::kModel
    std::unique_ptr<lm::ChatFormat> chat_format_;    // null before chat_format()
    std::unique_ptr<TextEmbedder> embedder_;         // null before embedder(), and for none
    std::unique_ptr<lensnet::Lens> lens_;            // null before lens(), and where none fits
    std::unique_ptr<storage::Store> store_;
};

}  // namespace mc::runtime
