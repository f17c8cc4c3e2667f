// SPDX-License-Identifier: Apache-2.0
// The sentence embedder: a small published BERT encoder (all-MiniLM-L6-v2 by default), read from
// its folder and run on the CPU. Decision: docs/adr/0015-sentence-embedder.md.
//
// Threads: one thread at a time calls; a call uses the others while it lasts.
#pragma once

#include <memory>
#include <optional>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "tree/text_embedder.h"

namespace mc::embedder {

enum class Precision {
    kAuto,  // f16 where the processor multiplies it (AVX512_FP16), else f32
    kF32,
    kF16,  // weights and activations in f16; cosine with f32's vectors above .999
};

struct EmbedderOptions {
    unsigned thread_count = 0;  // 0: one per core
    Precision precision = Precision::kAuto;
};

// folder: config.json, vocab.txt, model.safetensors, 1_Pooling/config.json. A text is cut after
// the model's tokens_max (256 for MiniLM, about 190 words). Errors: kInvalidInput for a folder
// that lacks a file, whose files are damaged, or that holds another kind of model; kUsage for f16
// on a processor without it. embed() fails with kModel where the weights give no finite vector.
// Cost: reads and packs all weights (90 MB for MiniLM, 0.1 s).
Result<std::unique_ptr<TextEmbedder>> open_sentence_embedder(const Path& folder,
                                                             const EmbedderOptions& options = {});

// The embedder of the setting `embedder`; null for none, and for auto where none is installed.
Result<std::unique_ptr<TextEmbedder>> open_configured_embedder(const Config& config,
                                                               const Environment& environment);

}  // namespace mc::embedder
