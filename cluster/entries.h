// SPDX-License-Identifier: Apache-2.0
// What messages of a cluster say, as values and as JSON. Pure. Errors: kCorruption for a message
// that is none of ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/parcel.h"

namespace mc::cluster {

// A document that waits for a worker.
struct WorkItem {
    std::string id;
    std::string bank;
    std::string name;        // of the document in its bank
    std::string media_type;  // of text
    Parcel content;          // the file's bytes
};

// What a bank's log says was done to it.
struct LogEntry {
    std::string id;
    std::string bank;
    std::string kind;  // "batch": content is an exported bank; "call": a verb with its arguments
    std::string name;  // for people: of the document, or the verb
    Parcel content;
};

// A document that was set aside.
struct Failure {
    std::string id;
    std::string bank;
    std::string name;
    std::string error;
    std::string code;    // error_code_name()
    std::string worker;  // which process said so
    std::uint64_t tries = 0;
};

std::string to_message(const WorkItem& item);
std::string to_message(const LogEntry& entry);
std::string to_message(const Failure& failure);

Result<WorkItem> work_item_from(std::string_view message);
Result<LogEntry> log_entry_from(std::string_view message);
Result<Failure> failure_from(std::string_view message);

}  // namespace mc::cluster
