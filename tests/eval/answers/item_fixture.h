// SPDX-License-Identifier: Apache-2.0
// Made-up documents and the tokenizers that laws of items and memories are checked with: the toy
// one, and the default model's where it is installed.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/rng.h"
#include "eval/answers/sentence_pool.h"
#include "tests/eval/fake_scorer.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::eval::test {

struct NamedTokenizer {
    std::string name;
    std::unique_ptr<lm::Tokenizer> tokenizer;
};

inline std::vector<NamedTokenizer> all_tokenizers() {
    std::vector<NamedTokenizer> all;
    all.push_back({"toy", lm::test::make_toy_tokenizer()});
    if (!std::filesystem::exists(MC_DEFAULT_MODEL)) return all;
    auto tokenizer = lm::Tokenizer::open(MC_DEFAULT_MODEL);
    MC_CHECK(tokenizer.has_value(), tokenizer.error().to_string());
    all.push_back({"default model", std::move(*tokenizer)});
    return all;
}

// A novel of invented words: sentences of many lengths, some at the start of a paragraph, some with
// a name or a number in them; every chapter has a hero and a word of its own.
inline std::string made_up_text(std::uint64_t seed, int sentence_count) {
    static constexpr std::array kNames{"Alma", "Bert", "Cora", "Dirk", "Edna", "Fred",
                                       "Gwen", "Hans", "Inga", "Jack", "Kurt", "Lena"};
    Rng rng(seed);
    std::string text;
    for (int sentence = 0; sentence < sentence_count; ++sentence) {
        const auto chapter = static_cast<std::size_t>(sentence / 150);
        text += "It";
        for (std::uint64_t word = 0; word < 2 + rng.below(10); ++word) {
            text += ' ';
            for (std::uint64_t i = 0; i < 1 + rng.below(7); ++i)
                text += static_cast<char>('a' + rng.below(26));
        }
        if (rng.below(3) == 0)
            text += std::string(" ") + kNames[(chapter + rng.below(5) / 4) % 12] + " sat";
        if (rng.below(3) == 0)
            text += " topic" + std::string(2, static_cast<char>('a' + chapter % 12));
        if (rng.below(4) == 0) text += " " + std::to_string(10 + rng.below(90)) + " times";
        text += sentence % 7 == 6 ? ".\n\n" : ". ";
    }
    return text;
}

// A pool of one such document.
inline SentencePool made_up_pool(const lm::Tokenizer& tokenizer, int sentence_count = 3000) {
    const TestFolder folder;
    const Path book = folder.write("book.txt", made_up_text(5, sentence_count));
    auto pool = read_sentences(std::vector{book}, tokenizer);
    MC_CHECK(pool.has_value(), pool.error().to_string());
    return std::move(*pool);
}

}  // namespace mc::eval::test
