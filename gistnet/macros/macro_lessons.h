// SPDX-License-Identifier: Apache-2.0
// What an instruction is taught with: messages of a user's, and what the model answers to them when
// it reads the whole instruction.
//
// The model makes both: with the instruction before it, it goes on where a user's message would
// stand, drawn from its own predictions by seed, and answers that greedily. So no text of anybody
// else's is needed, and the messages are such as the instruction expects.
// Value types. Threads: one, with the model. Errors: kOverBudget for an instruction that leaves no
// room in the model's context; kCancelled; those of the model.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"
#include "lm/generation/chat_prompt.h"

namespace mc::gistnet {

// Steps of the work in hand that are done, and in all.
using MacroProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct Lesson {
    std::vector<TokenId> message;
    std::vector<TokenId> answer;  // not empty; with the end of the turn where the model ended it
};

struct LessonOptions {
    std::uint32_t count = 16;
    std::uint32_t message_tokens_max = 16;
    std::uint32_t answer_tokens_max = 32;
    std::uint64_t seed = 1;
    MacroProgress progress;
    const std::atomic<bool>* cancelled = nullptr;
};

// No two have the same message. May be fewer than count where the model has no more to say. Cost:
// one reading of the instruction, then a token at a time: 48 tokens a lesson.
Result<std::vector<Lesson>> write_lessons(const lm::BaseModel& model, const lm::TurnFrame& frame,
                                          std::span<const TokenId> instruction,
                                          const LessonOptions& options);

// A prompt with entries where the instruction would stand: tokens, gists, or nothing.
std::vector<lm::Segment> prompt_behind(const lm::TurnFrame& frame, const lm::Segment& instruction,
                                       std::span<const TokenId> message);

// The model's greedy answer to what a sequence holds, with the end of the turn where the model
// ended it; appended to the sequence but for that end. Empty where it has nothing to say.
Result<std::vector<TokenId>> write_greedily(const lm::BaseModel& model, lm::Sequence& sequence,
                                            std::uint32_t tokens_max);

// Nats of every token of the lessons' answers behind such entries.
Result<std::vector<std::vector<float>>> score_lessons(const lm::BaseModel& model,
                                                      const lm::TurnFrame& frame,
                                                      const lm::Segment& instruction,
                                                      std::span<const Lesson> lessons);

// The mean over all tokens of such a scoring.
double mean_nll(const std::vector<std::vector<float>>& scored);

}  // namespace mc::gistnet
