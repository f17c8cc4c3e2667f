// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/tensor_bytes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>

#include "core/check.h"

namespace mc::gistnet {
namespace {

constexpr std::int64_t kDimensionsMax = 8;
constexpr std::int64_t kNumbersMax = std::int64_t{1} << 32;

// As the kind of its numbers is written.
constexpr c10::ScalarType kKinds[] = {at::kFloat, at::kDouble, at::kLong};

void put(std::string& out, std::int64_t number) {
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::optional<std::int64_t> take(std::string_view& rest, std::int64_t largest) {
    std::int64_t number = 0;
    if (rest.size() < sizeof number) return {};
    std::memcpy(&number, rest.data(), sizeof number);
    rest.remove_prefix(sizeof number);
    if (number < 0 || number > largest) return {};
    return number;
}

std::optional<at::Tensor> take_tensor(std::string_view& rest) {
    const auto kind = take(rest, std::int64_t{std::size(kKinds)} - 1);
    const auto dimensions = take(rest, kDimensionsMax);
    if (!kind || !dimensions) return {};
    std::vector<std::int64_t> sizes;
    std::int64_t numbers = 1;
    for (std::int64_t i = 0; i < *dimensions; ++i) {
        const auto size = take(rest, kNumbersMax / std::max<std::int64_t>(numbers, 1));
        if (!size) return {};
        sizes.push_back(*size);
        numbers *= *size;
    }
    const c10::ScalarType type = kKinds[static_cast<std::size_t>(*kind)];
    const std::size_t bytes = static_cast<std::size_t>(numbers) * c10::elementSize(type);
    if (bytes > rest.size()) return {};
    at::Tensor out = at::empty(sizes, type);
    if (bytes > 0) std::memcpy(out.data_ptr(), rest.data(), bytes);
    rest.remove_prefix(bytes);
    return out;
}

}  // namespace

std::string to_bytes(const std::vector<at::Tensor>& tensors) {
    std::string out;
    for (const at::Tensor& tensor : tensors) {
        const auto* const kind = std::ranges::find(kKinds, tensor.scalar_type());
        MC_CHECK(kind != std::end(kKinds) && tensor.device().is_cpu(), "a tensor of another kind");
        const at::Tensor whole = tensor.detach().contiguous();
        put(out, kind - std::begin(kKinds));
        put(out, whole.dim());
        for (const std::int64_t size : whole.sizes()) put(out, size);
        out.append(static_cast<const char*>(whole.const_data_ptr()), whole.nbytes());
    }
    return out;
}

Result<std::vector<at::Tensor>> tensors_from(std::string_view bytes, std::size_t count) {
    std::vector<at::Tensor> out;
    while (out.size() < count) {
        auto tensor = take_tensor(bytes);
        if (!tensor) break;
        out.push_back(std::move(*tensor));
    }
    if (out.size() != count || !bytes.empty())
        return fail(ErrorCode::kCorruption,
                    "a rank's part of a step cannot be read: start all "
                    "ranks with one program and the same arguments");
    return out;
}

}  // namespace mc::gistnet
