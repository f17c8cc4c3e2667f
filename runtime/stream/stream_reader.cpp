// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream/stream_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::runtime {
namespace {

// A window of so many entries makes room for a block at a time, a larger one for as many more: what
// moves entries costs by their number.
constexpr std::uint64_t kEntriesABlock = 512;

// Tokens that the gist in place `index` of its level stands for.
constexpr std::uint64_t tokens_of(std::size_t index) {
    return std::uint64_t{kBlockSize} << (kBlockBits * index);
}

}  // namespace

GistFloors gist_floors(std::uint64_t budget) {
    return {budget / 16, budget / 64};
}

std::uint64_t StreamCounts::entries() const {
    std::uint64_t entries = 1 + raw;
    for (const std::uint64_t of_level : gists) entries += of_level;
    return entries;
}

StreamReader::StreamReader(const lm::BaseModel& model, GistEncoder* encoder, std::uint64_t budget,
                           const GistFloors& floors)
    : encoder_(encoder), budget_(budget), floors_(floors), sequence_(model.new_sequence()) {
    if (encoder_) supply_.emplace(*encoder_);
}

Result<std::unique_ptr<StreamReader>> StreamReader::make(const lm::BaseModel& model,
                                                         GistEncoder* encoder, std::uint64_t budget,
                                                         std::optional<GistFloors> floors) {
    const std::uint64_t longest = model.config().context_length;
    if (budget < kStreamBudgetMin || budget > longest)
        return fail(ErrorCode::kOverBudget,
                    "a stream's window has " + std::to_string(kStreamBudgetMin) + " to " +
                        std::to_string(longest) + " entries, not " + std::to_string(budget));
    const GistFloors chosen = floors.value_or(gist_floors(budget));
    std::unique_ptr<StreamReader> reader(new StreamReader(model, encoder, budget, chosen));
    const lm::Segment bos = lm::Segment::of_tokens({model.tokenizer().bos()});
    MC_TRY(reader->sequence_->append(std::span(&bos, 1)));
    return reader;
}

Result<std::vector<float>> StreamReader::read(std::span<const TokenId> tokens) {
    std::vector<float> nll;
    nll.reserve(tokens.size());
    while (!tokens.empty()) {
        const std::uint64_t to_border = kBlockSize - counts_.tokens % kBlockSize;
        if (to_border == kBlockSize) MC_TRY(make_room(kBlockSize));
        const auto piece = tokens.first(std::min<std::uint64_t>(to_border, tokens.size()));
        MC_ASSIGN(const auto scored, sequence_->score(piece));
        nll.insert(nll.end(), scored.begin(), scored.end());
        counts_.tokens += piece.size();
        counts_.raw += piece.size();
        if (supply_) MC_TRY(supply_gists(piece));
        counts_.entries_max = std::max(counts_.entries_max, counts_.entries());
        tokens = tokens.subspan(piece.size());
    }
    return nll;
}

// Gists are made while blocks are still raw, two at a step until all that is raw has one and then
// one: from the half of the window on, so that a text that fits has none made in vain.
Result<void> StreamReader::supply_gists(std::span<const TokenId> tokens) {
    supply_->append(tokens);
    if (counts_.tokens % kBlockSize != 0 || 2 * counts_.entries() < budget_) return {};
    MC_TRY(supply_->advance());
    return supply_->advance();
}

// At a block's border, so that all raw tokens are whole blocks.
Result<void> StreamReader::make_room(std::uint64_t entries) {
    while (counts_.entries() + entries > budget_) {
        const std::uint64_t blocks = std::max<std::uint64_t>(1, budget_ / kEntriesABlock);
        MC_CHECK(counts_.raw > blocks * kBlockSize, "the newest block stays raw");
        MC_TRY(collapse_raw(blocks));
        for (std::size_t level = 0; level < kStreamLevels; ++level) {
            const bool is_highest = level + 1 == kStreamLevels;
            while (is_highest && counts_.gists[level] > floors_[level]) MC_TRY(leave_out(level));
            while (!is_highest && counts_.gists[level] >= floors_[level] + kBlockSize)
                MC_TRY(collapse_family(level));
        }
    }
    return {};
}

// Position of a level's first gist; coarser ones stand before it.
std::uint64_t StreamReader::begin_of(std::size_t level) const {
    std::uint64_t begin = 1;
    for (std::size_t coarser = level + 1; coarser < kStreamLevels; ++coarser)
        begin += counts_.gists[coarser];
    return begin;
}

Result<void> StreamReader::collapse_raw(std::uint64_t blocks) {
    const auto begin = static_cast<std::uint32_t>(counts_.entries() - counts_.raw);
    const auto tokens = static_cast<std::uint32_t>(blocks * kBlockSize);
    std::vector<lm::Segment> replacement;
    if (supply_) {
        std::vector<const Gist*> gists;
        for (std::uint64_t i = 0; i < blocks; ++i) {
            MC_ASSIGN(Gist gist, supply_->take());
            gists_[0].push_back(std::move(gist));
            gists.push_back(&gists_[0].back());
        }
        counts_.gists[0] += blocks;
        replacement.push_back(lm::Segment::of_gists(std::move(gists)));
    } else {
        counts_.left_out += tokens;
    }
    MC_TRY(sequence_->splice(begin, begin + tokens, replacement));
    counts_.raw -= tokens;
    counts_.edits += 1;
    return {};
}

Result<void> StreamReader::collapse_family(std::size_t level) {
    std::deque<Gist>& children = gists_[level];
    std::vector<Gist> family;
    for (std::size_t i = 0; i < kBlockSize; ++i) {
        family.push_back(std::move(children.front()));
        children.pop_front();
    }
    const SiblingGists siblings(family);
    MC_ASSIGN(auto parents, encoder_->encode_parents(std::span(&siblings, 1)));
    const auto begin = static_cast<std::uint32_t>(begin_of(level));
    std::deque<Gist>& above = gists_[level + 1];
    above.push_back(std::move(parents.front()));
    const lm::Segment replacement = lm::Segment::of_gists({&above.back()});
    MC_TRY(sequence_->splice(begin, begin + kBlockSize, std::span(&replacement, 1)));
    counts_.gists[level] -= kBlockSize;
    counts_.gists[level + 1] += 1;
    counts_.edits += 1;
    return {};
}

Result<void> StreamReader::leave_out(std::size_t level) {
    const auto begin = static_cast<std::uint32_t>(begin_of(level));
    MC_TRY(sequence_->splice(begin, begin + 1, {}));
    gists_[level].pop_front();
    counts_.gists[level] -= 1;
    counts_.left_out += tokens_of(level);
    counts_.edits += 1;
    return {};
}

}  // namespace mc::runtime
