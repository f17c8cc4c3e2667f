// SPDX-License-Identifier: Apache-2.0
// One conversation: a document of the bank that grows by a turn at a time, and its newest turns.
//
// A turn, what was said and what was answered, is one durable commit: a kill at any instant leaves
// the conversation at the end of a turn, and opening it again goes on from there. The tokens depend
// on the turns alone, not on how often the conversation was opened. System prompt, pinned facts and
// the number of turns are the document's metadata. Ownership: borrows the bank, which is open for
// writing. Threads: one. Errors: kInvalidInput for a name that another kind of document has; those
// of the store and of the gist encoder, after which the conversation stands at its last turn.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/gist_maker.h"
#include "text/transcript.h"

namespace mc::runtime {

inline constexpr std::string_view kConversationMediaType = "text/x-megacontext-conversation";

// What is told before every turn: never left out, never shortened.
struct ChatProtected {
    std::string system;
    std::vector<std::string> pins;

    bool operator==(const ChatProtected&) const = default;
};

class Conversation {
  public:
    struct KeptTurn {
        text::Turn turn;
        TokenSpan tokens;  // of the document
    };

    // Makes the conversation when it is missing. recent_tokens: how much of its end is kept in
    // memory. Cost: reads the document once, for its hash.
    static Result<std::unique_ptr<Conversation>> open(BankSession& bank, const std::string& name,
                                                      std::uint64_t recent_tokens);

    const DocumentRecord& document() const { return document_; }

    std::uint64_t turn_count() const { return turn_count_; }

    const ChatProtected& told_always() const { return told_always_; }

    // The newest turns, oldest first: as many whole ones as hold no more than recent_tokens.
    const std::deque<KeptTurn>& recent() const { return recent_; }

    // Durable when it returns, and its gists are made. The turn's text is valid UTF-8. Cost: by the
    // turn's length.
    Result<void> append(const text::Turn& turn);

    // Durable when it returns.
    Result<void> set_told_always(const ChatProtected& told);

  private:
    Conversation(BankSession& bank, std::uint64_t recent_tokens)
        : bank_(bank), recent_tokens_(recent_tokens), gists_(bank) {}

    Result<void> find_or_create(const std::string& name);
    Result<void> read_metadata();
    Result<void> check_text();
    Result<void> read_recent();
    void keep(KeptTurn turn);
    IngestBatch batch_of(std::span<const TokenId> tokens) const;
    Result<void> make_gists();

    BankSession& bank_;
    std::uint64_t recent_tokens_;
    DocumentRecord document_;
    ChatProtected told_always_;
    std::uint64_t turn_count_ = 0;
    std::deque<KeptTurn> recent_;
    GistMaker gists_;
};

}  // namespace mc::runtime
