// SPDX-License-Identifier: Apache-2.0
#include "tree/revision.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "tree/read_window.h"

namespace mc {
namespace {

// Blocks of equal tokens that are remembered: more say nothing new of a text that repeats itself.
constexpr std::size_t kEqualBlocksMax = 8;

// A polynomial modulo 2^64: equality is checked token by token.
constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15ULL;

// Of the last kBlockSize tokens.
class RollingHash {
  public:
    RollingHash() {
        for (std::uint64_t i = 0; i < kBlockSize; ++i) factor_of_oldest_ *= kFactor;
    }

    void push(TokenId token) { value_ = value_ * kFactor + term(token); }

    void drop(TokenId oldest) { value_ -= factor_of_oldest_ * term(oldest); }

    std::uint64_t value() const { return value_; }

  private:
    static std::uint64_t term(TokenId token) { return static_cast<std::uint64_t>(token) + 1; }

    std::uint64_t value_ = 0;
    std::uint64_t factor_of_oldest_ = 1;  // when one more was pushed behind it
};

// Consecutive blocks of the old document that stand in the new text from new_begin to new_end.
struct Run {
    std::uint64_t block_begin = 0;
    std::uint64_t block_end = 0;
    std::uint64_t new_begin = 0;
    std::uint64_t new_end = 0;
};

// Whether a block's gist has read nothing from before the run.
bool is_read_within(const Run& run, std::uint64_t block) {
    return run.block_begin == 0 || (block - run.block_begin) * kBlockSize >= kReadBeforeBlock;
}

// The old document's blocks, by what stands in them.
class OldBlocks {
  public:
    OldBlocks(std::span<const TokenId> tokens, TokenId blank) {
        const std::uint64_t count = tokens.size() / kBlockSize;
        begins_.push_back(0);
        for (std::uint64_t block = 0; block < count; ++block) {
            RollingHash hash;
            for (const TokenId token : tokens.subspan(block * kBlockSize, kBlockSize))
                if (token != blank) {
                    spelled_.push_back(token);
                    hash.push(token);
                }
            if (spelled_.size() - begins_.back() == kBlockSize) {
                auto& equal = by_hash_[hash.value()];
                if (equal.size() < kEqualBlocksMax) equal.push_back(block);
            }
            begins_.push_back(spelled_.size());
        }
    }

    std::uint64_t count() const { return begins_.size() - 1; }

    // Its tokens but for blank ones.
    std::span<const TokenId> spelled(std::uint64_t block) const {
        return std::span(spelled_).subspan(begins_[block], begins_[block + 1] - begins_[block]);
    }

    // A block of exactly these tokens, without blank ones: the first after `last` if there is one.
    std::optional<std::uint64_t> find(std::uint64_t hash, std::span<const TokenId> tokens,
                                      std::uint64_t last) const {
        std::optional<std::uint64_t> found;
        const auto equal = by_hash_.find(hash);
        if (equal == by_hash_.end()) return found;
        for (const std::uint64_t block : equal->second)
            if ((!found || *found < last) && std::ranges::equal(spelled(block), tokens))
                found = block;
        return found;
    }

  private:
    std::vector<TokenId> spelled_;
    std::vector<std::uint64_t> begins_;  // of each block in spelled_, and the end
    std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> by_hash_;
};

class Reviser {
  public:
    Reviser(std::span<const TokenId> old_tokens, std::span<const TokenId> new_tokens, TokenId blank)
        : old_tokens_(old_tokens), new_(new_tokens), blank_(blank), old_(old_tokens, blank) {}

    Revision run() {
        RollingHash hash;
        std::uint64_t hashed = 0;  // tokens pushed since the last run's end
        for (std::uint64_t end = 1; end <= new_.size(); ++end) {
            hash.push(new_[end - 1]);
            if (++hashed > kBlockSize) hash.drop(new_[end - 1 - kBlockSize]);
            if (hashed < kBlockSize) continue;
            const std::uint64_t begin = end - kBlockSize;
            const auto block =
                old_.find(hash.value(), new_.subspan(begin, kBlockSize), last_block_);
            if (!block) continue;
            const Run run = widened({*block, *block + 1, begin, end});
            if (run.block_begin != 0 &&
                (run.block_end - run.block_begin) * kBlockSize < kReadBeforeBlock + kBlockSize)
                continue;  // nothing to be had from it
            take(run);
            end = run.new_end;
            hash = RollingHash();
            hashed = 0;
        }
        append(new_.subspan(taken_));
        made_.same_as.resize(made_.tokens.size() / kBlockSize);
        return std::move(made_);
    }

  private:
    // As far as blocks follow each other in both texts.
    Run widened(Run run) const {
        while (run.block_begin > 0) {
            const auto block = old_.spelled(run.block_begin - 1);
            if (block.size() > run.new_begin - taken_ ||
                !std::ranges::equal(block,
                                    new_.subspan(run.new_begin - block.size(), block.size())))
                break;
            --run.block_begin;
            run.new_begin -= block.size();
        }
        while (run.block_end < old_.count()) {
            const auto block = old_.spelled(run.block_end);
            if (block.size() > new_.size() - run.new_end ||
                !std::ranges::equal(block, new_.subspan(run.new_end, block.size())))
                break;
            ++run.block_end;
            run.new_end += block.size();
        }
        return run;
    }

    void append(std::span<const TokenId> tokens) {
        made_.tokens.insert(made_.tokens.end(), tokens.begin(), tokens.end());
    }

    void take(const Run& run) {
        append(new_.subspan(taken_, run.new_begin - taken_));
        const std::uint64_t whole = (made_.tokens.size() + kBlockSize - 1) & ~(kBlockSize - 1);
        made_.tokens.resize(whole, blank_);
        made_.same_as.resize(whole / kBlockSize);
        append(old_tokens_.subspan(run.block_begin * kBlockSize,
                                   (run.block_end - run.block_begin) * kBlockSize));
        for (std::uint64_t block = run.block_begin; block < run.block_end; ++block) {
            const bool is_kept = is_read_within(run, block);
            made_.same_as.push_back(is_kept ? std::optional(block) : std::nullopt);
            made_.kept_blocks += is_kept ? 1 : 0;
        }
        taken_ = run.new_end;
        last_block_ = run.block_end;
    }

    std::span<const TokenId> old_tokens_;
    std::span<const TokenId> new_;
    const TokenId blank_;
    const OldBlocks old_;
    std::uint64_t taken_ = 0;       // new tokens that stand in made_
    std::uint64_t last_block_ = 0;  // behind the last run
    Revision made_;
};

}  // namespace

Revision revise(std::span<const TokenId> old_tokens, std::span<const TokenId> new_tokens,
                TokenId blank) {
    return Reviser(old_tokens, new_tokens, blank).run();
}

Result<std::optional<std::vector<Gist>>> RevisionEncoder::known(std::uint64_t block,
                                                                std::uint64_t count,
                                                                bool with_statistics) {
    const auto same_as = std::span(revision_.same_as).subspan(block, count);
    if (!std::ranges::all_of(same_as, [](const auto& old) { return old.has_value(); }))
        return std::optional<std::vector<Gist>>();
    std::vector<Gist> gists;
    for (const auto& old : same_as) {
        const NodeId node{old_document_, Level(1), NodeIndex(*old)};
        const NodeIndex parent = parent_of(node).index;
        if (!group_ || group_->parent != parent) {
            MC_ASSIGN(group_, store_.find_gists(old_document_, Level(1), parent));
        }
        if (!group_ || slot_in_parent(node) >= group_->gists.size())
            return fail(ErrorCode::kCorruption,
                        "the store has no gist for " + to_string(node) + "; run verify");
        gists.push_back(group_->gists[slot_in_parent(node)]);
        if (with_statistics && std::isnan(gists.back().statistics.mean_nll))
            return std::optional<std::vector<Gist>>();
    }
    return std::optional(std::move(gists));
}

Result<std::vector<std::vector<Gist>>> RevisionEncoder::encode_windows(
    std::span<const ReadWindow> windows, bool with_statistics) {
    std::vector<std::vector<Gist>> gists(windows.size());
    std::vector<ReadWindow> missing;
    std::vector<std::size_t> missing_at;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const std::uint64_t count =
            (windows[i].tokens.size() - windows[i].context_count) / kBlockSize;
        MC_CHECK(next_block_ + count <= revision_.same_as.size(), "blocks beyond the revision");
        MC_ASSIGN(auto found, known(next_block_, count, with_statistics));
        next_block_ += count;
        if (found) {
            blocks_taken_ += count;
            gists[i] = std::move(*found);
        } else {
            gists_made_ += count;
            missing.push_back(windows[i]);
            missing_at.push_back(i);
        }
    }
    if (missing.empty()) return gists;
    MC_ASSIGN(auto made, encoder_.encode_windows(missing, with_statistics));
    MC_CHECK(made.size() == missing.size(), "one list of gists per window");
    for (std::size_t i = 0; i < made.size(); ++i) gists[missing_at[i]] = std::move(made[i]);
    return gists;
}

}  // namespace mc
