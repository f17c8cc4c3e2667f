// SPDX-License-Identifier: Apache-2.0
// TorchModel::load: choice of device and dtype, weights and tables.
#include <cmath>
#include <thread>

#include "lm/model/model_file.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {
namespace {

bool cpu_multiplies_bf16() {
#if defined(__x86_64__)
    // Every processor with AMX has this too.
    return __builtin_cpu_supports("avx512bf16") != 0;
#else
    return false;
#endif
}

at::ScalarType chosen_dtype(const ModelOptions& options) {
    if (options.dtype == Dtype::kF32) return at::kFloat;
    if (options.dtype == Dtype::kBf16) return at::kBFloat16;
    return options.device == Device::kCuda || cpu_multiplies_bf16() ? at::kBFloat16 : at::kFloat;
}

Result<at::Device> chosen_device(const ModelOptions& options) {
    if (options.device == Device::kCpu) return at::Device(at::kCPU);
    if (!at::globalContext().hasCUDA())
        return fail(ErrorCode::kUsage,
                    "device cuda: no CUDA device, or this program was built without CUDA "
                    "(MEGACONTEXT_CUDA)");
    return at::Device(at::kCUDA, 0);
}

// One thread per core that this process may use; hyper-threads share the multipliers and slow the
// matrix products down, but which ids are siblings is not known here.
void set_thread_count(int requested) {
    const int available = static_cast<int>(std::thread::hardware_concurrency());
    const int count = requested > 0 ? requested : std::max(1, available);
    if (at::get_num_threads() != count) at::set_num_threads(count);
}

RopeTable make_rope_table(const ModelConfig& config, const std::vector<double>& divisors,
                          at::Device device) {
    const at::Tensor exponents = at::arange(0, std::int64_t{config.head_dim}, 2, at::kDouble) /
                                 double{1.0 * config.head_dim};
    at::Tensor frequencies = at::pow(config.rope_base, -exponents);  // (D / 2)
    if (!divisors.empty()) frequencies = frequencies / at::tensor(divisors, at::kDouble);
    const at::Tensor angles =
        at::arange(std::int64_t{config.context_length}, at::kDouble).unsqueeze(1) * frequencies;
    return {angles.cos().to(device, at::kFloat), angles.sin().to(device, at::kFloat)};
}

}  // namespace

Result<std::unique_ptr<TorchModel>> TorchModel::load(const ModelOptions& options) {
    MC_ASSIGN(const std::unique_ptr<ModelFile> file, ModelFile::open(options.path));
    MC_ASSIGN(std::unique_ptr<Tokenizer> tokenizer, file->make_tokenizer());
    ModelConfig config = file->spec().config;
    config.vocabulary_size = static_cast<std::uint32_t>(tokenizer->vocabulary_size());
    return torch_guard([&]() -> Result<std::unique_ptr<TorchModel>> {
        set_thread_count(options.thread_count);
        auto model = std::make_unique<TorchModel>();
        MC_ASSIGN(model->device, chosen_device(options));
        model->dtype = chosen_dtype(options);
        model->hash = file->hash();
        MC_ASSIGN(model->weights,
                  load_weights(*file, config.vocabulary_size, model->dtype, model->device));
        for (LayerWeights& layer : model->weights.layers)
            layer.panels = {pack_weight(layer.qkv), pack_weight(layer.output),
                            pack_weight(layer.gate_up), pack_weight(layer.down)};
        model->rope = make_rope_table(config, file->spec().rope.divisors, model->device);
        if (model->device.is_cpu() && model->dtype == at::kBFloat16)
            model->decoder = Decoder::make(*file, model->weights, model->rope, config);
        model->config = std::move(config);
        model->tokenizer = std::move(tokenizer);
        return model;
    });
}

}  // namespace mc::lm
