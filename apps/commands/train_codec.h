// SPDX-License-Identifier: Apache-2.0
// `megacontext train codec`: a codebook of the codec pq for the gists of one encoder.
// Threads: one. Errors: those of runtime/train_codec.h and of what it opens.
#pragma once

#include <string>
#include <vector>

#include "apps/commands/command.h"
#include "runtime/train_codec.h"

namespace mc::apps {

class TrainCodecCommand {
  public:
    // Adds the subcommand to `train`.
    void define(CLI::App& train, ConfigLayer& flags);
    // Whether it is the one that was asked for.
    bool chosen() const;
    Result<int> run(Invocation& invocation);

  private:
    std::string command_line(const std::string& encoder) const;

    CLI::App* app_ = nullptr;
    std::vector<std::string> documents_;
    std::string output_;
    runtime::TrainCodecOptions options_;
};

}  // namespace mc::apps
