// SPDX-License-Identifier: Apache-2.0
// How far a bank has followed a log: a part of its record that nothing else reads.
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/record_message.h"

namespace mc::storage {
namespace {

struct FollowingBank {
    BankRecord bank;
    LogPosition log;
};

RecordWords encode_following(RecordPlace place, const FollowingBank& following) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Bank>();
    to.setId(following.bank.id.value);
    to.setCreatedUs(following.bank.created_us);
    to.setLogCreatedNs(following.log.log_created_ns);
    to.setLogSequence(following.log.sequence);
    return seal(place, message);
}

Decoded<FollowingBank> decode_following(RecordPlace place, RecordBytes value) {
    const auto read = [&](schema::Bank::Reader from) -> Decoded<FollowingBank> {
        return FollowingBank{{BankId(from.getId()), std::string(place.key), from.getCreatedUs()},
                             {from.getLogCreatedNs(), from.getLogSequence()}};
    };
    return unseal<schema::Bank, FollowingBank>(place, value, read);
}

}  // namespace

Result<void> BankNodeStore::put_log_position(WriteTransaction& txn, const LogPosition& log) const {
    MC_ASSIGN(FollowingBank following,
              require_record(txn, Database::kBanks, bank_.name, decode_following));
    following.log = log;
    return put_record(txn, Database::kBanks, bank_.name, encode_following, following);
}

Result<LogPosition> BankNodeStore::log_position() const {
    LogPosition log;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const FollowingBank following,
                  require_record(txn, Database::kBanks, bank_.name, decode_following));
        log = following.log;
        return {};
    }));
    return log;
}

Result<void> BankNodeStore::set_log_position(const LogPosition& log) {
    MC_TRY(parts_.require_writable());
    return parts_.env->write(
        [&](WriteTransaction& txn) -> Result<void> { return put_log_position(txn, log); });
}

}  // namespace mc::storage
