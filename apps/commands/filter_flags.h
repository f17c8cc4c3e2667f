// SPDX-License-Identifier: Apache-2.0
// Which part of a bank a question is asked of, as flags of a subcommand. Free function.
#pragma once

#include "runtime/recall_filter.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mc::apps {

// --document, --session, --source, --metadata, --since, --until and --as-of. What is given lands in
// filter, which outlives the parser.
void add_filter_flags(CLI::App& app, runtime::RecallFilter& filter);

}  // namespace mc::apps
