// SPDX-License-Identifier: Apache-2.0
// A question, its candidates with their signals, and what showing them did to its reader: the lines
// of labels.jsonl, which LensNet is trained on.
//
// Value types. Errors: kCorruption for a line that is none, or whose numbers are not finite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "lensnet/signals.h"

namespace mc::lensnet {

struct LabelledCandidate {
    std::uint64_t document = 0;
    TokenSpan tokens;
    Signals signals;
    bool holds_fact = false;  // has the value of a fact that the question asks for
    double gain = 0;          // nats, fitted to the readings (subset_regression.h)
    double gist_gain = 0;     // nats: its blocks' gists alone, against nothing
};

// ln p(right answer), in nats, where the reader was shown some candidates.
struct SubsetReading {
    std::vector<std::size_t> shown;  // ascending
    double likelihood = 0;
};

struct LabelledQuestion {
    std::string family;
    std::string task;
    std::uint64_t length = 0;  // tokens of the memory
    std::size_t item = 0;
    std::string question;
    bool is_told = false;  // the memory has the answer
    std::vector<LabelledCandidate> candidates;
    std::vector<SubsetReading> readings;  // the first is of nothing
    // Correlation of the gains that every second reading gives with those that the others give.
    double reliability = 0;

    // Of the candidates; those that are left out are 0.
    std::vector<Signals> signals(std::span<const Signal> without = {}) const;
};

std::string to_line(const LabelledQuestion& question);
Result<LabelledQuestion> parse_labelled_question(std::string_view line);

}  // namespace mc::lensnet
