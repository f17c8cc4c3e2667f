// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/lens_fit.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/check.h"
#include "core/rng.h"

namespace mc::lensnet {
namespace {

constexpr double kHuberNats = 1;
constexpr double kOrderWeight = 1;
constexpr double kLearningRate = 0.01;
constexpr double kWeightDecay = 0.01;
constexpr double kScaleMin = 1e-6;

// A question as the fit reads it.
struct Example {
    std::vector<std::vector<double>> inputs;  // standardised features of each candidate
    std::vector<double> gains;
    double weight = 0;
    bool has_order = false;
};

// The layers' numbers in double, one after the other.
struct Net {
    struct Layer {
        std::size_t inputs = 0;
        std::size_t outputs = 0;
        std::size_t at = 0;  // of its weights in the parameters; its biases follow them

        std::size_t bias(std::size_t output) const { return at + inputs * outputs + output; }
    };

    std::vector<Layer> layers;
    std::vector<double> parameters;

    void add(std::size_t inputs, std::size_t outputs) {
        layers.push_back({inputs, outputs, parameters.size()});
        parameters.resize(parameters.size() + inputs * outputs + outputs);
    }
};

std::vector<Features> rows_of(const LabelledQuestion& question, std::span<const Signal> without) {
    return features_of(question.signals(without));
}

void standardise(std::span<const LabelledQuestion* const> questions,
                 std::span<const Signal> without, FittedLens& lens) {
    Features squares{};
    double count = 0;
    for (const LabelledQuestion* const question : questions)
        for (const Features& row : rows_of(*question, without)) {
            ++count;
            for (std::size_t f = 0; f < kFeatureCount; ++f) {
                lens.means[f] += row[f];
                squares[f] += row[f] * row[f];
            }
        }
    MC_CHECK(count > 0, "a fit needs candidates");
    for (std::size_t f = 0; f < kFeatureCount; ++f) {
        lens.means[f] /= count;
        const double variance = squares[f] / count - lens.means[f] * lens.means[f];
        // A feature that never changes stays where it is.
        lens.scales[f] = variance > kScaleMin * kScaleMin ? std::sqrt(variance) : 1;
    }
}

Example example_of(const LabelledQuestion& question, const FittedLens& lens,
                   std::span<const Signal> without) {
    Example example;
    example.weight = weight_of(question);
    example.has_order = question.is_told && question.candidates.size() > 1;
    for (const Features& row : rows_of(question, without)) {
        std::vector<double>& input = example.inputs.emplace_back(kFeatureCount);
        for (std::size_t f = 0; f < kFeatureCount; ++f)
            input[f] = (row[f] - lens.means[f]) / lens.scales[f];
    }
    for (const LabelledCandidate& one : question.candidates) example.gains.push_back(one.gain);
    return example;
}

// The values of each layer, the input first.
std::vector<std::vector<double>> forward(const Net& net, const std::vector<double>& input) {
    std::vector<std::vector<double>> values = {input};
    for (std::size_t l = 0; l < net.layers.size(); ++l) {
        const Net::Layer& layer = net.layers[l];
        std::vector<double> out(layer.outputs);
        for (std::size_t o = 0; o < layer.outputs; ++o) {
            double sum = net.parameters[layer.bias(o)];
            const double* const weights = &net.parameters[layer.at + o * layer.inputs];
            for (std::size_t i = 0; i < layer.inputs; ++i) sum += weights[i] * values[l][i];
            out[o] = l + 1 < net.layers.size() ? std::max(sum, 0.0) : sum;
        }
        values.push_back(std::move(out));
    }
    return values;
}

void backward(const Net& net, const std::vector<std::vector<double>>& values, double slope,
              std::vector<double>& gradient) {
    std::vector<double> slopes = {slope};
    for (std::size_t l = net.layers.size(); l-- > 0;) {
        const Net::Layer& layer = net.layers[l];
        std::vector<double> below(layer.inputs);
        for (std::size_t o = 0; o < layer.outputs; ++o) {
            // Behind a ReLU that gave nothing, nothing moves.
            const bool is_last = l + 1 == net.layers.size();
            if (!is_last && values[l + 1][o] <= 0) continue;
            gradient[layer.bias(o)] += slopes[o];
            const std::size_t at = layer.at + o * layer.inputs;
            for (std::size_t i = 0; i < layer.inputs; ++i) {
                gradient[at + i] += slopes[o] * values[l][i];
                below[i] += slopes[o] * net.parameters[at + i];
            }
        }
        slopes = std::move(below);
    }
}

std::vector<double> softmax(std::span<const double> values) {
    const double top = *std::ranges::max_element(values);
    std::vector<double> out;
    double sum = 0;
    for (const double value : values) sum += out.emplace_back(std::exp(value - top));
    for (double& value : out) value /= sum;
    return out;
}

// Adds the loss's slope by each output.
double example_loss(const Example& example, std::span<const double> outputs,
                    std::vector<double>& slopes) {
    const auto count = static_cast<double>(outputs.size());
    double loss = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const double error = outputs[i] - example.gains[i];
        const double size = std::abs(error);
        loss +=
            (size <= kHuberNats ? error * error / 2 : kHuberNats * (size - kHuberNats / 2)) / count;
        slopes[i] += std::clamp(error, -kHuberNats, kHuberNats) / count;
    }
    if (!example.has_order) return loss;
    const std::vector<double> wanted = softmax(example.gains);
    const std::vector<double> given = softmax(outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (wanted[i] > 0) loss += kOrderWeight * wanted[i] * std::log(wanted[i] / given[i]);
        slopes[i] += kOrderWeight * (given[i] - wanted[i]);
    }
    return loss;
}

// The weighted mean over examples.
double batch_loss(const Net& net, std::span<const Example> examples,
                  std::vector<double>* gradient) {
    double loss = 0;
    double weights = 0;
    for (const Example& example : examples) weights += example.weight;
    MC_CHECK(weights > 0, "a fit needs labels that can be relied on");
    for (const Example& example : examples) {
        if (example.weight == 0 || example.inputs.empty()) continue;
        std::vector<std::vector<std::vector<double>>> values;
        std::vector<double> outputs;
        for (const auto& input : example.inputs) {
            values.push_back(forward(net, input));
            outputs.push_back(values.back().back().front());
        }
        std::vector<double> slopes(outputs.size());
        loss += example.weight / weights * example_loss(example, outputs, slopes);
        if (gradient == nullptr) continue;
        for (std::size_t i = 0; i < slopes.size(); ++i)
            backward(net, values[i], example.weight / weights * slopes[i], *gradient);
    }
    return loss;
}

Net net_of(std::span<const DenseLayer> layers) {
    Net net;
    for (const DenseLayer& layer : layers) {
        net.add(layer.inputs, layer.outputs);
        const Net::Layer& place = net.layers.back();
        for (std::size_t i = 0; i < layer.weights.size(); ++i)
            net.parameters[place.at + i] = double{layer.weights[i]};
        for (std::size_t o = 0; o < layer.outputs; ++o)
            net.parameters[place.bias(o)] = double{layer.biases[o]};
    }
    return net;
}

std::vector<DenseLayer> layers_of(const Net& net) {
    std::vector<DenseLayer> layers;
    for (const Net::Layer& place : net.layers) {
        DenseLayer& layer = layers.emplace_back();
        layer.inputs = place.inputs;
        layer.outputs = place.outputs;
        for (std::size_t i = 0; i < place.inputs * place.outputs; ++i)
            layer.weights.push_back(static_cast<float>(net.parameters[place.at + i]));
        for (std::size_t o = 0; o < place.outputs; ++o)
            layer.biases.push_back(static_cast<float>(net.parameters[place.bias(o)]));
    }
    return layers;
}

// Zero where one layer is all, which has one optimum; else uniform by the width below (He et al.
// 2015), biases zero.
Net new_net(const FitOptions& options) {
    Net net;
    if (options.hidden == 0) {
        net.add(kFeatureCount, 1);
        return net;
    }
    net.add(kFeatureCount, options.hidden);
    net.add(options.hidden, 1);
    Rng rng(options.seed);
    for (const Net::Layer& layer : net.layers) {
        const double bound = std::sqrt(6.0 / static_cast<double>(layer.inputs));
        for (std::size_t i = 0; i < layer.inputs * layer.outputs; ++i)
            net.parameters[layer.at + i] = bound * (2 * rng.uniform() - 1);
    }
    return net;
}

class Adam {
  public:
    explicit Adam(std::size_t count) : first_(count), second_(count) {}

    void step(std::vector<double>& parameters, std::span<const double> gradient, double rate) {
        ++steps_;
        const double first_left = 1 - std::pow(kBeta1, steps_);
        const double second_left = 1 - std::pow(kBeta2, steps_);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            first_[i] = kBeta1 * first_[i] + (1 - kBeta1) * gradient[i];
            second_[i] = kBeta2 * second_[i] + (1 - kBeta2) * gradient[i] * gradient[i];
            const double direction =
                first_[i] / first_left / (std::sqrt(second_[i] / second_left) + 1e-8);
            parameters[i] -= rate * (direction + kWeightDecay * parameters[i]);
        }
    }

  private:
    static constexpr double kBeta1 = 0.9;
    static constexpr double kBeta2 = 0.999;
    std::vector<double> first_;
    std::vector<double> second_;
    double steps_ = 0;
};

std::vector<Example> examples_of(std::span<const LabelledQuestion* const> questions,
                                 const FittedLens& lens, std::span<const Signal> without) {
    std::vector<Example> examples;
    for (const LabelledQuestion* const question : questions)
        examples.push_back(example_of(*question, lens, without));
    return examples;
}

}  // namespace

double weight_of(const LabelledQuestion& question) {
    if (!question.is_told) return 1;
    return question.reliability < kReliabilityMin ? 0 : question.reliability;
}

FittedLens fit_lens(std::span<const LabelledQuestion* const> questions, const FitOptions& options) {
    FittedLens lens;
    standardise(questions, options.without, lens);
    const auto examples = examples_of(questions, lens, options.without);
    Net net = new_net(options);
    Adam adam(net.parameters.size());
    for (std::size_t step = 0; step < options.steps; ++step) {
        std::vector<double> gradient(net.parameters.size());
        lens.loss = batch_loss(net, examples, &gradient);
        const double done = static_cast<double>(step) / static_cast<double>(options.steps);
        const double rate = kLearningRate * (1 + std::cos(std::numbers::pi * done)) / 2;
        adam.step(net.parameters, gradient, rate);
    }
    lens.layers = layers_of(net);
    return lens;
}

double lens_loss(std::span<const LabelledQuestion* const> questions, const FittedLens& lens,
                 std::span<const Signal> without, std::vector<double>* gradient) {
    const Net net = net_of(lens.layers);
    if (gradient != nullptr) gradient->assign(net.parameters.size(), 0.0);
    return batch_loss(net, examples_of(questions, lens, without), gradient);
}

}  // namespace mc::lensnet
