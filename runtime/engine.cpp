// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "embedder/sentence_embedder.h"
#include "lensnet/lens_file.h"
#include "lensnet/shipped_lens.h"
#include "runtime/store_key.h"
#include "storage/codec/codebook_file.h"

namespace mc::runtime {
namespace {

// The encoder that a store's own says: "kv-last (untrained)" begins with the pooling that made it.
// Trained weights may lie in a file that only the configuration names.
std::string pooling_of(const std::string& encoder_name, const std::string& configured) {
    const std::string first = encoder_name.substr(0, encoder_name.find(' '));
    return first == "gistnet" && gistnet::is_weights_file(configured) ? configured : first;
}

// The codebook of an existing store's gists, none where it has none. Documents can be read without
// it, so a store that another version of the program made, with another codebook of its own, is
// only refused where its gists are wanted: `reindex` still takes it.
Result<std::optional<storage::GistCodebook>> codebook_of(const storage::StoreMeta& store,
                                                         const std::string& setting, Need need) {
    if (!store.codebook_hash) return std::optional<storage::GistCodebook>();
    MC_ASSIGN(auto codebook, load_codebook(setting));
    if (setting == kOwnCodebook && need != Need::kModel && codebook.hash != *store.codebook_hash)
        return std::optional<storage::GistCodebook>();
    return codebook;
}

// Whether a store that cannot be opened for writing may still be read: another process writes it,
// the medium is read-only, the folder somebody else's, the disk full.
bool is_no_hindrance(ErrorCode code) {
    return code == ErrorCode::kLocked || code == ErrorCode::kIo ||
           code == ErrorCode::kInvalidInput || code == ErrorCode::kOutOfSpace;
}

Result<void> check_model_is_there(const Path& model) {
    std::error_code ignored;
    if (std::filesystem::exists(model, ignored)) return {};
    return fail(ErrorCode::kInvalidInput,
                "no base model at " + model.string() +
                    "; get the default one with scripts/setup or megacontext model fetch, or name "
                    "another with --model or MEGACONTEXT_MODEL");
}

}  // namespace

lm::ModelOptions model_options(const Config& config) {
    lm::ModelOptions options;
    options.path = config.model;
    options.device = config.device == "cuda" ? lm::Device::kCuda : lm::Device::kCpu;
    options.dtype = config.dtype == "f32"    ? lm::Dtype::kF32
                    : config.dtype == "bf16" ? lm::Dtype::kBf16
                                             : lm::Dtype::kAuto;
    options.thread_count = static_cast<int>(config.thread_count);
    return options;
}

Result<std::unique_ptr<TextEmbedder>> open_embedder(const Config& config) {
    return embedder::open_configured_embedder(config, process_environment());
}

Engine::Engine(Config config, telemetry::Metrics& metrics)
    : config_(std::move(config)), metrics_(metrics) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const Config& config, Need need, Access access,
                                             telemetry::Metrics& metrics) {
    std::unique_ptr<Engine> engine(new Engine(config, metrics));
    // Before the weights are loaded: a wrong --store is found at once, and an existing store says
    // which encoder made it.
    std::optional<storage::StoreMeta> existing;
    MC_ASSIGN(const auto key, store_key_of(config));
    if (store_exists(config.store)) {
        storage::StoreOptions options;
        options.directory = config.store;
        options.clock = &engine->clock_;
        options.key = pointer_to(key);
        MC_ASSIGN(const auto store, storage::Store::open(options));
        existing = store->meta();
    } else if (access != Access::kWrite || need != Need::kModel) {
        return fail(ErrorCode::kInvalidInput, "no store at " + config.store.string() +
                                                  "; make one with: megacontext --store " +
                                                  config.store.string() + " ingest FILE");
    }
    StoreCodec codec;
    if (existing) {
        MC_ASSIGN(codec.codebook, codebook_of(*existing, config.codebook, need));
    }
    MC_TRY(engine->open_model(need, existing));
    if (!existing) {
        MC_ASSIGN(codec, choose_codec(config, engine->encoder_->info()));
    }
    MC_TRY(engine->open_store(need, access, codec, pointer_to(key)));
    return engine;
}

Result<void> Engine::open_model(Need need, const std::optional<storage::StoreMeta>& existing) {
    if (need == Need::kStore) return {};
    MC_TRY(check_model_is_there(config_.model));
    if (need == Need::kTokenizer) {
        MC_ASSIGN(bare_tokenizer_, lm::Tokenizer::open(config_.model));
        if (existing && existing->identity.tokenizer_hash != bare_tokenizer_->hash())
            return fail(ErrorCode::kModelMismatch,
                        "the store at " + config_.store.string() + " holds tokens of " +
                            existing->identity.base_model_name + ", not of " +
                            config_.model.string() +
                            "; pass --model with the file it was made with");
        return {};
    }
    MC_ASSIGN(model_, lm::BaseModel::open(model_options(config_)));
    gistnet::GistEncoderOptions options;
    options.index = "none";  // passages are what is searched
    if (!existing) {
        options.pooling = config_.encoder;
    } else if (existing->identity.base_model_hash == model_->hash()) {
        options.pooling = pooling_of(existing->identity.encoder.name, config_.encoder);
        // A store from before passages goes on with the vectors that its gists have.
        const EncoderInfo& encoder = existing->identity.encoder;
        if (encoder.shape.index_dim > 0)
            options.index = gistnet::has_trained_index(encoder.name) ? "auto" : "mean";
    }
    // Else any encoder will do: the store refuses the model, in open_store().
    MC_ASSIGN(encoder_, gistnet::make_gist_encoder(*model_, options));
    return {};
}

Result<void> Engine::open_store(Need need, Access access, const StoreCodec& codec,
                                const storage::StoreKey* key) {
    storage::StoreOptions options;
    options.directory = config_.store;
    options.clock = &clock_;
    options.key = key;
    if (need == Need::kModel) {
        options.identity = storage::StoreIdentity{model_->config().name, model_->hash(),
                                                  model_->tokenizer().hash(), encoder_->info()};
    }
    options.codec_at_creation = codec.codec;
    options.codebook = codec.codebook ? &*codec.codebook : nullptr;
    options.mode = access == Access::kRead ? storage::StoreMode::kRead
                   : need == Need::kModel  ? storage::StoreMode::kWriteOrCreate
                                           : storage::StoreMode::kWrite;
    auto store = storage::Store::open(options);
    if (!store && access == Access::kWriteIfFree && is_no_hindrance(store.error().code())) {
        options.mode = storage::StoreMode::kRead;
        store = storage::Store::open(options);
    }
    if (!store) return fail(std::move(store.error()));
    store_ = std::move(*store);
    return {};
}

Result<const lm::ChatFormat*> Engine::chat_format() {
    if (!chat_format_) {
        MC_ASSIGN(chat_format_, lm::ChatFormat::make(tokenizer()));
    }
    return chat_format_.get();
}

Result<TextEmbedder*> Engine::embedder() {
    if (!embedder_) {
        MC_ASSIGN(embedder_, open_embedder(config_));
    }
    return embedder_.get();
}

Result<const lensnet::Lens*> Engine::lens() {
    if (lens_) return lens_.get();
    MC_CHECK(has_model(), "a lens belongs to a model");
    MC_ASSIGN(TextEmbedder* const sentences, embedder());
    const std::string embedder_hash = sentences ? to_hex(sentences->info().hash) : "";
    const bool own = config_.lens == "auto";
    std::unique_ptr<lm::SafetensorsFile> file;
    if (own) {
        MC_ASSIGN(file, lm::SafetensorsFile::parse(lensnet::shipped_lens(), "the program's lens"));
    } else {
        MC_ASSIGN(file, lm::SafetensorsFile::open(config_.lens));
    }
    MC_ASSIGN(lensnet::Lens lens, lensnet::parse_lens(*file));
    const lensnet::LensFacts& facts = lens.facts();
    if (facts.base_model_hash == to_hex(model_->hash()) && facts.embedder_hash == embedder_hash) {
        lens_ = std::make_unique<lensnet::Lens>(std::move(lens));
        return lens_.get();
    }
    if (own) return static_cast<const lensnet::Lens*>(nullptr);
    return fail(ErrorCode::kModelMismatch,
                file->name() + ": made for base model " + facts.base_model_name + " (" +
                    facts.base_model_hash + ") and sentence vectors " + facts.embedder_hash +
                    ", not for " + model_->config().name + " (" + to_hex(model_->hash()) +
                    ") and " + (sentences ? embedder_hash : "none") +
                    "; train one with: megacontext train lensnet");
}

const lm::Tokenizer& Engine::tokenizer() const {
    MC_CHECK(model_ || bare_tokenizer_, "opened without a tokenizer");
    return model_ ? model_->tokenizer() : *bare_tokenizer_;
}

}  // namespace mc::runtime
