// SPDX-License-Identifier: Apache-2.0
// The suite retrieval of `megacontext eval run`: its options beside those of every suite.
//
// Ownership, threads, errors: as Command.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/commands/command.h"
#include "eval/retrieval/retrieval.h"

namespace mc::apps {

class RetrievalSuite {
  public:
    // Returns the options that belong to this suite alone.
    std::vector<CLI::Option*> define(CLI::App& run);

    // documents, output, seed: of every suite.
    Result<int> run(Invocation& invocation, const std::vector<std::string>& documents,
                    const std::string& output, std::uint64_t seed);

  private:
    std::string command_line(const std::vector<std::string>& documents) const;

    eval::RetrievalOptions options_;
};

// A word as a POSIX shell takes it, so that the recorded command can be pasted.
std::string shell_word(const std::string& word);

}  // namespace mc::apps
