// SPDX-License-Identifier: Apache-2.0
// The JSON files of a sentence embedder's folder.
//
// Pure functions of the files. Errors: kInvalidInput that names file and field, also for a BERT
// that computes otherwise (cased, relative positions, another activation or pooling).
#pragma once

#include "core/files.h"
#include "core/result.h"
#include "embedder/bert_folder.h"

namespace mc::embedder {

Result<BertConfig> read_bert_config(const Path& folder);

}  // namespace mc::embedder
