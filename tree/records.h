// SPDX-License-Identifier: Apache-2.0
// What the tree layer knows of banks, documents and commits; storage decides how they lie on disk.
// Value types.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"
#include "core/span_math.h"
#include "tree/gist.h"
#include "tree/original.h"

namespace mc {

struct BankRecord {
    BankId id;
    std::string name;
    std::int64_t created_us = 0;
};

// An append-only stream of tokens in a bank, with its provenance.
struct DocumentRecord {
    DocumentId id;
    BankId bank;
    std::string source_name;  // path or name as the user gave it; unique in a bank
    std::string media_type;   // "text/plain" unless told otherwise
    std::int64_t created_us = 0;
    std::int64_t updated_us = 0;
    std::uint64_t token_count = 0;
    // Tokens below it have their gists, of every level; a multiple of kBlockSize. The store says it
    // of the gists that it holds; what a caller writes there is not looked at.
    std::uint64_t gist_end = 0;
    std::uint64_t byte_count = 0;  // ingest offset: bytes of the source that the tokens stand for
    Hash128 content_hash;          // XXH3-128 of those bytes
    bool complete = false;         // the source was read to its end
    std::map<std::string, std::string> metadata;
    // Which of the contents that its name had, from 1; other content may take the place of a
    // document, which stays as a version then.
    std::uint32_t version = 1;
    std::int64_t superseded_us = 0;  // of a version: when that was; 0: the document stands
};

// Whether a document was replaced and kept: no list, search or name leads to it.
inline bool is_superseded(const DocumentRecord& document) {
    return document.superseded_us != 0;
}

// Whether a document is what its name said at a time.
inline bool was_in_force(const DocumentRecord& document, std::int64_t at_us) {
    return document.created_us <= at_us &&
           (!is_superseded(document) || at_us < document.superseded_us);
}

// Tokens of whole blocks that have no gist yet.
inline std::uint64_t tokens_without_gists(const DocumentRecord& document) {
    return tail_begin(document.token_count) - document.gist_end;
}

// Everything that one commit adds to one document. All or nothing.
struct IngestBatch {
    DocumentRecord document;  // as it stands after the batch
    std::vector<TokenId> tokens;
    std::vector<std::uint16_t> token_sizes_bytes;  // one per token; their sum is the bytes added
    std::vector<NewGist> gists;                    // level by level, each in order of index
};

// One line of the journal: what a commit added, so that caches can catch up.
struct JournalEntry {
    CommitNumber commit;
    DocumentId document;
    TokenSpan tokens;  // positions that this commit added, or whose text it took away
    // From when on they count as added; 0: it added none, or an older program did.
    std::int64_t added_us = 0;
};

// What stays of a document that was forgotten: nothing of its content.
struct Tombstone {
    DocumentId document;
    std::int64_t forgotten_us = 0;
    std::uint64_t token_count = 0;
    std::string reason;  // as the user gave it, maybe empty
    // Of an announcement: what is to be forgotten of the document, ascending; empty: all of it.
    std::vector<TokenSpan> parts = {};
};

// A new document in the place of one that is kept as a version.
struct Succession {
    DocumentId old;
    std::int64_t at_us = 0;  // the end of the old one, not 0
    // Of the name; the older ones are announced to be forgotten.
    std::uint64_t versions_kept = 1;
    std::string reason;  // of those announcements
};

// Tokens that become blank, and the bytes that they spelled.
struct BlankedRun {
    TokenSpan tokens;
    std::uint64_t byte_count = 0;
};

// What forgetting a part of a document changes. Positions of tokens stay, so the tree keeps its
// shape; blank tokens spell nothing, so bytes after them come earlier. All or nothing.
struct Redaction {
    DocumentRecord document;           // as it stands afterwards
    TokenId blank = 0;                 // what the tokens of the runs become
    std::vector<BlankedRun> runs;      // ascending; none crosses a multiple of kTokenMarkStride
    std::vector<NewGist> gists;        // in the place of those of the same nodes, in order of node
    std::vector<TokenSpan> unindexed;  // what indexes lack of it now, for the journal
    std::vector<Place> places;         // of what the document was converted from, which goes
};

// A token position and the byte offset at which it starts.
struct TokenByteMark {
    std::uint64_t token = 0;
    std::uint64_t byte = 0;
};

// Use of one node by questions; kept apart from the gists because it changes.
struct NodeUse {
    std::uint32_t access_count = 0;
    std::int64_t last_used_us = 0;
};

}  // namespace mc
