// SPDX-License-Identifier: Apache-2.0
// The conditions of delta-nll: what stands between BOS and the horizon in the model's context.
//
// A condition is a cover of the context: parts that follow each other, each a stretch of tokens and
// what stands for it. Value types; pure. The list and the reasons for it: docs/evaluation.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ids.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/measure/encoder_name.h"
#include "eval/measure/named_codec.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// The newest context tokens that stay raw behind gists.
inline constexpr std::uint32_t kRawTail = 64;
// Contexts from here on are long: they also get gists with a raw tail, and last-256.
inline constexpr std::uint32_t kLongContext = 512;
// The mixed cover shows what is older than this many tokens at level 2.
inline constexpr std::uint32_t kMixedLevelOneReach = 2048;

// Contexts of level 3 are longer than what the model reads. Every condition of theirs ends with the
// newest kRawTail tokens raw, and the longest raw stretch that fits stands in for "full".
bool is_deep(const DeltaNllOptions& options);
// Tokens of the context, from its beginning on, whose gists are made.
std::uint32_t gist_tokens(const DeltaNllOptions& options);
// Tokens of the longest raw stretch, a multiple of a gist of level 2; 0 when none fits.
std::uint32_t longest_raw(const DeltaNllOptions& options, const ScorerFacts& facts);

enum class PartKind {
    kTokens,          // the tokens themselves
    kEmbeddingMeans,  // per block one input vector, the mean of its token embeddings
    kZeroGists,       // per node one gist of all-zero keys and values
    kGists,           // per node one gist, from where the condition takes its gists
};

struct Part {
    PartKind kind = PartKind::kTokens;
    TokenSpan span;  // of the window's context
    Level level{1};  // of kGists and kZeroGists; blocks for kEmbeddingMeans

    std::uint32_t entries() const;
};

// Whose gists a condition shows.
enum class GistOrigin {
    kOwn,            // of the window's own context
    kOtherWindow,    // of another window of the same document
    kOtherDocument,  // of a window of another document
    kOptimized,      // own, then fitted to the full context's predictions
};

struct Condition {
    std::string name;
    std::vector<Part> parts;
    GistOrigin origin = GistOrigin::kOwn;
    std::size_t encoder = 0;           // place in DeltaNllOptions::encoders
    std::optional<std::size_t> codec;  // place in the list of codecs: gists pass through it
    std::string control;               // what Rs is measured against; empty: no Rs

    std::uint32_t entries() const;  // of the working context, BOS not counted
    bool needs(PartKind kind) const;
    // Tokens of the context that it shows raw, when it shows nothing else; else 0.
    std::uint32_t raw_tokens_alone() const;
    // Gists of the window itself, when it shows nothing else; else 0.
    std::uint32_t own_gists_alone() const;
    // The optimised gists are made for the first windows of a document only.
    bool covers_window(std::size_t window, const DeltaNllOptions& options) const;
};

// Bytes that a store keeps per token that gists stand for; empty for a condition that is not
// the window's own gists alone, of one level.
std::optional<double> gist_bytes_per_token(const Condition& condition, const GistShape& shape,
                                           std::span<const NamedCodec> codecs);

// In the order of tokens.jsonl. facts: of a scorer with the encoders of the options. Errors: kUsage
// for two conditions of one name.
Result<std::vector<Condition>> conditions_for(const DeltaNllOptions& options,
                                              std::span<const NamedCodec> codecs,
                                              const ScorerFacts& facts);

}  // namespace mc::eval
