// SPDX-License-Identifier: Apache-2.0
// The memory as an agent uses it: remember, recall, read, forget, status, on one open engine.
//
// Every interface of the program comes through here or through the very functions that this calls
// (append_text, ingest_text, FocusSession, plan_forget), so none can differ from another.
//
// A text or a file of its own becomes a document, named by the caller, or after its content:
// telling the same thing twice is one document. A message is appended to the document of its
// session, as a line
// "[event time] role: text". When remember() returns, the text is durable and can be found; its
// gists are made by make_some_gists(). A
// repeated idempotency key is answered with what the first call did; a session knows the last
// kMessageKeysMax keys. Ownership: owns the engine and the open banks. Threads: one, the engine's.
// Errors: kInvalidInput for a request that cannot be taken, before anything is changed; those of
// the functions named above.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reader/chat_server.h"
#include "runtime/bank_summary.h"
#include "runtime/batch_apply.h"
#include "runtime/engine.h"
#include "runtime/focus_session.h"
#include "runtime/forget.h"
#include "runtime/gist_backlog.h"
#include "runtime/ingest.h"
#include "runtime/recall_filter.h"
#include "runtime/tree_walk.h"
#include "runtime/versions.h"

namespace mc::runtime {

// Longest text of one call: half a minute's work for the embedder on two cores, which is as long as
// a client waits that is told nothing meanwhile.
inline constexpr std::uint64_t kRememberBytesMax = 512 * 1024;

// Longest file that a document may be given as; a book with pictures has that as PDF. Also the
// longest text of one that is taken in step by step, with word of how far it has come.
inline constexpr std::uint64_t kFileBytesMax = 16 * 1024 * 1024;

// Most of a document that one read() gives back.
inline constexpr std::uint64_t kReadBytesMax = 256 * 1024;

// Keyed messages that a session remembers having taken: retries come soon or not at all.
inline constexpr std::size_t kMessageKeysMax = 64;

struct RememberRequest {
    std::string bank;  // empty, here and below: the configured one
    std::string text;
    std::string file;     // a document's bytes in place of text; media_type or name say what it is
    std::string name;     // of the document; empty: after its content, or its key
    std::string session;  // append to this session's document instead
    std::string role;     // who says it; of a message
    std::string idempotency_key;
    std::string event_time;  // when it happened, RFC 3339: "2026-03-01" or "2026-03-01T12:30:00Z"
    std::string media_type;  // of a document; empty: text/plain
    std::map<std::string, std::string> metadata;  // of a document
    std::uint64_t bytes_max = kRememberBytesMax;  // most text of a document
};

struct Remembered {
    DocumentRecord document;
    IngestOutcome outcome = IngestOutcome::kIngested;
    ByteSpan bytes;  // of the document that hold the text
};

struct Recollection {
    QueryReport report;
    std::uint64_t token_count = 0;  // of the passages
    std::optional<Answer> answer;
};

struct RecallRequest {
    std::string bank;
    // In place of bank, several whose passages are ranked together (runtime/bank_choice.h); one of
    // them may be kAllBanks.
    std::vector<std::string> banks;
    std::string question;
    RecallFilter filter;
    std::size_t passages_max = 5;
    // Most tokens of all passages together, and entries of the window that an answer is read from.
    std::optional<std::uint64_t> tokens_max;
    std::optional<AnswerOptions> answer;  // let the base model answer
    // Called with what was found, before an answer is begun.
    std::function<void(const Recollection&)> on_found;
};

struct ReadRequest {
    std::string bank;
    std::string document;  // "d7", "7" or the source name
    std::optional<std::uint64_t> begin;
    std::optional<std::uint64_t> end;
    bool original = false;       // the bytes of its file, which begin and end count then
    VersionChoice version = {};  // what it said before
};

struct ReadResult {
    DocumentRecord document;
    ByteSpan bytes;                // shorter than asked for where that is more than kReadBytesMax
    std::uint64_t byte_count = 0;  // of the whole
    std::string media_type;
    std::string text;  // of an original, bytes of any kind
};

struct ForgetRequest {
    std::string bank;
    ForgetChoice choice;
    std::string reason;
    bool dry_run = true;
};

struct MemoryStatus {
    std::string bank;  // the configured one
    std::string base_model;
    std::string encoder;
    bool has_vectors = false;  // an embedder is in use
    std::string gist_fault;    // why making gists failed last, empty when it did not
    std::vector<BankSummary> banks;
};

class Remembering;

class Memory {
  public:
    // Opens the store for writing and makes it, and the configured bank, where they are missing.
    static Result<std::unique_ptr<Memory>> open(const Config& config, telemetry::Metrics& metrics);

    // Makes the bank when it is missing.
    Result<Remembered> remember(const RememberRequest& request);
    // remember() of a document, step by step (runtime/remembering.h). Borrows the memory.
    // Requires: the request names no session.
    Result<std::unique_ptr<Remembering>> begin_remember(const RememberRequest& request);
    // A bank without text is no error, nor a filter that no text fits: nothing is known then. Cost:
    // a search in every bank.
    Result<Recollection> recall(const RecallRequest& request);
    Result<ReadResult> read(const ReadRequest& request);
    // The plan, carried out unless it is a dry run.
    Result<ForgetReport> forget(const ForgetRequest& request);
    // Cost: reads every document's record.
    Result<MemoryStatus> status();

    // Makes some of the gists that documents of any bank wait for; false when none waits, or making
    // them failed. For whoever calls this class, while nobody asks (runtime/gist_backlog.h).
    bool make_some_gists();

    // A bank that follows a log (runtime/batch_apply.h), which is made when it is missing: takes
    // the log's next batch in, so that it can be found.
    Result<AppliedBatch> apply_batch(const std::string& bank, const Path& file,
                                     const LogPosition& position);
    // How far it has followed its log, and that it has come so far without a batch.
    Result<LogPosition> log_position(const std::string& bank);
    Result<void> set_log_position(const std::string& bank, const LogPosition& position);

    // In the order of their names.
    Result<std::vector<std::string>> bank_names() const;

    // The newest documents of a bank, newest first.
    Result<std::vector<DocumentRecord>> newest_documents(const std::string& bank,
                                                         std::size_t count);

    // The top of a document's tree, or what is below a node of it.
    struct TreeStep {
        DocumentRecord document;
        std::vector<TreePiece> pieces;
    };

    Result<TreeStep> walk(const std::string& bank, const std::string& document,
                          std::optional<std::pair<Level, NodeIndex>> node);

    Engine& engine() { return *engine_; }

    // Lets another reader than the base model write what recall() answers.
    void set_reader(reader::ChatServer server) { reader_ = std::move(server); }

  private:
    explicit Memory(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

    struct OpenBank {
        std::unique_ptr<BankSession> session;
        std::unique_ptr<GistBacklog> gists;  // borrows the session
    };

    Result<OpenBank*> open_bank(const std::string& name, bool create);
    Result<BankSession*> bank(const std::string& name, bool create);
    Result<std::vector<BankSession*>> banks_of(const RecallRequest& request);
    Result<bool> try_to_make_gists();
    Result<Remembered> remember_message(BankSession& session, const RememberRequest& request);

    std::unique_ptr<Engine> engine_;
    std::map<std::string, OpenBank> banks_;
    std::string gist_fault_;
    std::optional<reader::ChatServer> reader_;
};

}  // namespace mc::runtime
