// SPDX-License-Identifier: Apache-2.0
// Byte pair encoding of one pre-token: merges the pair of lowest rank, leftmost first, until none
// is left (Sennrich et al. 2016, as in GPT-2 and HF tokenizers).
//
// Internal to lm/tokenizer. Threads: const, free; a BpeScratch is for one thread.
// Cost: O(n log n) in the pre-token's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/ids.h"

namespace mc::lm {

// Working memory that is kept from one pre-token to the next.
struct BpeScratch {
    struct Symbol {
        TokenId id = 0;  // negative once merged into its left neighbour
        std::int32_t previous = 0;
        std::int32_t next = 0;
    };

    std::vector<Symbol> symbols;
    std::vector<std::uint64_t> heap;  // rank in the high half, position in the low half
};

class BpeMerges {
  public:
    // Room for a number of merges.
    explicit BpeMerges(std::size_t merge_count);

    // Ranks follow the order of the calls. False when the pair is there already.
    bool add(TokenId left, TokenId right, TokenId merged);

    // Merges scratch.symbols' ids, given through append_symbol, and appends the result to tokens.
    void merge(BpeScratch& scratch, std::vector<TokenId>& tokens) const;

    static void append_symbol(BpeScratch& scratch, TokenId id);

  private:
    struct Slot {
        std::uint64_t pair = 0;  // left id in the high half
        std::uint32_t rank = 0;
        TokenId merged = -1;  // negative: the slot is free
    };

    const Slot* find(TokenId left, TokenId right) const;
    std::size_t slot_of(std::uint64_t pair) const;
    void push_pair(BpeScratch& scratch, std::int32_t position) const;

    std::vector<Slot> slots_;  // open addressing, linear probing, a power of two
    std::uint32_t count_ = 0;
};

}  // namespace mc::lm
