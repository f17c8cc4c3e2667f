// SPDX-License-Identifier: Apache-2.0
// The fence around FAISS: its exceptions become errors. Its assertions end the process, so sizes
// are checked before it is called.
#pragma once

#include <exception>
#include <string>

#include "core/result.h"

namespace mc::storage {

template <class Body>
Result<void> faiss_guard(ErrorCode code, Body body) {
    try {
        body();
        return {};
    } catch (const std::exception& exception) {
        return fail(code, std::string("FAISS failed: ") + exception.what());
    }
}

}  // namespace mc::storage
