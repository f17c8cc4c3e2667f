// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/training_setup.h"

#include <algorithm>

#include "core/span_math.h"
#include "lm/torch/torch_model.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {
namespace {

constexpr std::uint32_t kLevel1Blocks = 32;
constexpr std::uint32_t kLevel2Blocks = 64;
constexpr std::uint64_t kDocumentBytesMax = 1ULL << 30;

// What cases a step has, as part of a run's identity.
constexpr const char* kRecipe = "neutral cases and bank";

// Matching steps where nothing else is said: more of them than this gained nothing.
constexpr std::uint64_t kMatchingSteps = 80;
constexpr std::uint64_t kMatchingShareOf = 10;

}  // namespace

Result<Documents> read_documents(const lm::BaseModel& model, const std::vector<Path>& paths) {
    Documents out;
    for (const Path& path : paths) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        out.text.push_back(model.tokenizer().encode(content));
        out.hashes.push_back(xxh3_128(std::as_bytes(std::span(content))));
        out.names.push_back(path.filename().string());
    }
    return out;
}

Result<void> check_disjoint(const Documents& training, const Documents& evaluation) {
    for (std::size_t i = 0; i < evaluation.hashes.size(); ++i)
        for (std::size_t j = 0; j < training.hashes.size(); ++j)
            if (evaluation.hashes[i] == training.hashes[j])
                return fail(ErrorCode::kInvalidInput,
                            evaluation.names[i] + ": is among the training documents too");
    return {};
}

std::string identity_of(const lm::BaseModel& model, const TrainOptions& options,
                        const CaseOptions& cases, const Documents& training,
                        const std::string& built_on) {
    std::string out =
        "model " + to_hex(model.hash()) + " on " + model.device_description() + "\nlevel " +
        std::to_string(cases.level) + " seed " + std::to_string(cases.seed) + " blocks " +
        std::to_string(cases.context_blocks) + " horizon " + std::to_string(cases.horizon_tokens) +
        " chunks " + std::to_string(cases.chunks_per_step) + " cases " +
        std::to_string(cases.cases_per_step) + " queries " +
        std::to_string(options.pooling_queries) + " matching " +
        std::to_string(cases.matching_steps) + " level1 and start " + built_on + " recipe " +
        kRecipe;
    if (options.steps > 0) out += " steps " + std::to_string(options.steps);
    for (const Hash128& hash : training.hashes) out += "\n" + to_hex(hash);
    return out;
}

Result<std::string> hashes_of(const TrainOptions& options) {
    std::string out;
    for (const Path& path : {options.level1_weights, options.start_weights}) {
        if (path.empty()) {
            out += " none";
            continue;
        }
        MC_ASSIGN(const auto file, MappedFile::open(path));
        out += " " + to_hex(xxh3_128(file->bytes()));
    }
    return out;
}

std::uint64_t matching_steps(const TrainOptions& options) {
    if (options.matching_steps) return *options.matching_steps;
    if (!options.start_weights.empty()) return 0;
    if (options.steps == 0) return kMatchingSteps;
    return std::min(kMatchingSteps, options.steps / kMatchingShareOf);
}

CaseOptions case_options(const TrainOptions& options) {
    CaseOptions out;
    out.level = options.level;
    out.context_blocks = options.context_blocks;
    if (out.context_blocks == 0)
        out.context_blocks = out.level == 1 ? kLevel1Blocks : kLevel2Blocks;
    out.chunks_per_step = options.chunks_per_step;
    out.cases_per_step = options.cases_per_step;
    out.matching_steps = matching_steps(options);
    out.seed = options.seed;
    out.continues = !options.start_weights.empty();
    return out;
}

Result<void> check_options(const lm::BaseModel& model, const TrainOptions& options,
                           const CaseOptions& cases) {
    if (options.level != 1 && options.level != 2)
        return fail(ErrorCode::kUsage, "level must be 1 or 2; level 2 serves every level above it");
    if (options.level == 2 && options.level1_weights.empty())
        return fail(ErrorCode::kUsage, "level 2 needs the weights of level 1");
    if (options.level == 2 && cases.context_blocks % kBlockSize != 0)
        return fail(ErrorCode::kUsage, "level 2 needs a multiple of 32 blocks");
    if (cases.chunks_per_step == 0 || cases.cases_per_step == 0 || options.pooling_queries == 0)
        return fail(ErrorCode::kUsage, "chunks, cases and pooling queries must be 1 or more");
    if (longest_chunk(cases) + 1 > model.config().context_length)
        return fail(ErrorCode::kUsage, "a training text of " +
                                           std::to_string(longest_chunk(cases)) +
                                           " tokens does not fit the model's context of " +
                                           std::to_string(model.config().context_length));
    return lm::TrainingPass::check_support(model.torch_model());
}

Result<GistNetWeights> first_levels(const lm::BaseModel& model, const TrainOptions& options) {
    GistNetWeights first;
    std::vector<LevelParameters>& levels = first.levels;
    if (options.level == 2) {
        MC_ASSIGN(first, load_gistnet(options.level1_weights, model));
        levels.erase(levels.begin() + 1, levels.end());
    }
    if (options.start_weights.empty()) {
        MC_ASSIGN(LevelParameters fresh, lm::torch_guard([&] {
                      return initial_parameters(model.config().gist_shape(),
                                                options.pooling_queries, options.seed);
                  }));
        levels.push_back(std::move(fresh));
    } else {
        MC_ASSIGN(GistNetWeights start, load_gistnet(options.start_weights, model));
        if (start.levels.size() < static_cast<std::size_t>(options.level))
            return fail(ErrorCode::kUsage, options.start_weights.string() + ": has no level " +
                                               std::to_string(options.level) + " to start from");
        levels.push_back(std::move(start.levels[static_cast<std::size_t>(options.level - 1)]));
    }
    return first;
}

}  // namespace mc::gistnet
