# SPDX-License-Identifier: Apache-2.0
"""Functions of C++ and Python sources with their lengths, for check_size.py.

C++ is read as clang-format leaves it: a body's brace stands behind a space, an initialiser's does not or
follows '='. Comments, strings and preprocessor lines are blanked first.
"""

import ast
import re

# Raw strings, comments, strings, characters, preprocessor lines with their continuations.
SKIPPED = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:\\\n|[^\n])*", re.DOTALL | re.MULTILINE)
TYPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?"
                  r"(?:(?:namespace|class|struct|union|enum)\b|extern\s*$)", re.DOTALL)


def blanked(text):
    """The text with everything that is no code replaced by spaces, line ends kept."""
    return SKIPPED.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def is_function(head):
    """Whether what stands before a brace at namespace or class level starts a function's body."""
    if not head.endswith((" ", "\n")) or "(" not in head:
        return False
    return not TYPE.match(head) and not re.search(r"(?<![=!<>])=\s*$", head)


def cpp_functions(text):
    """(name, first line, number of lines) of every function with a body, lambdas not counted."""
    code = blanked(text)
    scopes = []  # of open braces: "type", "other", or the head's start of a function
    head_start = 0
    for position, character in enumerate(code):
        inside = any(scope != "type" for scope in scopes)
        if character == "{":
            head = code[head_start:position]
            if inside:
                scopes.append("other")
                continue
            if is_function(head):
                scopes.append(head_start + len(head) - len(head.lstrip()))
            else:
                scopes.append("type" if TYPE.match(head) else "other")
        elif character == "}" and scopes:
            scope = scopes.pop()
            if isinstance(scope, int):
                yield name_of(code[scope:]), code.count("\n", 0, scope) + 1, \
                    code.count("\n", scope, position) + 1
            if scope == "other":
                continue  # an initialiser: the declaration goes on
        if character in "{};" and not any(scope != "type" for scope in scopes):
            head_start = position + 1


def name_of(head):
    match = re.search(r"([\w:~]+|operator\s*\S+)\s*\(", head)
    return match.group(1) if match else "?"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1
