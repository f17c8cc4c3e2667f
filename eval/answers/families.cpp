// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/families.h"

#include <algorithm>
#include <array>

#include "core/hash.h"

namespace mc::eval {
namespace {

constexpr std::array<std::string_view, 9> kFamilies{"single-fact",   "key-value-1", "key-value-16",
                                                    "key-value-128", "people",      "cloze",
                                                    kWholeDocument,  kOneSentence,  kAbsent};

// Requires: check_family().
ItemSet make_family(std::string_view family, std::size_t count, const Rng& rng,
                    const ItemSources& sources) {
    const lm::Tokenizer& tokenizer = sources.tokenizer;
    if (family == "single-fact") return make_single_facts(count, rng, tokenizer);
    if (family == kAbsent) return make_absent(count, rng, tokenizer);
    if (family == "key-value-1") return make_key_values(count, 1, rng, tokenizer);
    if (family == "key-value-16") return make_key_values(count, 16, rng, tokenizer);
    if (family == "key-value-128") return make_key_values(count, 128, rng, tokenizer);
    if (family == "people") return make_people(count, rng, tokenizer);
    if (family == "cloze") return make_cloze(count, rng, sources);
    if (family == kWholeDocument) return make_whole_documents(count, rng, sources);
    MC_CHECK(family == kOneSentence, "the family was checked");
    return make_one_sentences(count, rng, tokenizer);
}

}  // namespace

Result<void> check_family(std::string_view family) {
    if (std::ranges::find(kFamilies, family) != kFamilies.end()) return {};
    std::string names;
    for (const std::string_view name : kFamilies)
        names += (names.empty() ? "" : ", ") + std::string(name);
    return fail(ErrorCode::kUsage, "no family '" + std::string(family) + "'; there are " + names);
}

std::span<const std::string_view> family_names() {
    return kFamilies;
}

Rng rng_for(std::uint64_t seed, std::string_view purpose) {
    Rng seeds(seed);
    return Rng(seeds.next() ^ xxh3_64(std::as_bytes(std::span(purpose))));
}

Result<ItemSet> make_items(std::string_view family, std::size_t count, std::uint64_t seed,
                           const ItemSources& sources) {
    MC_TRY(check_family(family));
    ItemSet set = make_family(family, count, rng_for(seed, family), sources);
    if (set.items.empty() && count > 0)
        return fail(ErrorCode::kInvalidInput, "the documents yield no question of family " +
                                                  std::string(family) + "; give more text");
    set.family = family;
    for (std::size_t i = 0; i < set.items.size(); ++i)
        set.items[i].place = kBlockPlaces[i % kBlockPlaces.size()];
    return set;
}

}  // namespace mc::eval
