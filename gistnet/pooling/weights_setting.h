// SPDX-License-Identifier: Apache-2.0
// Whether a setting names an encoder or a file of trained weights. Pure.
#pragma once

#include <string>

namespace mc::gistnet {

// Whether a setting as GistEncoderOptions::pooling means a file: names have no dot and no slash.
inline bool is_weights_file(const std::string& pooling) {
    return pooling.find_first_of("./") != std::string::npos;
}

}  // namespace mc::gistnet
