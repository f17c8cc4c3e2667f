// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/gistnet_file.h"

#include "core/hash.h"
#include "core/span_math.h"
#include "gistnet/pooling/tensor_file.h"

namespace mc::gistnet {
namespace {

constexpr const char* kFormat = "megacontext-gistnet-2";
constexpr const char* kFormatWithoutMass = "megacontext-gistnet-1";
constexpr std::int64_t kPoolingQueriesMax = 64;

std::string tensor_name(std::size_t level, const std::string& part) {
    return "level" + std::to_string(level) + "." + part;
}

std::string field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
}

Result<LevelParameters> read_level(const lm::SafetensorsFile& file, std::size_t level,
                                   const GistShape& shape) {
    const std::string name = tensor_name(level, "queries");
    const lm::SafetensorsTensor* queries = file.find_tensor(name);
    if (queries == nullptr || queries->shape.size() != 4 || queries->shape[2] == 0 ||
        queries->shape[2] > kPoolingQueriesMax)
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": tensor " + name + " is missing or has another shape");
    const auto count = static_cast<std::int64_t>(queries->shape[2]);
    const std::int64_t layers = shape.layer_count;
    const std::int64_t heads = shape.kv_head_count;
    const std::int64_t dim = shape.head_dim;
    const auto slots = static_cast<std::int64_t>(kBlockSize);
    LevelParameters out;
    MC_ASSIGN(out.queries, read_tensor(file, name, {layers, heads, count, 2 * heads * dim}));
    MC_ASSIGN(out.biases,
              read_tensor(file, tensor_name(level, "biases"), {layers, heads, count, slots}));
    MC_ASSIGN(out.key_map,
              read_tensor(file, tensor_name(level, "key_map"), {layers, heads, count * dim, dim}));
    MC_ASSIGN(out.value_map, read_tensor(file, tensor_name(level, "value_map"),
                                         {layers, heads, count * dim, dim}));
    if (field(file, "format") == kFormatWithoutMass) {
        out.mass_bias = at::zeros({layers, heads, 1}, at::kFloat);
        out.mass_map = at::zeros({layers, heads, 2 * count * dim}, at::kFloat);
        return out;
    }
    MC_ASSIGN(out.mass_bias,
              read_tensor(file, tensor_name(level, "mass_bias"), {layers, heads, 1}));
    MC_ASSIGN(out.mass_map,
              read_tensor(file, tensor_name(level, "mass_map"), {layers, heads, 2 * count * dim}));
    return out;
}

}  // namespace

std::string base_model_of(const lm::SafetensorsFile& file) {
    return field(file, "base_model_hash");
}

Result<GistNetWeights> load_gistnet(const Path& path, const lm::BaseModel& model) {
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(path));
    return parse_gistnet(*file, model);
}

Result<GistNetWeights> parse_gistnet(const lm::SafetensorsFile& file, const lm::BaseModel& model) {
    const std::string format = field(file, "format");
    if (format != kFormat && format != kFormatWithoutMass)
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": metadata field format is '" + format + "', not " + kFormat);
    if (field(file, "base_model_hash") != to_hex(model.hash()))
        return fail(ErrorCode::kUsage, file.name() + ": trained for base model " +
                                           field(file, "base_model_name") + " (" +
                                           field(file, "base_model_hash") + "), not for " +
                                           model.config().name + " (" + to_hex(model.hash()) +
                                           "); train one with: megacontext train gistnet");
    GistNetWeights out;
    out.metadata = file.metadata();
    MC_ASSIGN(LevelParameters first, read_level(file, 1, model.config().gist_shape()));
    out.levels.push_back(std::move(first));
    if (file.find_tensor(tensor_name(2, "queries")) != nullptr) {
        MC_ASSIGN(LevelParameters second, read_level(file, 2, model.config().gist_shape()));
        out.levels.push_back(std::move(second));
    }
    return out;
}

Result<void> save_gistnet(const Path& path, GistNetWeights weights, const lm::BaseModel& model) {
    std::vector<NamedTensor> tensors;
    for (std::size_t l = 0; l < weights.levels.size(); ++l)
        for (const auto& [name, tensor] : weights.levels[l].named())
            tensors.push_back({tensor_name(l + 1, name), tensor->to(at::kHalf)});
    weights.metadata["format"] = kFormat;
    weights.metadata["base_model_hash"] = to_hex(model.hash());
    weights.metadata["base_model_name"] = model.config().name;
    return write_tensors(path, tensors, weights.metadata);
}

}  // namespace mc::gistnet
