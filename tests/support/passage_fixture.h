// SPDX-License-Identifier: Apache-2.0
// Passages and indexes of them for tests: texts in documents one token a word, and vectors of
// words, so that texts with the same words are near each other.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "storage/index/sqlite_passage_index.h"

namespace mc::storage {

inline Passage passage_at(std::uint64_t document, std::uint64_t begin, std::uint64_t count = 10) {
    return {DocumentId(document), {begin, begin + count}};
}

// Passages of ten tokens, one after the other.
inline std::vector<PassageText> document_of(std::uint64_t document,
                                            const std::vector<std::string>& texts) {
    std::vector<PassageText> passages;
    for (const std::string& text : texts)
        passages.push_back({passage_at(document, passages.size() * 10), text});
    return passages;
}

// At unit length; the sum of one random direction for each three letters that follow each other.
inline std::vector<float> vector_of(const std::string& text, std::uint32_t dim) {
    std::vector<float> sum(dim);
    for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
        Rng rng(std::hash<std::string>{}(text.substr(i, 3)));
        for (float& x : sum) x += static_cast<float>(rng.uniform()) - 0.5F;
    }
    float square = 1e-9F;
    for (const float x : sum) square += x * x;
    for (float& x : sum) x /= std::sqrt(square);
    return sum;
}

inline std::vector<float> vectors_of(const std::vector<PassageText>& passages, std::uint32_t dim) {
    std::vector<float> all;
    for (const PassageText& passage : passages) {
        const auto one = vector_of(passage.text, dim);
        all.insert(all.end(), one.begin(), one.end());
    }
    return all;
}

inline TextEmbedderInfo test_embedder(std::uint32_t dim, std::uint64_t hash = 7) {
    return {dim == 0 ? "" : "letters", {hash, hash}, dim};
}

inline PassageIndexOptions passage_options(const Path& path, SqliteAccess access,
                                           std::uint32_t dim = 0) {
    PassageIndexOptions options;
    options.path = path;
    options.access = access;
    options.embedder = test_embedder(dim);
    return options;
}

// Opens or ends the test with the error.
inline std::unique_ptr<PassageIndex> index_or_die(PassageIndexOptions options) {
    auto index = open_sqlite_passage_index(std::move(options));
    if (!index) {
        ADD_FAILURE() << index.error().to_string();
        std::abort();
    }
    return std::move(*index);
}

inline std::vector<Passage> passages_of(const Result<std::vector<PassageHit>>& hits) {
    EXPECT_TRUE(hits) << hits.error().to_string();
    std::vector<Passage> passages;
    if (hits)
        for (const PassageHit& hit : *hits) passages.push_back(hit.passage);
    return passages;
}

}  // namespace mc::storage
