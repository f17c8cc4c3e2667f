// SPDX-License-Identifier: Apache-2.0
// How a suite's options name encoders: "name=encoder", or an encoder that names itself. Pure.
#pragma once

#include <string>

namespace mc::eval {

// What tables call an encoder: what stands before '='; "gistnet" for a bare file or "auto".
std::string encoder_label(const std::string& encoder);
// What gistnet::make_gist_encoder is asked for: what stands behind '=', or everything.
std::string encoder_source(const std::string& encoder);

}  // namespace mc::eval
