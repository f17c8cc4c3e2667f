// SPDX-License-Identifier: Apache-2.0
#include "lensnet/lens.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace mc::lensnet {
namespace {

void check_layers(std::span<const DenseLayer> layers) {
    std::size_t width = kFeatureCount;
    for (const DenseLayer& layer : layers) {
        MC_CHECK(layer.inputs == width, "a layer takes what the one before it gives");
        MC_CHECK(layer.weights.size() == layer.inputs * layer.outputs, "weights fill their shape");
        MC_CHECK(layer.biases.size() == layer.outputs, "each output has a bias");
        width = layer.outputs;
    }
    MC_CHECK(!layers.empty() && width == 1, "a lens gives one number");
}

std::vector<double> outputs_of(const DenseLayer& layer, std::span<const double> input) {
    std::vector<double> output(layer.biases.begin(), layer.biases.end());
    for (std::size_t o = 0; o < layer.outputs; ++o)
        for (std::size_t i = 0; i < layer.inputs; ++i)
            output[o] += double{layer.weights[o * layer.inputs + i]} * input[i];
    return output;
}

}  // namespace

Lens::Lens(LensFacts facts, Features means, Features scales, std::vector<DenseLayer> layers)
    : facts_(std::move(facts)), means_(means), scales_(scales), layers_(std::move(layers)) {
    check_layers(layers_);
    MC_CHECK(std::ranges::all_of(scales_, [](double scale) { return scale > 0; }),
             "scales are positive");
}

double Lens::gain_of(const Features& features) const {
    std::vector<double> values(kFeatureCount);
    for (std::size_t i = 0; i < kFeatureCount; ++i)
        values[i] = (features[i] - means_[i]) / scales_[i];
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        if (l > 0)
            for (double& value : values) value = std::max(value, 0.0);
        values = outputs_of(layers_[l], values);
    }
    return values.front();
}

std::vector<double> Lens::gains(std::span<const Signals> candidates) const {
    std::vector<double> gains;
    for (const Features& features : features_of(candidates)) gains.push_back(gain_of(features));
    return gains;
}

std::array<double, kSignalCount> Lens::parts(std::span<const Signals> candidates,
                                             std::size_t candidate) const {
    MC_CHECK(candidate < candidates.size(), "no such candidate");
    const Features features = features_of(candidates)[candidate];
    const double gain = gain_of(features);
    std::array<double, kSignalCount> parts{};
    for (std::size_t s = 0; s < kSignalCount; ++s) {
        Features without = features;
        without[s] = means_[s];
        for (std::size_t c = 0; c < kComparedSignals.size(); ++c) {
            if (kComparedSignals[c] != static_cast<Signal>(s)) continue;
            for (const std::size_t at :
                 {kSignalCount + c, kSignalCount + kComparedSignals.size() + c})
                without[at] = means_[at];
        }
        parts[s] = gain - gain_of(without);
    }
    return parts;
}

}  // namespace mc::lensnet
