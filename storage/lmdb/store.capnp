# SPDX-License-Identifier: Apache-2.0
# Every value of a store's databases (docs/storage-format.md). Fields are only ever appended.
@0xd2a4c6b01f3e7a95;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("mc::storage::schema");

struct Hash {
    high @0 :UInt64;
    low @1 :UInt64;
}

struct Meta {
    formatVersion @0 :UInt32;
    blockSize @1 :UInt32;
    createdUs @2 :Int64;
    codec @3 :UInt16;
    baseModelName @4 :Text;
    baseModelHash @5 :Hash;
    tokenizerHash @6 :Hash;
    encoderName @7 :Text;
    encoderHash @8 :Hash;
    layerCount @9 :UInt32;
    kvHeadCount @10 :UInt32;
    headDim @11 :UInt32;
    indexDim @12 :UInt32;
    gistBytes @13 :UInt32;     # of one encoded gist; 0: as the codec alone says
    codebookHash @14 :Hash;    # of the file; absent: the codec needs none
}

struct Counters {
    nextBank @0 :UInt32;
    nextDocument @1 :UInt64;
    lastCommit @2 :UInt64;
}

struct Bank {
    id @0 :UInt32;
    createdUs @1 :Int64;
    logCreatedNs @2 :Int64;  # the log that it follows; 0: none
    logSequence @3 :UInt64;  # of the entry that was applied last (bank_log.cpp)
}

struct Document {
    sourceName @0 :Text;
    mediaType @1 :Text;
    createdUs @2 :Int64;
    updatedUs @3 :Int64;
    tokenCount @4 :UInt64;
    byteCount @5 :UInt64;
    contentHash @6 :Hash;
    complete @7 :Bool;
    metadata @8 :List(Entry);
    gistCounts @9 :List(UInt64);  # gists stored at levels 1, 2, …
    version @10 :UInt32;      # of the contents that its name had, from 1; 0 in older records: 1
    supersededUs @11 :Int64;  # when other content took its place; 0: it stands

    struct Entry {
        key @0 :Text;
        value @1 :Text;
    }
}

# The documents of one bank whose source name has the key's hash: the one that stands, unless two
# names collide, and its versions.
struct SourceLink {
    documents @0 :List(UInt64);
}

struct TokenChunk {
    firstByte @0 :UInt64;  # offset in the document of the first token's first byte
    width @1 :UInt16;      # bytes per token id: 2 or 4
    ids @2 :Data;          # little-endian
}

struct GistGroup {
    count @0 :UInt16;
    codec @1 :UInt16;
    encoderHash @2 :Hash;
    kv @3 :Data;            # count encoded gists
    indexVectors @4 :Data;  # (count, I) binary16, little-endian
    meanNll @5 :List(Float32);
    meanEntropy @6 :List(Float32);
    logMass @7 :Data;  # (count, L, H) int8 steps of 1/16 nat; absent: 0, as in all older records
}

# Use of the up to 32 children of one parent, by slot.
struct UseGroup {
    accessCounts @0 :List(UInt32);
    lastUsedUs @1 :List(Int64);
}

struct JournalEntry {
    document @0 :UInt64;
    tokenBegin @1 :UInt64;
    tokenEnd @2 :UInt64;
    addedUs @3 :Int64;  # 0: no text was added, or by a program that did not say when
}

# What stays of a forgotten document, and what announces that one is to be forgotten.
struct Tombstone {
    forgottenUs @0 :Int64;
    tokenCount @1 :UInt64;
    reason @2 :Text;  # as the user gave it; nothing of the content
    parts @3 :List(Span);  # of an announcement: what of the document; none: all of it

    struct Span {
        begin @0 :UInt64;  # tokens
        end @1 :UInt64;
    }
}

# What a document was converted from; its bytes lie in pieces.
struct Original {
    kind @0 :Text;
    byteCount @1 :UInt64;
    hash @2 :Hash;  # of the bytes
    places @3 :List(Place);

    struct Place {
        begin @0 :UInt64;  # byte of the document's text, ascending
        label @1 :Text;
    }
}

struct OriginalPiece {
    bytes @0 :Data;
}

# An instruction, and the gists that stand for it in a prompt.
struct Macro {
    createdUs @0 :Int64;
    text @1 :Text;
    tokenCount @2 :UInt32;
    baseModelName @3 :Text;
    baseModelHash @4 :Hash;
    recipeHash @5 :Hash;     # of all that the gists were made from
    steps @6 :UInt32;
    seed @7 :UInt64;
    count @8 :UInt16;
    kv @9 :Data;             # count gists of binary16, (L, 2, H, D) each
    logMass @10 :Data;       # (count, L, H) int8 steps of 1/16 nat; absent: 0
    nllNone @11 :Float32;    # nats a token of the instruction's answers to inputs kept for this:
    nllFull @12 :Float32;    # without it, with it,
    nllGists @13 :Float32;   # with the gists
    seconds @14 :Float32;    # that making them took
}
