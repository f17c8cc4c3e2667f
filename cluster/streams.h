// SPDX-License-Identifier: Apache-2.0
// What a cluster consists of: streams, a bucket of leases, and the subjects of a bank in them.
//
//   MC_WORK    mc.work.BANK               documents to read; each goes when a worker is done with
//   it MC_INPUT   mc.input.BANK.ID.N         their bytes, in parts MC_LOG     mc.log.BANK.ID
//   batches of a bank, in order: what its store is made from MC_DATA    mc.data.BANK.ID.TRY.N their
//   bytes, in parts MC_FAILED  mc.failed.BANK.ID          documents that were set aside, with why
//   MC_OWNERS  a key for each bank        which server has it, for as long as that says so
//
// A bank's subjects can be granted to a user of NATS by their patterns. Threads: safe from many.
// Errors: kIo; kInvalidInput where there is no cluster, or one already.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/link.h"

namespace mc::cluster {

inline constexpr const char* kWorkStream = "MC_WORK";
inline constexpr const char* kInputStream = "MC_INPUT";
inline constexpr const char* kLogStream = "MC_LOG";
inline constexpr const char* kDataStream = "MC_DATA";
inline constexpr const char* kFailedStream = "MC_FAILED";
inline constexpr const char* kOwnersBucket = "MC_OWNERS";

struct ClusterShape {
    int replicas = 1;                           // servers that each message lies on
    std::uint64_t queue_documents_max = 10000;  // that wait; more are not taken
    std::uint64_t queue_bytes_max = std::uint64_t{1} << 30;
    int lease_seconds = 10;  // how long a bank stays with a server that is not heard from
};

// Makes what is missing; what is there stays as it is.
Result<void> create_cluster(Link& link, const ClusterShape& shape);

// Errors: kInvalidInput where there is no cluster.
Result<void> check_cluster(Link& link);

struct StreamState {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t last_sequence = 0;
    std::int64_t created_ns = 0;
};

Result<StreamState> stream_state(Link& link, const char* stream);

// "mc.log.BANK.ID": a bank's name as one word of a subject.
std::string subject(std::string_view kind, std::string_view bank, std::string_view rest);
std::string subject_word(std::string_view bank);
std::string bank_of_word(std::string_view word);

}  // namespace mc::cluster
