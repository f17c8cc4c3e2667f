// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run gist-probes`, once its options are read.
#pragma once

#include "apps/commands/command.h"
#include "eval/gist_probes/gist_probes.h"

namespace mc::apps {

// Opens the model, measures with a progress bar, and prints the table or its JSON.
Result<int> eval_gist_probes(Invocation& invocation, const eval::GistProbeOptions& options);

}  // namespace mc::apps
