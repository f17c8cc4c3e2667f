// SPDX-License-Identifier: Apache-2.0
#include "tree/remake_gists.h"

#include <algorithm>
#include <utility>

#include "core/span_math.h"
#include "tree/gist_statistics.h"
#include "tree/read_window.h"

namespace mc {
namespace {

// Families handed to the encoder at once: some ten megabytes of gists.
constexpr std::size_t kFamiliesPerCall = 16;

class Remaking {
  public:
    Remaking(const NodeStore& store, const DocumentRecord& document, GistEncoder& encoder,
             const ChangedText& text)
        : store_(store), document_(document), encoder_(encoder), text_(text) {}

    Result<std::vector<NewGist>> run(std::span<const TokenSpan> changed) {
        MC_TRY(find_statistics());
        for (const TokenSpan stretch : stretches_of(changed)) MC_TRY(remake_blocks(stretch));
        std::size_t level_begin = 0;
        for (Level level{1}; level_begin < made_.size(); ++level.value) {
            const std::size_t level_end = made_.size();
            MC_TRY(remake_parents(level, level_begin));
            level_begin = level_end;
        }
        return std::move(made_);
    }

  private:
    // Where gists are to be made anew: whole blocks, apart from each other.
    std::vector<TokenSpan> stretches_of(std::span<const TokenSpan> changed) const {
        const std::uint64_t end = document_.gist_end;
        std::vector<TokenSpan> stretches;
        for (const TokenSpan span : changed) {
            const TokenSpan read{tail_begin(span.begin), std::min(read_end(span), end)};
            if (read.begin >= read.end) continue;
            if (!stretches.empty() && read.begin <= stretches.back().end)
                stretches.back().end = std::max(stretches.back().end, read.end);
            else
                stretches.push_back(read);
        }
        return stretches;
    }

    // As the document was ingested.
    Result<void> find_statistics() {
        MC_ASSIGN(const auto found, has_statistics(store_, document_));
        with_statistics_ = found.value_or(false);
        return {};
    }

    Result<void> remake_blocks(TokenSpan fresh) {
        const std::uint64_t text_begin = read_window_begin(fresh.begin);
        MC_ASSIGN(const auto text, text_({text_begin, fresh.end}));
        while (fresh.begin < fresh.end) {
            const auto windows = first_read_windows(text, text_begin, fresh);
            MC_ASSIGN(auto gists_of_windows, encoder_.encode_windows(windows, with_statistics_));
            MC_CHECK(gists_of_windows.size() == windows.size(), "one list of gists per window");
            for (std::size_t w = 0; w < windows.size(); ++w) {
                const std::size_t count = windows[w].tokens.size() - windows[w].context_count;
                MC_CHECK(gists_of_windows[w].size() * kBlockSize == count, "one gist per block");
                for (Gist& gist : gists_of_windows[w]) {
                    made_.push_back({{document_.id, Level(1), node_holding(fresh.begin, Level(1))},
                                     std::move(gist)});
                    fresh.begin += kBlockSize;
                }
            }
        }
        return {};
    }

    // The parents that exist of the nodes of a level, which stand in made_ from begin on.
    Result<void> remake_parents(Level level, std::size_t begin) {
        const std::size_t end = made_.size();
        std::vector<std::vector<Gist>> families;
        std::vector<NodeId> parents;
        for (std::size_t i = begin; i < end;) {
            const NodeId parent = parent_of(made_[i].node);
            const bool exists = parent.index.value < node_count(document_.gist_end, parent.level);
            if (exists) {
                MC_ASSIGN(auto family, siblings(level, parent.index));
                parents.push_back(parent);
                families.push_back(std::move(family));
            }
            for (; i < end && parent_of(made_[i].node) == parent; ++i)
                if (exists) families.back().at(slot_in_parent(made_[i].node)) = made_[i].gist;
            if (families.size() == kFamiliesPerCall) MC_TRY(encode(families, parents));
        }
        return encode(families, parents);
    }

    Result<void> encode(std::vector<std::vector<Gist>>& families, std::vector<NodeId>& parents) {
        if (families.empty()) return {};
        MC_ASSIGN(std::vector<Gist> gists, encoder_.encode_parents(std::vector<SiblingGists>(
                                               families.begin(), families.end())));
        MC_CHECK(gists.size() == parents.size(), "one gist per family");
        for (std::size_t i = 0; i < gists.size(); ++i)
            made_.push_back({parents[i], std::move(gists[i])});
        families.clear();
        parents.clear();
        return {};
    }

    Result<std::vector<Gist>> siblings(Level level, NodeIndex parent) const {
        MC_ASSIGN(auto group, store_.find_gists(document_.id, level, parent));
        const std::uint64_t count = node_count(document_.gist_end, level);
        const std::uint64_t wanted =
            std::min(kBlockSize, count - std::min(count, parent.value * kBlockSize));
        if (group && group->gists.size() == wanted) return std::move(group->gists);
        return fail(ErrorCode::kCorruption,
                    "the gists below " +
                        to_string(NodeId{document_.id, Level(level.value + 1), parent}) +
                        " do not match the document's length; run verify");
    }

    const NodeStore& store_;
    const DocumentRecord& document_;
    GistEncoder& encoder_;
    const ChangedText& text_;
    bool with_statistics_ = false;
    std::vector<NewGist> made_;
};

}  // namespace

Result<std::vector<NewGist>> remake_gists(const NodeStore& store, const DocumentRecord& document,
                                          GistEncoder& encoder, std::span<const TokenSpan> changed,
                                          const ChangedText& text) {
    return Remaking(store, document, encoder, text).run(changed);
}

}  // namespace mc
