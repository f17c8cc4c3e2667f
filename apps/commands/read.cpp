// SPDX-License-Identifier: Apache-2.0
// `megacontext read`: the exact bytes of a document, or of a range of it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "core/utf8.h"
#include "runtime/bank_session.h"
#include "runtime/document_file.h"
#include "runtime/versions.h"

namespace mc::apps {
namespace {

// Read and written at a time, so that memory stays flat in the document's size.
constexpr std::uint64_t kPieceBytes = 1 << 20;

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext read book.txt > copy.txt\n"
    "  megacontext read d3 --bytes 4096:8192\n"
    "  megacontext read notes.txt --as-of 2026-03-01\n"
    "DOCUMENT is d3, 3, the source name or a path to its file, in this order. With --json, "
    "\"exact\"\n"
    "says whether \"text\" holds the very bytes (it cannot when they are not UTF-8). A document "
    "that\n"
    "was converted (from UTF-16, HTML, PDF, …) is read as UTF-8; --original gives its file's "
    "bytes\n"
    "back.";

class ReadCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("read", "Give back the exact bytes of a document");
        app->add_option("DOCUMENT", document_, "d3, 3 or the source name")->required();
        auto* range = app->add_option("--bytes", range_, "half-open range; either end may be open");
        range->type_name("A:B");
        app->add_flag("--original", original_,
                      "the bytes of its file, where those are not its text")
            ->excludes(range);
        auto* as_of = app->add_option("--as-of", version_.as_of,
                                      "what it said then: 2026-03-01 (to its end) or "
                                      "2026-03-01T12:30:00Z");
        as_of->type_name("TIME");
        app->add_option("--version", version_.number, "what this version of it said")
            ->type_name("N")
            ->excludes(as_of);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<ByteSpan> chosen_span(const DocumentRecord& document) const;
    Result<void> warn_of_additions(Invocation& invocation, const DocumentRecord& document) const;
    static Result<void> print_bytes(Output& out, const runtime::BankText& text,
                                    const DocumentRecord& document, ByteSpan span);
    static Result<void> print_original(Output& out, const runtime::BankText& text,
                                       const DocumentRecord& document);
    static Result<void> print_json(Output& out, const runtime::BankText& text,
                                   const DocumentRecord& document, ByteSpan span);

    std::string document_;
    std::string range_;
    runtime::VersionChoice version_;
    bool original_ = false;
};

Result<ByteSpan> ReadCommand::chosen_span(const DocumentRecord& document) const {
    if (range_.empty()) return ByteSpan{0, document.byte_count};
    MC_ASSIGN(const OpenRange range, parse_range(range_));
    return runtime::byte_span_in(document, range.begin, range.end);
}

// A program of before journals said when text was added may have added some.
Result<void> ReadCommand::warn_of_additions(Invocation& invocation,
                                            const DocumentRecord& document) const {
    if (version_.as_of.empty()) return {};
    MC_ASSIGN(const std::int64_t at_us, runtime::parse_as_of(version_.as_of));
    if (document.updated_us > at_us)
        invocation.log.warning(
            document.source_name +
                " was added to after that time by an older program, and what that added is shown "
                "too",
            {{"document", to_text(document.id)}});
    return {};
}

Result<void> ReadCommand::print_bytes(Output& out, const runtime::BankText& text,
                                      const DocumentRecord& document, ByteSpan span) {
    for (std::uint64_t at = span.begin; at < span.end; at += kPieceBytes) {
        const ByteSpan piece{at, std::min(at + kPieceBytes, span.end)};
        MC_ASSIGN(const std::string bytes, text.read_bytes(document.id, piece));
        out.raw(bytes);
    }
    return {};
}

Result<void> ReadCommand::print_original(Output& out, const runtime::BankText& text,
                                         const DocumentRecord& document) {
    MC_ASSIGN(const auto file, runtime::DocumentFile::open(text, document));
    return file.copy({0, file.byte_count()}, [&](std::string_view piece) { out.raw(piece); });
}

Result<void> ReadCommand::print_json(Output& out, const runtime::BankText& text,
                                     const DocumentRecord& document, ByteSpan span) {
    MC_ASSIGN(const std::string bytes, text.read_bytes(document.id, span));
    out.json(
        {{"document", to_text(document.id)},
         {"source", document.source_name},
         {"version", document.version},
         {"superseded_us", is_superseded(document) ? Json(document.superseded_us) : Json(nullptr)},
         {"bytes", to_json(span)},
         {"exact", !find_invalid_utf8(bytes).has_value()},
         {"text", bytes}});
    return {};
}

Result<int> ReadCommand::run(Invocation& invocation) {
    if (original_ && invocation.out.json())
        return fail(ErrorCode::kUsage, "--original gives bytes, which JSON cannot hold");
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kRead));
    MC_ASSIGN(const auto session,
              runtime::BankSession::open(*engine, invocation.config.bank, false));
    MC_ASSIGN(const DocumentRecord document,
              runtime::resolve_version(session->text(), document_, version_));
    MC_TRY(warn_of_additions(invocation, document));
    if (original_) {
        MC_TRY(print_original(invocation.out, session->text(), document));
        return 0;
    }
    MC_ASSIGN(const ByteSpan span, chosen_span(document));
    MC_TRY(invocation.out.json() ? print_json(invocation.out, session->text(), document, span)
                                 : print_bytes(invocation.out, session->text(), document, span));
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_read_command() {
    return std::make_unique<ReadCommand>();
}

}  // namespace mc::apps
