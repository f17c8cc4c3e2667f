// SPDX-License-Identifier: Apache-2.0
#include "runtime/bank_session.h"

#include <utility>

#include "runtime/forget.h"

namespace mc::runtime {
namespace {

// What may wait to be indexed: work that the next opening would do if the program were killed.
constexpr std::uint64_t kTokensWaitingMax = 4096;
constexpr std::uint64_t kCommitsWaitingMax = 256;

}  // namespace

Result<std::unique_ptr<BankSession>> BankSession::open(Engine& engine, std::string_view bank_name,
                                                       bool create) {
    std::unique_ptr<BankSession> session(new BankSession(engine));
    if (create) {
        MC_ASSIGN(const auto known, engine.store().find_bank(bank_name));
        if (!known) MC_TRY(engine.store().create_bank(bank_name));
    }
    MC_ASSIGN(session->nodes_, engine.store().bank_store(bank_name));
    session->text_ = std::make_unique<BankText>(*session->nodes_, engine.tokenizer());
    if (engine.store().writable()) MC_TRY(finish_forgetting(*session));
    return session;
}

Result<BankSearch*> BankSession::search(const IndexProgress& progress) {
    if (!search_) {
        MC_ASSIGN(TextEmbedder* const embedder, engine_.embedder());
        MC_ASSIGN(search_, BankSearch::open(*text_, engine_.store(), embedder, progress));
    }
    return search_.get();
}

Result<void> BankSession::index_soon(std::uint64_t tokens_committed) {
    tokens_waiting_ += tokens_committed;
    ++commits_waiting_;
    if (tokens_waiting_ < kTokensWaitingMax && commits_waiting_ < kCommitsWaitingMax) return {};
    return index_now();
}

Result<void> BankSession::index_now() {
    MC_ASSIGN(BankSearch* const searched, search());
    MC_TRY(searched->catch_up());
    tokens_waiting_ = commits_waiting_ = 0;
    return {};
}

}  // namespace mc::runtime
