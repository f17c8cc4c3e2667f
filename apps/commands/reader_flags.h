// SPDX-License-Identifier: Apache-2.0
// A reader that is not the base model, as flags of a subcommand. Never a setting of a file or of
// the environment: what is sent elsewhere is said each time. Ownership: outlives the parser.
// Errors: kUsage for an address that is none, and for a key that would be sent in the open.
#pragma once

#include <optional>

#include "core/config.h"
#include "core/result.h"
#include "reader/chat_server.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mc::apps {

class ReaderFlags {
  public:
    // --reader, --reader-model and --reader-timeout; gives --reader back.
    CLI::Option* add(CLI::App& app);

    // What was given, with its key from the environment; nullopt for the base model.
    Result<std::optional<reader::ChatServer>> server(const Environment& environment) const;

  private:
    reader::ChatServer server_;
};

}  // namespace mc::apps
