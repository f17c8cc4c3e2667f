// SPDX-License-Identifier: Apache-2.0
// Plain passages from a bank's own index, sentence by sentence: by words, by vectors, by both as a
// question ranks them.
//
// Ownership: borrows the session. Threads: one. Errors: the index's and the embedder's.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "eval/answers/passage_source.h"
#include "runtime/bank_session.h"

namespace mc::eval {

// Their names, in the order of the table.
std::span<const std::string_view> sentence_source_names();

std::vector<std::unique_ptr<PassageSource>> sentence_sources(runtime::BankSession& bank);

}  // namespace mc::eval
