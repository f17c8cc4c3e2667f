// SPDX-License-Identifier: Apache-2.0
#include "tree/document_builder.h"

#include <algorithm>
#include <utility>

#include "tree/read_window.h"

namespace mc {
namespace {

Error open_group_error(DocumentId document, Level level, NodeIndex parent, std::size_t found,
                       std::uint64_t wanted) {
    return Error(ErrorCode::kCorruption,
                 "the gists below " + to_string(NodeId{document, Level(level.value + 1), parent}) +
                     " do not match the document's length: " + std::to_string(found) + " stored, " +
                     std::to_string(wanted) + " expected; run verify");
}

}  // namespace

Result<std::unique_ptr<DocumentBuilder>> DocumentBuilder::resume(const NodeStore& store,
                                                                 const DocumentRecord& document,
                                                                 GistEncoder& encoder,
                                                                 bool with_statistics) {
    std::unique_ptr<DocumentBuilder> builder(
        new DocumentBuilder(document.id, encoder, with_statistics));
    builder->token_count_ = document.gist_end;
    builder->encoded_end_ = document.gist_end;
    builder->buffer_begin_ = read_window_begin(builder->encoded_end_);
    MC_ASSIGN(builder->buffer_,
              store.read_tokens(document.id, {builder->buffer_begin_, document.gist_end}));

    for (Level level{1}; node_count(document.gist_end, level) > 0; ++level.value) {
        const std::uint64_t count = node_count(document.gist_end, level);
        const std::uint64_t open_count = count % kBlockSize;
        std::vector<Gist>& open = builder->open_.emplace_back();
        if (open_count == 0) continue;
        const NodeIndex parent(count / kBlockSize);
        MC_ASSIGN(auto group, store.find_gists(document.id, level, parent));
        const std::size_t found = group ? group->gists.size() : 0;
        if (found != open_count) {
            return fail(open_group_error(document.id, level, parent, found, open_count));
        }
        open = std::move(group->gists);
    }
    return builder;
}

std::unique_ptr<DocumentBuilder> DocumentBuilder::begin(GistEncoder& encoder,
                                                        bool with_statistics) {
    return std::unique_ptr<DocumentBuilder>(
        new DocumentBuilder(DocumentId(), encoder, with_statistics));
}

Result<std::vector<NewGist>> DocumentBuilder::append(std::span<const TokenId> tokens) {
    if (tokens.size() >= kDocumentTokensMax - token_count_) {
        return fail(ErrorCode::kInvalidInput,
                    "document " + std::to_string(document_.value) + " would reach the limit of " +
                        std::to_string(kDocumentTokensMax) + " tokens; start another document");
    }
    buffer_.insert(buffer_.end(), tokens.begin(), tokens.end());
    token_count_ += tokens.size();

    MC_ASSIGN(std::vector<NewGist> made, encode_blocks());
    std::size_t level_begin = 0;
    for (Level level{1}; level_begin < made.size(); ++level.value) {
        const std::size_t level_end = made.size();
        MC_ASSIGN(std::vector<NewGist> parents,
                  encode_level_above(std::span(made).subspan(level_begin), level));
        std::move(parents.begin(), parents.end(), std::back_inserter(made));
        level_begin = level_end;
    }
    return made;
}

Result<std::vector<NewGist>> DocumentBuilder::encode_blocks() {
    const std::uint64_t blocks_end = tail_begin(token_count_);
    std::vector<NewGist> made;
    while (encoded_end_ < blocks_end) {
        const auto windows = first_read_windows(buffer_, buffer_begin_, {encoded_end_, blocks_end});
        MC_ASSIGN(auto gists_of_windows, encoder_.encode_windows(windows, with_statistics_));
        MC_CHECK(gists_of_windows.size() == windows.size(), "one list of gists per window");
        for (std::size_t w = 0; w < windows.size(); ++w) {
            const std::size_t new_count = windows[w].tokens.size() - windows[w].context_count;
            MC_CHECK(gists_of_windows[w].size() * kBlockSize == new_count, "one gist per block");
            for (Gist& gist : gists_of_windows[w]) {
                const NodeIndex index = node_holding(encoded_end_, Level(1));
                made.push_back({{document_, Level(1), index}, std::move(gist)});
                encoded_end_ += kBlockSize;
            }
        }
    }
    const std::uint64_t keep_begin = read_window_begin(encoded_end_);
    buffer_.erase(buffer_.begin(),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(keep_begin - buffer_begin_));
    buffer_begin_ = keep_begin;
    return made;
}

Result<std::vector<NewGist>> DocumentBuilder::encode_level_above(std::span<const NewGist> made,
                                                                 Level level) {
    if (open_.size() < level.value) open_.resize(level.value);
    std::vector<Gist>& open = open_[level.value - 1U];
    const NodeIndex first_parent((made.front().node.index.value - open.size()) / kBlockSize);
    for (const NewGist& child : made) open.push_back(child.gist);

    std::vector<SiblingGists> families;
    for (std::size_t begin = 0; begin + kBlockSize <= open.size(); begin += kBlockSize) {
        families.push_back(std::span(open).subspan(begin, kBlockSize));
    }
    std::vector<NewGist> parents;
    if (families.empty()) return parents;
    MC_ASSIGN(std::vector<Gist> gists, encoder_.encode_parents(families));
    MC_CHECK(gists.size() == families.size(), "one gist per family");
    for (std::size_t i = 0; i < gists.size(); ++i) {
        const NodeIndex index(first_parent.value + i);
        parents.push_back({{document_, Level(level.value + 1), index}, std::move(gists[i])});
    }
    open.erase(open.begin(),
               open.begin() + static_cast<std::ptrdiff_t>(families.size() * kBlockSize));
    return parents;
}

}  // namespace mc
