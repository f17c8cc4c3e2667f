// SPDX-License-Identifier: Apache-2.0
// TorchModel::load: choice of device and dtype, weights and tables.
#include <cmath>
#include <thread>

#include "lm/gguf.h"
#include "lm/internal/model_config.h"
#include "lm/internal/torch_model.h"

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

RopeTable make_rope_table(const ModelConfig& config, const at::Tensor& factors, at::Device device) {
    const at::Tensor exponents = at::arange(0, std::int64_t{config.head_dim}, 2, at::kDouble) /
                                 double{1.0 * config.head_dim};
    at::Tensor frequencies = at::pow(config.rope_base, -exponents);  // (D / 2)
    if (factors.defined()) frequencies = frequencies / factors.to(at::kCPU, at::kDouble);
    const at::Tensor angles =
        at::arange(std::int64_t{config.context_length}, at::kDouble).unsqueeze(1) * frequencies;
    return {angles.cos().to(device, at::kFloat), angles.sin().to(device, at::kFloat)};
}

std::uint64_t count_parameters(const GgufFile& file) {
    std::uint64_t count = 0;
    for (const GgufTensor& tensor : file.tensors()) count += tensor.element_count();
    return count;
}

}  // namespace

Result<std::unique_ptr<TorchModel>> TorchModel::load(const ModelOptions& options) {
    MC_ASSIGN(const std::unique_ptr<GgufFile> file, GgufFile::open(options.path));
    MC_ASSIGN(ModelConfig config, read_model_config(*file));
    MC_ASSIGN(std::unique_ptr<Tokenizer> tokenizer, Tokenizer::from_gguf(*file));
    config.vocabulary_size = static_cast<std::uint32_t>(tokenizer->vocabulary_size());
    config.parameter_count = count_parameters(*file);
    return torch_guard([&]() -> Result<std::unique_ptr<TorchModel>> {
        set_thread_count(options.thread_count);
        auto model = std::make_unique<TorchModel>();
        MC_ASSIGN(model->device, chosen_device(options));
        model->dtype = chosen_dtype(options);
        model->hash = xxh3_128(file->bytes());
        MC_ASSIGN(model->weights, load_weights(*file, config, model->dtype, model->device));
        model->rope = make_rope_table(config, model->weights.rope_factors, model->device);
        model->config = std::move(config);
        model->tokenizer = std::move(tokenizer);
        return model;
    });
}

}  // namespace mc::lm
