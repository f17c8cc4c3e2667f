// SPDX-License-Identifier: Apache-2.0
// A changed text as a revision of a document: which blocks stand in it again, so that their gists
// need not be made anew.
//
// Blocks are found again wherever they moved to, as rsync finds them (Tridgell, Mackerras 1996,
// "The rsync algorithm"): by a rolling hash over the changed tokens. So that later blocks keep
// their tokens, what is new before them is filled up with blank tokens to whole blocks; a document
// thus holds up to 31 blank tokens for each place at which it was ever changed. Pure. Threads:
// free. Cost: linear but for texts that repeat themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "tree/gist_encoder.h"
#include "tree/node_store.h"

namespace mc {

struct Revision {
    std::vector<TokenId> tokens;  // the changed text, with blank tokens
    // For each whole block of tokens: the block of the old document whose gist it can have, because
    // all that the gist has read stands before the block here too.
    std::vector<std::optional<std::uint64_t>> same_as;
    std::uint64_t kept_blocks = 0;  // of them
};

// old_tokens may hold blank tokens, new_tokens none.
Revision revise(std::span<const TokenId> old_tokens, std::span<const TokenId> new_tokens,
                TokenId blank);

// Hands a builder of the revision the old document's gists where it can, window by window, and has
// the rest made. Requires: encode_windows() is asked for every block of the revision in order.
// Ownership: borrows all. Threads: one. Errors: the encoder's and the store's.
class RevisionEncoder final : public GistEncoder {
  public:
    RevisionEncoder(GistEncoder& encoder, const NodeStore& store, DocumentId old_document,
                    const Revision& revision)
        : encoder_(encoder), store_(store), old_document_(old_document), revision_(revision) {}

    const EncoderInfo& info() const override { return encoder_.info(); }

    Result<std::vector<std::vector<Gist>>> encode_windows(std::span<const ReadWindow> windows,
                                                          bool with_statistics) override;

    Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) override {
        gists_made_ += families.size();
        return encoder_.encode_parents(families);
    }

    std::uint64_t blocks_taken() const { return blocks_taken_; }

    // Of any level.
    std::uint64_t gists_made() const { return gists_made_; }

  private:
    // The gists of a window's new blocks; nullopt when one of them has to be made.
    Result<std::optional<std::vector<Gist>>> known(std::uint64_t block, std::uint64_t count,
                                                   bool with_statistics);

    GistEncoder& encoder_;
    const NodeStore& store_;
    const DocumentId old_document_;
    const Revision& revision_;
    std::uint64_t next_block_ = 0;
    std::uint64_t blocks_taken_ = 0;
    std::uint64_t gists_made_ = 0;
    std::optional<GistGroup> group_;  // read last
};

}  // namespace mc
