// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer_bpe.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "core/check.h"

namespace mc::lm {
namespace {

constexpr std::int32_t kNone = -1;
constexpr TokenId kMergedAway = -1;

std::uint64_t pair_of(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
}

}  // namespace

BpeMerges::BpeMerges(std::size_t merge_count) : slots_(std::bit_ceil(2 * merge_count + 1)) {}

std::size_t BpeMerges::slot_of(std::uint64_t pair) const {
    const std::size_t mask = slots_.size() - 1;
    // Fibonacci hashing: the high bits of the product mix both ids.
    std::size_t i = (pair * 0x9e3779b97f4a7c15ULL) >> 32 & mask;
    while (slots_[i].merged >= 0 && slots_[i].pair != pair) i = (i + 1) & mask;
    return i;
}

bool BpeMerges::add(TokenId left, TokenId right, TokenId merged) {
    MC_CHECK(2 * (static_cast<std::size_t>(count_) + 1) <= slots_.size(), "more merges than room");
    const std::uint64_t pair = pair_of(left, right);
    Slot& slot = slots_[slot_of(pair)];
    if (slot.merged >= 0) return false;
    slot = {pair, count_++, merged};
    return true;
}

const BpeMerges::Slot* BpeMerges::find(TokenId left, TokenId right) const {
    const Slot& slot = slots_[slot_of(pair_of(left, right))];
    return slot.merged >= 0 ? &slot : nullptr;
}

void BpeMerges::append_symbol(BpeScratch& scratch, TokenId id) {
    const auto position = static_cast<std::int32_t>(scratch.symbols.size());
    if (position > 0) scratch.symbols.back().next = position;
    scratch.symbols.push_back({id, position - 1, kNone});
}

void BpeMerges::push_pair(BpeScratch& scratch, std::int32_t position) const {
    if (position == kNone) return;
    const auto& left = scratch.symbols[static_cast<std::size_t>(position)];
    if (left.next == kNone) return;
    const Slot* slot = find(left.id, scratch.symbols[static_cast<std::size_t>(left.next)].id);
    if (slot == nullptr) return;
    scratch.heap.push_back(static_cast<std::uint64_t>(slot->rank) << 32 |
                           static_cast<std::uint32_t>(position));
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
}

void BpeMerges::merge(BpeScratch& scratch, std::vector<TokenId>& tokens) const {
    auto& symbols = scratch.symbols;
    scratch.heap.clear();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
        push_pair(scratch, static_cast<std::int32_t>(i));
    while (!scratch.heap.empty()) {
        std::pop_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
        const std::uint64_t entry = scratch.heap.back();
        scratch.heap.pop_back();
        const auto position = static_cast<std::int32_t>(entry & 0xffffffffU);
        auto& left = symbols[static_cast<std::size_t>(position)];
        // The entry is stale when a neighbour has changed since: each rank names one pair.
        if (left.id == kMergedAway || left.next == kNone) continue;
        auto& right = symbols[static_cast<std::size_t>(left.next)];
        const Slot* slot = find(left.id, right.id);
        if (slot == nullptr || slot->rank != entry >> 32) continue;
        left.id = slot->merged;
        right.id = kMergedAway;
        left.next = right.next;
        if (left.next != kNone) symbols[static_cast<std::size_t>(left.next)].previous = position;
        push_pair(scratch, position);
        push_pair(scratch, left.previous);
    }
    for (const auto& symbol : symbols)
        if (symbol.id != kMergedAway) tokens.push_back(symbol.id);
    symbols.clear();
}

}  // namespace mc::lm
