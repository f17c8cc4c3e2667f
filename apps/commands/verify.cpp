// SPDX-License-Identifier: Apache-2.0
// `megacontext verify`: every record, every tree, every index of a store against the rules.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "core/span_math.h"
#include "tree/tree_check.h"
#include "tree/tree_graph.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext verify\n"
    "  megacontext verify --store backup --json\n"
    "Reads the whole store and changes nothing. Exit code 5 when anything is wrong. An index that\n"
    "is behind the store is no fault: the next ingest or query catches it up.";

// What was looked at and what was wrong.
struct Findings {
    std::uint64_t records = 0;
    std::uint64_t documents = 0;
    std::uint64_t nodes = 0;
    Json faults = Json::array();
    Json indexes = Json::array();

    void add_fault(const std::string& where, const std::string& what) {
        faults.push_back({{"where", where}, {"message", what}});
    }
};

struct NodeTotals {
    std::uint64_t level_1 = 0;
    std::uint64_t all = 0;
};

void add_nodes(const DocumentRecord& document, NodeTotals& totals) {
    totals.level_1 += node_count(document.token_count, Level(1));
    for (std::uint8_t level = 1; level <= top_level(document.token_count).value; ++level)
        totals.all += node_count(document.token_count, Level(level));
}

// Counts can be compared only where the index stands at the bank's last commit.
template <class Index>
void check_index(const Result<std::unique_ptr<Index>>& opened, const char* kind,
                 const std::string& bank, std::uint64_t expected, CommitNumber last_commit,
                 Findings& findings) {
    Json line{{"bank", bank}, {"index", kind}, {"expected", expected}, {"held", nullptr}};
    if (!opened) {
        line["state"] = "unusable: " + opened.error().to_string();
        if (opened.error().code() != ErrorCode::kStaleIndex)
            findings.add_fault("bank " + bank + ", " + kind + " index", opened.error().to_string());
    } else if ((*opened)->watermark() != last_commit) {
        line["held"] = (*opened)->size();
        line["state"] = "behind";
    } else {
        line["held"] = (*opened)->size();
        line["state"] = (*opened)->size() == expected ? "current" : "wrong";
        if ((*opened)->size() != expected)
            findings.add_fault("bank " + bank + ", " + kind + " index",
                               "holds " + std::to_string((*opened)->size()) +
                                   " entries, the tree " + std::to_string(expected) +
                                   "; delete it and it is rebuilt");
    }
    findings.indexes.push_back(std::move(line));
}

Result<void> check_document(const NodeStore& nodes, const DocumentRecord& document,
                            const GistShape& shape, Findings& findings) {
    const std::string where = "bank " + nodes.bank().name + ", document " + to_text(document.id);
    MC_ASSIGN(const auto violations, tree_violations(nodes, document.id, shape));
    for (const std::string& violation : violations) findings.add_fault(where, violation);
    // What hangs together can only be said of records that can be read.
    if (!violations.empty()) return {};
    MC_ASSIGN(const auto unreachable, reachability_violations(nodes, document.id));
    for (const std::string& violation : unreachable) findings.add_fault(where, violation);
    return {};
}

Result<void> check_bank(storage::Store& store, const std::string& bank, Findings& findings) {
    MC_ASSIGN(const auto nodes, store.bank_store(bank));
    MC_ASSIGN(const auto documents, nodes->list_documents());
    NodeTotals totals;
    for (const DocumentRecord& document : documents) {
        MC_TRY(check_document(*nodes, document, store.meta().identity.encoder.shape, findings));
        add_nodes(document, totals);
    }
    MC_ASSIGN(const auto violations, journal_violations(*nodes));
    for (const std::string& violation : violations)
        findings.add_fault("bank " + bank + ", journal", violation);
    findings.documents += documents.size();
    findings.nodes += totals.all;
    MC_ASSIGN(const CommitNumber last_commit, nodes->last_commit());
    check_index(store.open_vector_index(bank), "vector", bank, totals.all, last_commit, findings);
    check_index(store.open_lexical_index(bank), "text", bank, totals.level_1, last_commit,
                findings);
    return {};
}

void print_findings(Output& out, const Findings& findings) {
    for (const Json& fault : findings.faults)
        out.text("fault: " + printable(fault.at("where").get<std::string>()) + ": " +
                 printable(fault.at("message").get<std::string>()));
    for (const Json& index : findings.indexes)
        out.text("bank " + index.at("bank").get<std::string>() + ", " +
                 index.at("index").get<std::string>() +
                 " index: " + printable(index.at("state").get<std::string>()));
    out.text(format_count(findings.records) + " records, " + format_count(findings.documents) +
             " documents and " + format_count(findings.nodes) + " nodes read, " +
             format_count(findings.faults.size()) + " faults");
}

class VerifyCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("verify", "Check every record, tree and index of a store");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;
};

Result<int> VerifyCommand::run(Invocation& invocation) {
    MC_ASSIGN(const auto engine, open_for_reading(invocation.config, runtime::Need::kStore));
    storage::Store& store = engine->store();
    Findings findings;
    MC_ASSIGN(const auto summary,
              store.verify_records([&findings](const storage::RecordFault& fault) {
                  findings.add_fault(fault.database + ", " + fault.key, fault.error.to_string());
              }));
    findings.records = summary.records;
    // Trees are read through the records: broken ones would only be reported twice.
    if (summary.faults == 0) {
        MC_ASSIGN(const auto banks, store.list_banks());
        for (const BankRecord& bank : banks) MC_TRY(check_bank(store, bank.name, findings));
    }
    Output& out = invocation.out;
    if (out.json())
        out.json({{"store", store.directory().string()},
                  {"ok", findings.faults.empty()},
                  {"records", findings.records},
                  {"documents", findings.documents},
                  {"nodes", findings.nodes},
                  {"faults", findings.faults},
                  {"indexes", findings.indexes}});
    else
        print_findings(out, findings);
    if (findings.faults.empty()) return 0;
    return fail(ErrorCode::kCorruption, std::to_string(findings.faults.size()) +
                                            " faults in the store at " +
                                            store.directory().string());
}

}  // namespace

std::unique_ptr<Command> make_verify_command() {
    return std::make_unique<VerifyCommand>();
}

}  // namespace mc::apps
