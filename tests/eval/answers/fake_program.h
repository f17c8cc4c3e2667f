// SPDX-License-Identifier: Apache-2.0
// A program whose reader knows what stands in its prompt and nothing else, and whose memories show
// as much of their text as a row asks for.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "eval/answers/answer_ports.h"
#include "lm/generation/chat_prompt.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::eval::test {

inline std::string text_of(const lm::Tokenizer& tokenizer,
                           const std::vector<lm::Segment>& segments) {
    std::string text;
    for (const lm::Segment& segment : segments) text += tokenizer.decode(segment.tokens);
    return text;
}

// A candidate in the prompt costs one nat, another one a hundred.
class KnowingReader final : public Reader {
  public:
    explicit KnowingReader(const lm::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    Result<Reading> read(const ReadRequest& request) override {
        const std::string text = text_of(tokenizer_, request.prompt);
        prompts.push_back(text);
        Reading reading;
        for (const std::vector<TokenId>& candidate : request.candidates) {
            const std::string words = tokenizer_.decode(candidate);
            const bool known = text.find(words) != std::string::npos;
            reading.candidate_nll.push_back(known ? 1 : 100);
            if (known) reading.written += words;
        }
        reading.entries = text.size();
        return reading;
    }

    std::vector<std::string> prompts;

  private:
    const lm::Tokenizer& tokenizer_;
};

// Rows of passages show the fact, windows show nothing; raw text fits up to a limit.
class ShowingMemory final : public Memory {
  public:
    ShowingMemory(const lm::Tokenizer& tokenizer, MemoryText text)
        : tokenizer_(tokenizer), text_(std::move(text)) {}

    Result<std::optional<RowPrompt>> prompt(const AnswerRow& row, const AnswerItem& item,
                                            const PlacedItem& placed) override {
        if (row.kind == RowKind::kRaw && text_.tokens > kRawTokensMax)
            return std::optional<RowPrompt>();
        MC_ASSIGN(const auto format, lm::ChatFormat::make(tokenizer_));
        MC_ASSIGN(lm::ChatPrompt chat, format->prompt(item.question));
        RowPrompt prompt;
        prompt.segments.push_back(lm::Segment::of_tokens(chat.before_text));
        if (row.kind == RowKind::kPassages) {
            const PlacedFact& fact = placed.facts.front();
            const auto tokens = tokenizer_.encode(text_.documents[fact.document].text);
            prompt.segments.push_back(lm::Segment::of_tokens(
                {tokens.begin() + static_cast<std::ptrdiff_t>(fact.fact.begin),
                 tokens.begin() + static_cast<std::ptrdiff_t>(fact.fact.end)}));
            prompt.found = {{fact.document, fact.fact}};
            prompt.looked = true;
        }
        prompt.segments.push_back(lm::Segment::of_tokens(chat.after_text));
        return std::optional(std::move(prompt));
    }

    static constexpr std::uint64_t kRawTokensMax = 3000;

  private:
    const lm::Tokenizer& tokenizer_;
    MemoryText text_;
};

class FakeProgram final : public AnswerProgram {
  public:
    const lm::Tokenizer& tokenizer() const override { return *tokenizer_; }

    std::span<const std::string_view> sources() const override { return kSources; }

    Reader& reader() override { return reader_; }

    Result<std::unique_ptr<MemoryStore>> open_store(const std::string& cell) override {
        stores.push_back(cell);
        return std::unique_ptr<MemoryStore>(std::make_unique<Store>(*this));
    }

    std::vector<std::string>& prompts() { return reader_.prompts; }

    std::vector<std::string> stores;  // opened, in order
    std::size_t memories = 0;         // opened

  private:
    class Store final : public MemoryStore {
      public:
        explicit Store(FakeProgram& program) : program_(program) {}

        Reader& reader() override { return program_.reader_; }

        Result<std::unique_ptr<Memory>> open(std::size_t, const MemoryText& text) override {
            ++program_.memories;
            return std::unique_ptr<Memory>(
                std::make_unique<ShowingMemory>(program_.tokenizer(), text));
        }

      private:
        FakeProgram& program_;
    };

    static constexpr std::array<std::string_view, 2> kSources{"sentences/bm25",
                                                              "sentences/vectors"};

    std::unique_ptr<lm::Tokenizer> tokenizer_ = lm::test::make_toy_tokenizer();
    KnowingReader reader_{*tokenizer_};
};

}  // namespace mc::eval::test
