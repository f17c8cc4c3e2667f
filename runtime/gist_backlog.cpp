// SPDX-License-Identifier: Apache-2.0
#include "runtime/gist_backlog.h"

#include <algorithm>

namespace mc::runtime {

Result<void> GistBacklog::look_around() {
    if (!seen_) {
        MC_ASSIGN(const CommitNumber last, session_.nodes().last_commit());
        MC_ASSIGN(const auto documents, documents_without_gists(session_.nodes()));
        for (const DocumentRecord& document : documents) waiting_.push_back(document.id);
        seen_ = last;
        return {};
    }
    MC_ASSIGN(const auto entries, session_.nodes().journal_after(*seen_));
    for (const JournalEntry& entry : entries) {
        seen_ = entry.commit;
        const bool is_new = std::ranges::find(waiting_, entry.document) == waiting_.end();
        if (is_new && !entry.tokens.empty()) waiting_.push_back(entry.document);
    }
    return {};
}

Result<bool> GistBacklog::step() {
    MC_TRY(look_around());
    while (!waiting_.empty()) {
        MC_ASSIGN(const GistMaker::Step done,
                  maker_.step(waiting_.front(), kTokensBetweenRequests));
        if (done.tokens > 0) return true;
        waiting_.pop_front();
    }
    return false;
}

}  // namespace mc::runtime
