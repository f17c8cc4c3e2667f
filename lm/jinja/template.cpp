// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/template.h"

#include "lm/jinja/evaluator.h"
#include "lm/jinja/parser.h"

namespace mc::lm::jinja {

Result<Template> Template::parse(std::string_view source) {
    if (source.size() > kTemplateBytesMax)
        return fail(ErrorCode::kInvalidInput, "a template of " + std::to_string(source.size()) +
                                                  " bytes, at most " +
                                                  std::to_string(kTemplateBytesMax) + " are read");
    Template out;
    MC_ASSIGN(out.statements_, parse_template(source));
    return out;
}

Result<Rendered> Template::render(const Map& variables) const {
    Evaluator evaluator(variables);
    return evaluator.run(statements_);
}

}  // namespace mc::lm::jinja
