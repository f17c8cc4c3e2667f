// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/memory_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/span_math.h"
#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/token_spans.h"

namespace mc::eval {
namespace {

// Facts take at most one token in so many.
constexpr std::uint64_t kFactShareDivisor = 2;

// How far a stretch of text may begin behind the one before it, and how far its length may be from
// what was asked, when it must end at one of 32 places: first near, then as far as needed.
constexpr std::pair<std::size_t, std::uint64_t> kReaches[] = {{12, 48}, {48, 96}, {256, 384}};

// A fact on its way into a memory.
struct Loose {
    const Fact* fact = nullptr;
    std::size_t group = 0;
    std::optional<std::size_t> item;  // none: it belongs to no question
    std::size_t place = 0;            // of the item's facts
    std::optional<BlockPlace> wanted;
    std::uint64_t tokens = 0;
};

std::uint64_t tokens_of(const Fact& fact, const lm::Tokenizer& tokenizer) {
    return tokenizer.encode(" " + fact.text).size();
}

std::vector<Loose> loose_facts(const ItemSet& set, std::size_t group_index,
                               const lm::Tokenizer& tokenizer) {
    const FactGroup& group = set.groups[group_index];
    std::vector<Loose> out;
    for (const std::size_t index : group.items) {
        const AnswerItem& item = set.items[index];
        for (std::size_t f = 0; f < item.facts.size(); ++f)
            out.push_back({&item.facts[f], group_index, index, f,
                           f == 0 ? std::optional(item.place) : std::nullopt,
                           tokens_of(item.facts[f], tokenizer)});
    }
    std::vector<Loose> others;
    for (const Fact& fact : group.others)
        others.push_back(
            {&fact, group_index, std::nullopt, 0, std::nullopt, tokens_of(fact, tokenizer)});
    out.insert(group.is_story ? out.begin() : out.end(), others.begin(), others.end());
    return out;
}

struct Bin {
    std::vector<Loose> facts;
    std::vector<std::size_t> items;
    std::set<std::string> topics;
    std::uint64_t tokens = 0;
};

// Groups into as few memories as hold them, in order; empty when one does not fit.
std::vector<Bin> pack_groups(const ItemSet& set, std::uint64_t room,
                             const lm::Tokenizer& tokenizer) {
    std::vector<Bin> bins;
    for (std::size_t g = 0; g < set.groups.size(); ++g) {
        const FactGroup& group = set.groups[g];
        std::vector<Loose> facts = loose_facts(set, g, tokenizer);
        std::uint64_t tokens = 0;
        for (const Loose& fact : facts) tokens += fact.tokens;
        if (tokens > room) return {};
        const auto takes = [&](const Bin& bin) {
            return bin.tokens + tokens <= room && !bin.topics.contains(group.topic);
        };
        auto bin = std::ranges::find_if(bins, takes);
        if (bin == bins.end()) bin = bins.insert(bins.end(), Bin());
        bin->tokens += tokens;
        bin->topics.insert(group.topic);
        bin->items.insert(bin->items.end(), group.items.begin(), group.items.end());
        bin->facts.insert(bin->facts.end(), facts.begin(), facts.end());
    }
    return bins;
}

// Random order, but the facts of a story stay in theirs.
void mix(std::vector<Loose>& facts, const ItemSet& set, Rng& rng) {
    std::map<std::size_t, std::vector<Loose>> told;  // by group, in order
    for (const Loose& fact : facts)
        if (set.groups[fact.group].is_story) told[fact.group].push_back(fact);
    shuffle(facts, rng);
    std::map<std::size_t, std::size_t> next;
    for (Loose& fact : facts) {
        const auto story = told.find(fact.group);
        if (story != told.end()) fact = story->second[next[story->first]++];
    }
}

// Takes sentences from the pool one after the other, from a random place on, around its end.
class TextSource {
  public:
    TextSource(const SentencePool& pool, Rng& rng)
        : pool_(pool), at_(rng.below(pool.sentences.size())) {}

    // Adds sentences of about so many tokens, at least one. With end_offset: so that the text then
    // ends at this token of a block. False: no stretch does.
    bool append(std::string& text, std::uint64_t& tokens, std::uint64_t count,
                std::optional<std::uint64_t> end_offset) {
        for (const auto& [starts, distance] : kReaches) {
            const Stretch found = find(tokens, count, end_offset, starts, distance);
            if (found.sentences == 0) continue;
            at_ += found.skipped;
            for (std::size_t i = 0; i < found.sentences; ++i, ++at_) {
                text += tokens == 0 ? at(at_).bare() : std::string_view(at(at_).text);
                tokens += tokens_at(at_, tokens == 0);
            }
            return true;
        }
        return false;
    }

  private:
    struct Stretch {
        std::size_t skipped = 0;
        std::size_t sentences = 0;
    };

    const Sentence& at(std::size_t index) const {
        return pool_.sentences[index % pool_.sentences.size()];
    }

    std::uint64_t tokens_at(std::size_t index, bool is_first) const {
        return is_first ? at(index).first_tokens : at(index).tokens;
    }

    // The stretch whose length is nearest to count, of the first that begin within starts.
    Stretch find(std::uint64_t before, std::uint64_t count, std::optional<std::uint64_t> end_offset,
                 std::size_t starts, std::uint64_t distance) const {
        Stretch best;
        std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
        for (std::size_t skipped = 0; skipped < starts; ++skipped) {
            std::uint64_t length = 0;
            for (std::size_t n = 0; length <= count + distance; ++n) {
                const bool fits = !end_offset || (before + length) % kBlockSize == *end_offset;
                const std::uint64_t off = length > count ? length - count : count - length;
                if (n > 0 && fits && off < least) {
                    least = off;
                    best = {skipped, n};
                }
                length += tokens_at(at_ + skipped + n, before + n == 0);
            }
            if (!end_offset) break;
        }
        return best;
    }

    const SentencePool& pool_;
    std::size_t at_;
};

// Lengths of the stretches of text around so many facts: random, with the given sum.
std::vector<std::uint64_t> draw_gaps(std::size_t facts, std::uint64_t tokens, Rng& rng) {
    std::vector<std::uint64_t> cuts = {0, tokens};
    for (std::size_t i = 0; i < facts; ++i) cuts.push_back(rng.below(tokens + 1));
    std::ranges::sort(cuts);
    std::vector<std::uint64_t> gaps;
    for (std::size_t i = 1; i < cuts.size(); ++i) gaps.push_back(cuts[i] - cuts[i - 1]);
    return gaps;
}

struct Landing {
    const Loose* fact;
    ByteSpan bytes;  // with the space before it, which belongs to its first token
};

// Byte positions of the facts become token positions of the text as it is.
void place_facts(MemoryText& memory, const ItemSet& set, std::span<const Landing> landings,
                 const lm::Tokenizer& tokenizer) {
    const TokenBounds bounds(tokenizer, memory.documents.front().text);
    memory.tokens = bounds.token_count();
    for (PlacedItem& item : memory.items) item.facts.resize(set.items[item.item].facts.size());
    for (const Landing& landing : landings) {
        if (!landing.fact->item) continue;
        const auto item = std::ranges::find(memory.items, *landing.fact->item, &PlacedItem::item);
        const Fact& fact = *landing.fact->fact;
        const std::uint64_t value = landing.bytes.begin + 1 + fact.text.find(fact.value);
        PlacedFact& placed = item->facts[landing.fact->place];
        placed.fact = bounds.tokens_of(landing.bytes);
        placed.value = bounds.tokens_of({value, value + fact.value.size()});
    }
}

Result<MemoryText> splice(const ItemSet& set, Bin bin, const SentencePool& pool,
                          std::uint64_t tokens, Rng& rng, const lm::Tokenizer& tokenizer) {
    mix(bin.facts, set, rng);
    TextSource source(pool, rng);
    MemoryText memory;
    for (const std::size_t item : bin.items) memory.items.push_back({item, {}, {}});
    memory.documents = {{"text", {}}};
    std::string& text = memory.documents.front().text;
    std::vector<Landing> landings;
    const std::vector<std::uint64_t> gaps = draw_gaps(bin.facts.size(), tokens - bin.tokens, rng);
    std::uint64_t length = 0;
    std::uint64_t owed = 0;  // what earlier stretches were too short, so that lengths add up
    for (std::size_t f = 0; f <= bin.facts.size(); ++f) {
        const Loose* fact = f < bin.facts.size() ? &bin.facts[f] : nullptr;
        std::optional<std::uint64_t> end_offset;
        if (fact != nullptr && fact->wanted) end_offset = block_offset(*fact->wanted, fact->tokens);
        owed += gaps[f];
        const std::uint64_t before = length;
        if (!source.append(text, length, owed, end_offset))
            return fail(ErrorCode::kInvalidInput,
                        "no stretch of the documents brings a fact to its place; give more text");
        owed -= std::min(owed, length - before);
        if (fact == nullptr) break;
        const std::uint64_t begin = text.size();
        text += " " + fact->fact->text;
        landings.push_back({fact, {begin, text.size()}});
        length += fact->tokens;
    }
    place_facts(memory, set, landings, tokenizer);
    return memory;
}

}  // namespace

Result<std::vector<MemoryText>> plan_memories(const ItemSet& set, const SentencePool& pool,
                                              std::uint64_t tokens, Rng rng,
                                              const lm::Tokenizer& tokenizer) {
    std::vector<MemoryText> memories;
    for (Bin& bin : pack_groups(set, tokens / kFactShareDivisor, tokenizer)) {
        MC_ASSIGN(MemoryText memory, splice(set, std::move(bin), pool, tokens, rng, tokenizer));
        memories.push_back(std::move(memory));
    }
    return memories;
}

Result<std::vector<MemoryText>> plan_document_memories(const ItemSet& set, const SentencePool& pool,
                                                       std::uint64_t tokens, Rng rng,
                                                       const lm::Tokenizer& tokenizer) {
    const std::uint64_t per_memory = tokens / kWholeDocumentTokens;
    std::vector<MemoryText> memories;
    if (per_memory == 0) return memories;
    TextSource source(pool, rng);
    for (std::size_t next = 0; next < set.items.size();) {
        MemoryText memory;
        for (std::uint64_t d = 0; d < per_memory; ++d) {
            MemoryDocument document{"text-" + std::to_string(d + 1), {}};
            if (next < set.items.size()) {
                memory.items.push_back({next, {}, d});
                document.text = set.items[next++].document;
            } else {
                std::uint64_t length = 0;
                source.append(document.text, length, kWholeDocumentTokens, std::nullopt);
            }
            memory.tokens += tokenizer.encode(document.text).size();
            memory.documents.push_back(std::move(document));
        }
        memories.push_back(std::move(memory));
    }
    return memories;
}

Result<MemoryText> plan_sentence_memory(const ItemSet& set, std::size_t documents, Rng rng,
                                        const lm::Tokenizer& tokenizer) {
    if (documents < set.items.size())
        return fail(ErrorCode::kUsage, std::to_string(documents) + " documents cannot hold " +
                                           std::to_string(set.items.size()) +
                                           " facts; ask for fewer items");

    struct Draft {
        std::string text;
        std::optional<std::size_t> item;
    };

    std::vector<Draft> drafts;
    for (std::size_t i = 0; i < set.items.size(); ++i)
        drafts.push_back({set.items[i].facts.front().text, i});
    for (std::string& text : other_sentences(set, documents, rng))
        drafts.push_back({std::move(text), std::nullopt});
    shuffle(drafts, rng);
    MemoryText memory;
    for (Draft& draft : drafts) {
        const TokenBounds bounds(tokenizer, draft.text);
        memory.tokens += bounds.token_count();
        if (draft.item) {
            const Fact& fact = set.items[*draft.item].facts.front();
            const std::uint64_t value = fact.text.find(fact.value);
            const PlacedFact placed{memory.documents.size(),
                                    {0, bounds.token_count()},
                                    bounds.tokens_of({value, value + fact.value.size()})};
            memory.items.push_back({*draft.item, {placed}, {}});
        }
        memory.documents.push_back(
            {"note-" + std::to_string(memory.documents.size() + 1), std::move(draft.text)});
    }
    return memory;
}

Result<std::vector<MemoryText>> plan_family(const ItemSet& set, const SentencePool& pool,
                                            std::uint64_t length, std::uint64_t seed,
                                            const lm::Tokenizer& tokenizer) {
    const Rng rng = rng_for(seed, set.family + "/" + std::to_string(length));
    if (set.family == kWholeDocument)
        return plan_document_memories(set, pool, length, rng, tokenizer);
    if (set.family != kOneSentence) return plan_memories(set, pool, length, rng, tokenizer);
    std::vector<MemoryText> memories;
    MC_ASSIGN(MemoryText memory, plan_sentence_memory(set, length, rng, tokenizer));
    memories.push_back(std::move(memory));
    return memories;
}

}  // namespace mc::eval
