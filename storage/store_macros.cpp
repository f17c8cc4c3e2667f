// SPDX-License-Identifier: Apache-2.0
// Store's macros: records of their own beside a bank's documents.
#include <algorithm>

#include "storage/lmdb/store_parts.h"
#include "storage/store.h"

namespace mc::storage {
namespace {

Error unknown_macro(std::string_view bank, std::string_view name) {
    return Error(ErrorCode::kInvalidInput, "bank \"" + std::string(bank) + "\" has no macro \"" +
                                               std::string(name.substr(0, kNameLengthMax)) +
                                               "\"; `megacontext macro list` names those it has");
}

}  // namespace

Result<std::vector<MacroRecord>> Store::list_macros(std::string_view bank) const {
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    const std::string prefix = macro_key(record.id, "");
    std::vector<MacroRecord> macros;
    MC_TRY(parts_->env->read([&](const ReadTransaction& txn) -> Result<void> {
        return txn.scan(
            Database::kDocuments, prefix,
            [&](std::string_view key, ByteView value) -> Result<bool> {
                if (!key.starts_with(prefix)) return false;
                auto macro = decode_macro({Database::kDocuments, key}, value, parts_->meta);
                if (!macro)
                    return fail(corrupt_record(parts_->directory, Database::kDocuments, key,
                                               macro.error()));
                macros.push_back(std::move(*macro));
                return true;
            });
    }));
    std::ranges::sort(macros, {}, &MacroRecord::name);
    return macros;
}

Result<MacroRecord> Store::read_macro(std::string_view bank, std::string_view name) const {
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    std::optional<MacroRecord> macro;
    if (is_plain_name(name))
        MC_TRY(parts_->env->read([&](const ReadTransaction& txn) -> Result<void> {
            MC_ASSIGN(macro, find_record(txn, Database::kDocuments, macro_key(record.id, name),
                                         decode_macro, parts_->meta));
            return {};
        }));
    if (!macro) return fail(unknown_macro(bank, name));
    return std::move(*macro);
}

Result<void> Store::check_macro_name(std::string_view name) {
    if (is_plain_name(name)) return {};
    return fail(ErrorCode::kInvalidInput, "macro name \"" +
                                              std::string(name.substr(0, kNameLengthMax)) +
                                              "\" is not 1 to 64 of A-Z a-z 0-9 . _ -");
}

Result<void> Store::add_macro(std::string_view bank, const MacroRecord& macro) {
    MC_TRY(check_macro_name(macro.name));
    MC_TRY(parts_->require_writable());
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    const std::string key = macro_key(record.id, macro.name);
    return parts_->env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(const auto taken, txn.find(Database::kDocuments, key));
        if (taken)
            return fail(ErrorCode::kInvalidInput, "macro \"" + macro.name + "\" exists already");
        return put_record(txn, Database::kDocuments, key, encode_macro, macro);
    });
}

Result<void> Store::remove_macro(std::string_view bank, std::string_view name) {
    MC_TRY(parts_->require_writable());
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    if (!is_plain_name(name)) return fail(unknown_macro(bank, name));
    const std::string key = macro_key(record.id, name);
    return parts_->env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(const auto found, txn.find(Database::kDocuments, key));
        if (!found) return fail(unknown_macro(bank, name));
        return txn.erase(Database::kDocuments, key);
    });
}

}  // namespace mc::storage
