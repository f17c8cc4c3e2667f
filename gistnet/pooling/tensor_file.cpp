// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/tensor_file.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"

namespace mc::gistnet {
namespace {

lm::SafetensorsDtype dtype_of(const at::Tensor& x) {
    if (x.scalar_type() == at::kHalf) return lm::SafetensorsDtype::kF16;
    if (x.scalar_type() == at::kBFloat16) return lm::SafetensorsDtype::kBF16;
    MC_CHECK(x.scalar_type() == at::kFloat, "tensors are written as F32, F16 or BF16");
    return lm::SafetensorsDtype::kF32;
}

}  // namespace

Result<void> write_tensors(const Path& path, const std::vector<NamedTensor>& tensors,
                           const lm::SafetensorsMetadata& metadata) {
    std::vector<at::Tensor> kept;  // the bytes that the views below show
    std::vector<lm::SafetensorsTensor> views;
    for (const NamedTensor& named : tensors) {
        kept.push_back(named.tensor.detach().to(at::kCPU).contiguous());
        const at::Tensor& x = kept.back();
        lm::SafetensorsTensor view{named.name, dtype_of(x), {}, {}};
        for (const std::int64_t extent : x.sizes())
            view.shape.push_back(static_cast<std::uint64_t>(extent));
        view.data = {static_cast<const std::byte*>(x.const_data_ptr()), x.nbytes()};
        views.push_back(std::move(view));
    }
    return lm::write_safetensors(path, views, metadata);
}

Result<at::Tensor> read_tensor(const lm::SafetensorsFile& file, const std::string& name,
                               at::IntArrayRef shape) {
    const lm::SafetensorsTensor* found = file.find_tensor(name);
    if (found == nullptr)
        return fail(ErrorCode::kInvalidInput, file.name() + ": tensor " + name + " is missing");
    const bool same = std::equal(
        found->shape.begin(), found->shape.end(), shape.begin(), shape.end(),
        [](std::uint64_t a, std::int64_t b) { return a == static_cast<std::uint64_t>(b); });
    if (!same)
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": tensor " + name + " does not fit the base model's shape");
    at::ScalarType type = at::kFloat;
    if (found->dtype == lm::SafetensorsDtype::kF16)
        type = at::kHalf;
    else if (found->dtype == lm::SafetensorsDtype::kBF16)
        type = at::kBFloat16;
    else if (found->dtype != lm::SafetensorsDtype::kF32)
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": tensor " + name + " must be F32, F16 or BF16");
    at::Tensor out = at::empty(shape, type);
    std::memcpy(out.data_ptr(), found->data.data(), found->data.size());
    return out.to(at::kFloat);
}

}  // namespace mc::gistnet
