// SPDX-License-Identifier: Apache-2.0
// The little cryptography that keys need. Pure but for the randomness. Threads: free.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace mc::serve {

// "mc_" and 64 hexadecimal digits from the system's randomness. Errors: kIo when it has none.
Result<std::string> random_secret();

// SHA-256, and the same in hexadecimal digits.
std::string sha256_bytes(std::string_view text);
std::string sha256_hex(std::string_view text);

// Takes as long whatever the difference.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace mc::serve
