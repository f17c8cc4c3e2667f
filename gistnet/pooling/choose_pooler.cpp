// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/choose_pooler.h"

#include "gistnet/pooling/match_pooler.h"
#include "gistnet/pooling/shipped_weights.h"
#include "gistnet/pooling/weights_setting.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {
namespace {

constexpr const char* kAuto = "auto";
constexpr const char* kTrainedName = "gistnet";

Result<std::optional<TrainedWeights>> parse_trained(const lm::SafetensorsFile& file,
                                                    const lm::BaseModel& model) {
    MC_ASSIGN(GistNetWeights weights, parse_gistnet(file, model));
    return TrainedWeights{std::move(weights), xxh3_128(file.bytes())};
}

}  // namespace

Result<std::optional<TrainedWeights>> find_trained(const std::string& setting,
                                                   const lm::BaseModel& model) {
    if (setting == kMatchPoolerName || make_untrained_pooler(setting))
        return std::optional<TrainedWeights>();
    if (setting == kAuto || setting == kTrainedName) {
        MC_ASSIGN(const auto shipped,
                  lm::SafetensorsFile::parse(shipped_gistnet(), "the program's own weights"));
        if (base_model_of(*shipped) == to_hex(model.hash())) return parse_trained(*shipped, model);
        if (setting == kAuto) return std::optional<TrainedWeights>();
        return fail(ErrorCode::kUsage,
                    "no trained compressor for " + model.config().name + " (" +
                        to_hex(model.hash()) +
                        ") is part of this program; give the file of one with --encoder, or train "
                        "it: megacontext train gistnet");
    }
    if (!is_weights_file(setting))
        return fail(ErrorCode::kUsage,
                    "encoder '" + setting +
                        "' is unknown: auto, gistnet, kv-match, kv-last, kv-mean, or a "
                        "file of trained weights");
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(setting));
    return parse_trained(*file, model);
}

Result<ChosenPooler> choose_pooler(const std::string& setting, const lm::BaseModel& model) {
    MC_ASSIGN(auto trained, find_trained(setting, model));
    if (!trained && (setting == kAuto || setting == kMatchPoolerName)) {
        MC_ASSIGN(auto pooler, lm::torch_guard([&] {
                      const c10::InferenceMode inference;
                      return make_match_pooler(model.torch_model());
                  }));
        return ChosenPooler{std::move(pooler), {}};
    }
    if (!trained) return ChosenPooler{make_untrained_pooler(setting), {}};
    return ChosenPooler{make_attention_pooler(kTrainedName, std::move(trained->weights.levels),
                                              model.torch_model().device),
                        trained->file};
}

}  // namespace mc::gistnet
