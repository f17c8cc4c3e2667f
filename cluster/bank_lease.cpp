// SPDX-License-Identifier: Apache-2.0
#include "cluster/bank_lease.h"

#include <algorithm>

#include "cluster/nats_fence.h"
#include "cluster/streams.h"

namespace mc::cluster {

BankLease::BankLease(__kvStore* bucket, std::string key, std::string owner, int lease_seconds)
    : bucket_(bucket),
      key_(std::move(key)),
      owner_(std::move(owner)),
      lease_seconds_(lease_seconds) {}

Result<std::unique_ptr<BankLease>> BankLease::open(Link& link, const std::string& bank,
                                                   const std::string& owner) {
    kvStore* bucket = nullptr;
    MC_TRY(check_cluster(link));
    MC_NATS(js_KeyValue(&bucket, link.jetstream(), kOwnersBucket), jsErrCode{},
            "opening the leases of banks");
    kvStatus* status = nullptr;
    const natsStatus asked = kvStore_Status(&status, bucket);
    const auto seconds = asked == NATS_OK ? kvStatus_TTL(status) / 1'000'000'000 : 0;
    kvStatus_Destroy(status);
    std::unique_ptr<BankLease> lease(
        new BankLease(bucket, subject_word(bank), owner, static_cast<int>(seconds)));
    MC_NATS(asked, jsErrCode{}, "opening the leases of banks");
    return lease;
}

BankLease::~BankLease() {
    if (revision_ != 0 && std::chrono::steady_clock::now() < held_until_)
        kvStore_Delete(bucket_, key_.c_str());
    kvStore_Destroy(bucket_);
}

Result<void> BankLease::renew() {
    const auto asked = std::chrono::steady_clock::now();
    std::uint64_t revision = 0;
    const natsStatus status =
        revision_ == 0
            ? kvStore_CreateString(&revision, bucket_, key_.c_str(), owner_.c_str())
            : kvStore_UpdateString(&revision, bucket_, key_.c_str(), owner_.c_str(), revision_);
    if (status == NATS_OK) {
        revision_ = revision;
        seen_owner_ = owner_;
        held_until_ = asked + std::chrono::seconds(lease_seconds_);
        return {};
    }
    const auto refused = nats_error(status, jsErrCode{}, "renewing the lease of a bank");
    kvEntry* entry = nullptr;
    const natsStatus read = kvStore_Get(&entry, bucket_, key_.c_str());
    if (read == NATS_OK) {
        seen_owner_ = kvEntry_ValueString(entry);
        // An answer that was lost may have been a yes: the next renewal goes on from there.
        revision_ = seen_owner_ == owner_ ? kvEntry_Revision(entry) : 0;
        kvEntry_Destroy(entry);
        return {};
    }
    if (read == NATS_NOT_FOUND) {
        seen_owner_.clear();
        revision_ = 0;
        return {};
    }
    return refused;
}

Result<std::vector<BankOwner>> list_owners(Link& link) {
    MC_TRY(check_cluster(link));
    kvStore* raw = nullptr;
    const std::string what = "reading the leases of banks";
    MC_NATS(js_KeyValue(&raw, link.jetstream(), kOwnersBucket), jsErrCode{}, what);
    const std::unique_ptr<kvStore, Destroyer<kvStore_Destroy>> bucket(raw);
    kvKeysList keys{};
    const natsStatus status = kvStore_Keys(&keys, bucket.get(), nullptr);
    std::vector<BankOwner> owners;
    for (int i = 0; status == NATS_OK && i < keys.Count; ++i) {
        kvEntry* entry = nullptr;
        if (kvStore_Get(&entry, bucket.get(), keys.Keys[i]) != NATS_OK) continue;  // just ended
        owners.push_back({bank_of_word(keys.Keys[i]), kvEntry_ValueString(entry)});
        kvEntry_Destroy(entry);
    }
    kvKeysList_Destroy(&keys);
    if (status != NATS_OK && status != NATS_NOT_FOUND) return nats_error(status, {}, what);
    std::ranges::sort(owners, {}, &BankOwner::bank);
    return owners;
}

}  // namespace mc::cluster
