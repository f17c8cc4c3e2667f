// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/reading_log.h"

namespace mc::eval {

Result<std::unique_ptr<ReadingLog>> ReadingLog::open(const Path& path,
                                                     const std::string& configuration) {
    MC_ASSIGN(auto lines, LineLog::open(path, configuration));
    const std::vector<std::string> texts = lines->take_lines();
    std::unique_ptr<ReadingLog> log(new ReadingLog(std::move(lines)));
    for (std::size_t i = 0; i < texts.size(); ++i)
        MC_TRY_CONTEXT(log->take(texts[i]), path.string() + " line " + std::to_string(i + 2));
    return log;
}

Result<void> ReadingLog::append(const AnswerRecord& record) {
    const std::string line = to_line(record);
    MC_TRY(log_->append({line}));
    return take(line);
}

Result<void> ReadingLog::take(const std::string& line) {
    MC_ASSIGN(AnswerRecord record, parse_answer_record(line));
    done_.insert({record.family, record.length, record.item, record.row});
    records_.push_back(std::move(record));
    return {};
}

}  // namespace mc::eval
