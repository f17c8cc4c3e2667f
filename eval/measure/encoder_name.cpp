// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/encoder_name.h"

#include <string_view>

namespace mc::eval {

std::string encoder_label(const std::string& encoder) {
    const std::size_t separator = encoder.find('=');
    if (separator != std::string::npos) return encoder.substr(0, separator);
    const std::string_view name = encoder;
    const bool is_trained = name == "auto" || name.find('/') != std::string_view::npos ||
                            name.ends_with(".safetensors");
    return is_trained ? "gistnet" : encoder;
}

std::string encoder_source(const std::string& encoder) {
    const std::size_t separator = encoder.find('=');
    return separator == std::string::npos ? encoder : encoder.substr(separator + 1);
}

}  // namespace mc::eval
