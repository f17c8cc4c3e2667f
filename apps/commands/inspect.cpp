// SPDX-License-Identifier: Apache-2.0
// `megacontext inspect`: the store, one document, one node, or a tree as a graph.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "apps/views/bank_summary.h"
#include "apps/views/tree_view.h"
#include "tree/tree_graph.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext inspect\n"
    "  megacontext inspect --size\n"
    "  megacontext inspect --document book.txt\n"
    "  megacontext inspect --node d1/L2/0 --json\n"
    "  megacontext inspect --document d1 --dot | dot -Tsvg > tree.svg";

Json store_json(const storage::Store& store) {
    const storage::StoreMeta& meta = store.meta();
    const EncoderInfo& encoder = meta.identity.encoder;
    return {{"path", store.directory().string()},
            {"format_version", meta.format_version},
            {"block_size", meta.block_size},
            {"codec", storage::codec_name(meta.codec)},
            {"codebook_hash", meta.codebook_hash ? Json(to_hex(*meta.codebook_hash)) : Json()},
            {"created_us", meta.created_us},
            {"encrypted", store.seal() != nullptr},
            {"base_model", meta.identity.base_model_name},
            {"base_model_hash", to_hex(meta.identity.base_model_hash)},
            {"tokenizer_hash", to_hex(meta.identity.tokenizer_hash)},
            {"encoder", encoder.name},
            {"encoder_hash", to_hex(encoder.hash)},
            {"gist_shape",
             {{"layers", encoder.shape.layer_count},
              {"kv_heads", encoder.shape.kv_head_count},
              {"head_dim", encoder.shape.head_dim},
              {"index_dim", encoder.shape.index_dim}}},
            {"gist_bytes", meta.gist_bytes}};
}

void print_store(Output& out, const storage::Store& store, std::uint64_t size_bytes) {
    const storage::StoreMeta& meta = store.meta();
    const auto line = [&out](std::string label, const std::string& value) {
        label.resize(12, ' ');
        out.text(out.faint(label) + printable(value));
    };
    line("store", store.directory().string());
    line("format", std::to_string(meta.format_version) + ", made " + format_time(meta.created_us));
    line("base model", meta.identity.base_model_name);
    line("encoder", meta.identity.encoder.name);
    line("gist",
         format_bytes(meta.gist_bytes) + ", " + std::string(storage::codec_name(meta.codec)));
    line("on disk", format_bytes(size_bytes) + (store.seal() != nullptr ? ", encrypted" : ""));
}

void print_sizes(Output& out, const std::vector<storage::StorePart>& parts, std::uint64_t tokens) {
    using Align = Table::Align;
    Table table({{"part"}, {"size", Align::kRight}, {"bytes a token", Align::kRight}});
    Json list = Json::array();
    std::uint64_t whole = 0;
    const auto add = [&](const std::string& name, std::uint64_t bytes) {
        const double share =
            tokens == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(tokens);
        table.add_row({name, format_bytes(bytes), tokens == 0 ? "-" : format_number(share)});
    };
    for (const storage::StorePart& part : parts) {
        add(part.name, part.bytes);
        list.push_back({{"part", part.name}, {"bytes", part.bytes}});
        whole += part.bytes;
    }
    add("whole", whole);
    if (out.json())
        out.json({{"tokens", tokens}, {"disk_bytes", whole}, {"parts", std::move(list)}});
    else
        table.print(out);
}

class InspectCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("inspect", "Show what a store holds");
        auto* document = app->add_option("--document", document_, "one document's tree");
        auto* node = app->add_option("--node", node_, "one node, such as d1/L2/0");
        node->excludes(document);
        app->add_flag("--size", size_, "what the store's disk space is for")
            ->excludes(document)
            ->excludes(node);
        app->add_flag("--dot", dot_, "the document's tree as a Graphviz graph")->needs(document);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        if (size_)
            MC_TRY(show_sizes(invocation));
        else if (document_.empty() && node_.empty())
            MC_TRY(show_store(invocation));
        else
            MC_TRY(show_part(invocation));
        return 0;
    }

  private:
    static Result<void> show_store(Invocation& invocation);
    static Result<void> show_sizes(Invocation& invocation);
    Result<void> show_part(Invocation& invocation) const;

    std::string document_;
    std::string node_;
    bool dot_ = false;
    bool size_ = false;
};

Result<void> InspectCommand::show_store(Invocation& invocation) {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    storage::Store& store = engine->store();
    MC_ASSIGN(const std::uint64_t size_bytes, store.size_on_disk_bytes());
    MC_ASSIGN(const auto summaries, runtime::summarize_banks(store));
    MC_ASSIGN(const runtime::BankSummary bank,
              runtime::summarize_bank(store, invocation.config.bank));
    Output& out = invocation.out;
    if (!out.json()) {
        print_store(out, store, size_bytes);
        out.text("");
        print_banks(out, summaries);
        out.text("");
        out.text(out.strong("documents of bank " + bank.bank.name));
        print_documents(out, bank.documents, bank.versions);
        return {};
    }
    MC_ASSIGN(const auto databases, store.database_statistics());
    Json line{{"store", store_json(store)}, {"disk_bytes", size_bytes},
              {"databases", Json::array()}, {"banks", Json::array()},
              {"bank", bank.bank.name},     {"documents", documents_json(bank)}};
    for (const storage::DatabaseStatistics& database : databases)
        line["databases"].push_back(
            {{"name", database.name}, {"entries", database.entries}, {"bytes", database.bytes}});
    for (const runtime::BankSummary& summary : summaries) line["banks"].push_back(to_json(summary));
    out.json(line);
    return {};
}

Result<void> InspectCommand::show_sizes(Invocation& invocation) {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    MC_ASSIGN(const auto parts, engine->store().part_sizes());
    MC_ASSIGN(const auto summaries, runtime::summarize_banks(engine->store()));
    std::uint64_t tokens = 0;
    for (const runtime::BankSummary& summary : summaries) tokens += summary.token_count;
    print_sizes(invocation.out, parts, tokens);
    return {};
}

Result<void> InspectCommand::show_part(Invocation& invocation) const {
    Output& out = invocation.out;
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kRead));
    MC_ASSIGN(const auto bank, runtime::BankSession::open(*engine, invocation.config.bank, false));
    if (!node_.empty()) {
        MC_ASSIGN(const NodeId node, parse_node(node_));
        MC_ASSIGN(const NodeView view, view_node(bank->text(), node));
        if (out.json())
            out.json(to_json(view));
        else
            print_node(out, view);
        return {};
    }
    MC_ASSIGN(const DocumentRecord document, bank->text().resolve_document(document_));
    if (dot_) {
        const TreeExtent extent{{0, document.token_count}, Level(1)};
        MC_ASSIGN(const std::string dot, tree_dot(bank->nodes(), document.id, extent));
        if (out.json())
            out.json({{"document", to_text(document.id)}, {"dot", dot}});
        else
            out.raw(dot);
    } else if (out.json()) {
        out.json(to_json(document));
    } else {
        print_tree(out, document);
    }
    return {};
}

}  // namespace

std::unique_ptr<Command> make_inspect_command() {
    return std::make_unique<InspectCommand>();
}

}  // namespace mc::apps
