// SPDX-License-Identifier: Apache-2.0
// Whether a document that is measured was seen in training: by hash, and by shared n-grams.
//
// An n-gram is kOverlapGram tokens in a row, known by a 64-bit hash: two of a million grams collide
// with a probability of 3e-8. Pure. Value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"

namespace mc::eval {

inline constexpr std::size_t kOverlapGram = 50;
// A document that shares more of its n-grams with training text is refused. Quotations of one book
// in another and a publisher's notice stay below; another edition of the same book does not.
inline constexpr double kOverlapShareMax = 0.01;

// The distinct n-grams of one document, and which of them other documents hold too.
class GramIndex {
  public:
    explicit GramIndex(std::span<const TokenId> document);

    // Marks the n-grams that `other` holds.
    void mark(std::span<const TokenId> other);

    std::size_t gram_count() const { return grams_.size(); }

    // Held by any document that was marked.
    std::size_t shared_count() const;

  private:
    std::vector<std::uint64_t> grams_;  // sorted
    std::vector<bool> is_shared_;
    std::vector<bool> may_hold_;  // by the hash's leading bits: most n-grams end here
};

struct TrainDocument {
    std::string name;
    Hash128 content_hash;
    std::uint64_t token_count = 0;
};

// What one measured document shares with all that was trained on.
struct TrainOverlap {
    std::string document;
    std::size_t gram_count = 0;
    std::size_t shared_count = 0;

    double share() const {
        return gram_count == 0
                   ? 0
                   : static_cast<double>(shared_count) / static_cast<double>(gram_count);
    }
};

struct TrainingCheck {
    std::vector<TrainDocument> train_documents;
    std::vector<TrainOverlap> overlaps;  // one per measured document; none without training ones
};

}  // namespace mc::eval
