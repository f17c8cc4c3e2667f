// SPDX-License-Identifier: Apache-2.0
#include "text/stemmer.h"

#include <libstemmer.h>

#include <algorithm>

#include "core/check.h"
#include "text/terms.h"

namespace mc::text {

Stemmer::Stemmer() : stemmer_(sb_stemmer_new("english", "UTF_8")) {
    MC_CHECK(stemmer_ != nullptr, "libstemmer has English");
}

Stemmer::~Stemmer() {
    sb_stemmer_delete(stemmer_);
}

std::string Stemmer::stem(const std::string& word) {
    const bool plain =
        std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!plain || word.size() > kTermBytesMax) return word;
    const auto* symbols = reinterpret_cast<const sb_symbol*>(word.data());
    const sb_symbol* stem = sb_stemmer_stem(stemmer_, symbols, static_cast<int>(word.size()));
    if (stem == nullptr) return word;  // no memory for it
    return {reinterpret_cast<const char*>(stem),
            static_cast<std::size_t>(sb_stemmer_length(stemmer_))};
}

}  // namespace mc::text
