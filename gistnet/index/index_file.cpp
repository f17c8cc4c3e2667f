// SPDX-License-Identifier: Apache-2.0
#include "gistnet/index/index_file.h"

#include <algorithm>
#include <charconv>

#include "core/hash.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/pooling/tensor_file.h"

namespace mc::gistnet {
namespace {

constexpr const char* kFormat = "megacontext-index-1";
constexpr std::uint64_t kIndexDimMax = 4096;

std::string field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
}

// "0,6": ascending, none above the model's number of layers; empty when it is anything else.
std::vector<std::int64_t> parse_layers(const std::string& text, std::int64_t layer_count) {
    std::vector<std::int64_t> layers;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::int64_t layer = -1;
        const auto [next, error] = std::from_chars(at, end, layer);
        const bool follows = layers.empty() || layer > layers.back();
        if (error != std::errc() || layer < 0 || layer > layer_count || !follows) return {};
        if (next != end && *next != ',') return {};
        layers.push_back(layer);
        at = next == end ? end : next + 1;
    }
    return layers;
}

}  // namespace

Result<IndexProjection> parse_index(const lm::SafetensorsFile& file, const lm::BaseModel& model) {
    if (field(file, "format") != kFormat)
        return fail(ErrorCode::kInvalidInput, file.name() + ": metadata field format is '" +
                                                  field(file, "format") + "', not " + kFormat);
    if (base_model_of(file) != to_hex(model.hash()))
        return fail(ErrorCode::kUsage,
                    file.name() + ": trained for base model " + field(file, "base_model_name") +
                        " (" + base_model_of(file) + "), not for " + model.config().name + " (" +
                        to_hex(model.hash()) + "); train one with: megacontext train index");
    IndexProjection out;
    out.layers = parse_layers(field(file, "layers"), model.config().layer_count);
    if (out.layers.empty())
        return fail(ErrorCode::kInvalidInput, file.name() + ": metadata field layers is '" +
                                                  field(file, "layers") +
                                                  "', not layers of this base model");
    const lm::SafetensorsTensor* bias = file.find_tensor("bias");
    if (bias == nullptr || bias->shape.size() != 1 || bias->shape[0] == 0 ||
        bias->shape[0] > kIndexDimMax)
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": tensor bias is missing or has another shape");
    const auto dim = static_cast<std::int64_t>(bias->shape[0]);
    const std::int64_t width =
        static_cast<std::int64_t>(out.layers.size()) * model.config().hidden_dim;
    MC_ASSIGN(out.token_weights,
              read_tensor(file, "token_weights", {std::int64_t{model.config().vocabulary_size}}));
    MC_ASSIGN(out.map, read_tensor(file, "map", {width, dim}));
    MC_ASSIGN(out.bias, read_tensor(file, "bias", {dim}));
    return out;
}

Result<void> save_index(const Path& path, const IndexProjection& projection,
                        lm::SafetensorsMetadata metadata, const lm::BaseModel& model) {
    std::string layers;
    for (const std::int64_t layer : projection.layers)
        layers += (layers.empty() ? "" : ",") + std::to_string(layer);
    metadata["format"] = kFormat;
    metadata["base_model_hash"] = to_hex(model.hash());
    metadata["base_model_name"] = model.config().name;
    metadata["layers"] = layers;
    return write_tensors(path,
                         {{"token_weights", projection.token_weights.to(at::kHalf)},
                          {"map", projection.map.to(at::kHalf)},
                          {"bias", projection.bias.to(at::kHalf)}},
                         metadata);
}

}  // namespace mc::gistnet
