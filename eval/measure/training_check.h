// SPDX-License-Identifier: Apache-2.0
// Refuses to measure on a document that was trained on.
#pragma once

#include <span>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/measure/document_plan.h"
#include "eval/measure/overlap.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// Reads and tokenises every training document once, one at a time. Errors: kInvalidInput for a
// training document that cannot be read, and for a measured one that equals one of them or shares
// more than kOverlapShareMax of its n-grams with them.
Result<TrainingCheck> check_training(const Scorer& scorer, std::span<const Path> train_documents,
                                     std::span<const DocumentPlan> documents);

}  // namespace mc::eval
