// SPDX-License-Identifier: Apache-2.0
// Passphrases that a person types: asked for on the terminal, without echo.
// Free functions. Threads: one. Errors: kUsage where there is nobody to ask; kCancelled at the end
// of input; kIo.
#pragma once

#include <string>

#include "core/config.h"
#include "core/result.h"

namespace mc::apps {

// From the terminal, wherever standard input comes from; without a terminal, the next line of
// standard input. twice: a new one, which is typed again to be sure.
Result<std::string> ask_passphrase(const std::string& prompt, bool twice);

// Takes the place of passphrase_file where that is "-", and of a key where the store wants a
// passphrase, none was given and there is a terminal to ask on.
Result<void> complete_key(Config& config, bool opens_store);

}  // namespace mc::apps
