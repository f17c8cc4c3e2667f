// SPDX-License-Identifier: Apache-2.0
#include "lensnet/lens_file.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace mc::lensnet {
namespace {

constexpr const char* kFormat = "megacontext-lensnet-1";
// Far above any lens; keeps products of sizes from overflowing.
constexpr std::uint64_t kWidthMax = 65536;
constexpr std::size_t kLayersMax = 8;

static_assert(std::endian::native == std::endian::little, "tensors lie little-endian");

std::string joined_features() {
    std::string joined;
    for (const std::string& name : feature_names()) joined += (joined.empty() ? "" : ",") + name;
    return joined;
}

Error bad_field(const lm::SafetensorsFile& file, const std::string& what) {
    return Error(ErrorCode::kInvalidInput, file.name() + ": " + what);
}

Result<std::string> field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
        return fail(bad_field(file, std::string("metadata field ") + key + " is missing"));
    return found->second;
}

Result<double> number_field(const lm::SafetensorsFile& file, const char* key) {
    MC_ASSIGN(const std::string text, field(file, key));
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || !std::isfinite(number))
        return fail(bad_field(file, std::string("metadata field ") + key + " is no number"));
    return number;
}

Result<std::vector<float>> read_floats(const lm::SafetensorsFile& file, const std::string& name,
                                       const std::vector<std::uint64_t>& shape) {
    const lm::SafetensorsTensor* const tensor = file.find_tensor(name);
    if (tensor == nullptr || tensor->shape != shape || tensor->dtype != lm::SafetensorsDtype::kF32)
        return fail(bad_field(file, "tensor " + name + " is missing or has another shape or type"));
    std::vector<float> values(tensor->data.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
        return fail(bad_field(file, "tensor " + name + " has numbers that are not finite"));
    return values;
}

Result<Features> read_features(const lm::SafetensorsFile& file, const std::string& name) {
    MC_ASSIGN(const auto values, read_floats(file, name, {kFeatureCount}));
    Features out{};
    std::ranges::copy(values, out.begin());
    return out;
}

Result<DenseLayer> read_layer(const lm::SafetensorsFile& file, std::size_t number,
                              std::size_t inputs) {
    const std::string name = "biases." + std::to_string(number);
    const lm::SafetensorsTensor* const biases = file.find_tensor(name);
    if (biases == nullptr || biases->shape.size() != 1 || biases->shape[0] == 0 ||
        biases->shape[0] > kWidthMax)
        return fail(bad_field(file, "tensor " + name + " is missing or has another shape"));
    DenseLayer layer;
    layer.inputs = inputs;
    layer.outputs = biases->shape[0];
    MC_ASSIGN(layer.biases, read_floats(file, name, {layer.outputs}));
    MC_ASSIGN(layer.weights, read_floats(file, "weights." + std::to_string(number),
                                         {layer.outputs, layer.inputs}));
    return layer;
}

Result<LensFacts> read_facts(const lm::SafetensorsFile& file) {
    LensFacts facts;
    MC_ASSIGN(facts.base_model_hash, field(file, "base_model_hash"));
    MC_ASSIGN(facts.base_model_name, field(file, "base_model_name"));
    MC_ASSIGN(facts.embedder_hash, field(file, "embedder_hash"));
    MC_ASSIGN(const std::string passages, field(file, "reads_passages"));
    MC_ASSIGN(const std::string gists, field(file, "reads_gists"));
    facts.reads_passages = passages == "true";
    facts.reads_gists = gists == "true";
    MC_ASSIGN(facts.known_gain_min, number_field(file, "known_gain_min"));
    MC_ASSIGN(facts.passage_price, number_field(file, "passage_price"));
    return facts;
}

lm::SafetensorsTensor tensor_of(std::string name, std::vector<std::uint64_t> shape,
                                std::span<const float> values) {
    return {std::move(name), lm::SafetensorsDtype::kF32, std::move(shape), std::as_bytes(values)};
}

}  // namespace

Result<Lens> parse_lens(const lm::SafetensorsFile& file) {
    MC_ASSIGN(const std::string format, field(file, "format"));
    if (format != kFormat)
        return fail(bad_field(file, "metadata field format is '" + format + "', not " + kFormat));
    MC_ASSIGN(const std::string features, field(file, "features"));
    if (features != joined_features())
        return fail(ErrorCode::kUsage, file.name() +
                                           ": made for other signals than this program takes; "
                                           "train one with: megacontext train lensnet");
    MC_ASSIGN(LensFacts facts, read_facts(file));
    MC_ASSIGN(const Features means, read_features(file, "means"));
    MC_ASSIGN(const Features scales, read_features(file, "scales"));
    if (!std::ranges::all_of(scales, [](double scale) { return scale > 0; }))
        return fail(bad_field(file, "tensor scales has numbers that are not above 0"));
    std::vector<DenseLayer> layers;
    std::size_t width = kFeatureCount;
    do {
        MC_ASSIGN(DenseLayer layer, read_layer(file, layers.size(), width));
        width = layer.outputs;
        layers.push_back(std::move(layer));
    } while (file.find_tensor("biases." + std::to_string(layers.size())) != nullptr &&
             layers.size() < kLayersMax);
    if (width != 1) return fail(bad_field(file, "the last layer has more than one output"));
    return Lens(std::move(facts), means, scales, std::move(layers));
}

Result<void> save_lens(const Path& path, const Lens& lens, lm::SafetensorsMetadata metadata) {
    const LensFacts& facts = lens.facts();
    metadata["format"] = kFormat;
    metadata["features"] = joined_features();
    metadata["base_model_hash"] = facts.base_model_hash;
    metadata["base_model_name"] = facts.base_model_name;
    metadata["embedder_hash"] = facts.embedder_hash;
    metadata["reads_passages"] = facts.reads_passages ? "true" : "false";
    metadata["reads_gists"] = facts.reads_gists ? "true" : "false";
    metadata["known_gain_min"] = std::to_string(facts.known_gain_min);
    metadata["passage_price"] = std::to_string(facts.passage_price);
    const std::vector<float> means(lens.means().begin(), lens.means().end());
    const std::vector<float> scales(lens.scales().begin(), lens.scales().end());
    std::vector<lm::SafetensorsTensor> tensors = {tensor_of("means", {kFeatureCount}, means),
                                                  tensor_of("scales", {kFeatureCount}, scales)};
    for (std::size_t l = 0; l < lens.layers().size(); ++l) {
        const DenseLayer& layer = lens.layers()[l];
        tensors.push_back(tensor_of("weights." + std::to_string(l), {layer.outputs, layer.inputs},
                                    layer.weights));
        tensors.push_back(tensor_of("biases." + std::to_string(l), {layer.outputs}, layer.biases));
    }
    return lm::write_safetensors(path, tensors, metadata);
}

}  // namespace mc::lensnet
