// SPDX-License-Identifier: Apache-2.0
// The one header that includes libtorch; precompiled for the targets that need it.
//
// ATen alone: it holds tensors, every operation and autograd's recording, at half the compile time
// of torch/torch.h. torch_guard() is where libtorch's exceptions end.
// Inference enters c10::InferenceMode in the outermost call (it is per thread); model code below it
// stays free of guards so that training can differentiate through it.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "core/result.h"

namespace mc::lm {

template <class T>
struct IsResult : std::false_type {};

template <class T>
struct IsResult<Result<T>> : std::true_type {};

// Runs body and turns anything that it throws into kModel. A body that returns Result<T> or T gives
// Result<T>.
template <class Body>
auto torch_guard(Body&& body) {
    using Returned = std::invoke_result_t<Body>;
    using Guarded =
        std::conditional_t<IsResult<Returned>::value, Returned,
                           Result<std::conditional_t<IsResult<Returned>::value, void, Returned>>>;
    try {
        if constexpr (std::is_void_v<Returned>) {
            std::forward<Body>(body)();
            return Guarded();
        } else {
            return Guarded(std::forward<Body>(body)());
        }
    } catch (const c10::Error& error) {
        return Guarded(
            fail(ErrorCode::kModel, std::string("libtorch: ") + error.what_without_backtrace()));
    } catch (const std::exception& error) {
        return Guarded(fail(ErrorCode::kModel, std::string("libtorch: ") + error.what()));
    }
}

}  // namespace mc::lm
