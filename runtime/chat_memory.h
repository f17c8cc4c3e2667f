// SPDX-License-Identifier: Apache-2.0
// What a conversation remembers when something is said: passages of its older turns that help.
//
// As a question finds passages (focus_session.h), with two differences: what the reader sees anyway
// is not looked for, and a passage that only asks is passed over, since the same question asked
// before is what is most like a question and tells nothing. Ownership: borrows the bank. Threads:
// one. Errors: the index's, the embedder's and the store's. Cost: one search, which grows with the
// bank as any search does, and not with the conversation's number of turns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/search/evidence.h"

namespace mc::runtime {

struct ChatQuery {
    std::string message;
    DocumentId conversation;
    std::uint64_t shown_begin = 0;  // the reader sees the conversation from this token on
    bool with_documents = false;    // look into the bank's other documents too
};

// Best first, none overlapping; empty when no passage is likely to help.
Result<std::vector<Stretch>> find_chat_memory(BankSession& bank, const ChatQuery& query);

}  // namespace mc::runtime
